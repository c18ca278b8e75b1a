"""Typical texts: one of every kind first, dense ones before outliers, away from what has a label."""

import numpy as np
import pytest

from advisor.backend.arrays import Floats
from advisor.backend.typical import Grouping, typical

GROUPING = Grouping(neighbours=5, least=3, most=50)


def around(centre: int, count: int, spread: float = 0.05) -> Floats:
    """Return unit vectors near one axis of eight, the first of them on it."""
    drawn = np.random.default_rng(centre).normal(0, spread, (count, 8)).astype(np.float32)
    drawn[0] = 0
    drawn[:, centre] += 1
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


NOTHING = np.empty((0, 8), dtype=np.float32)


def kinds(texts: Floats, chosen: np.ndarray) -> list[int]:
    return texts[chosen].argmax(axis=1).tolist()


def test_each_kind_gets_one_the_largest_kind_first() -> None:
    texts = np.concatenate([around(0, 10), around(1, 40), around(2, 20), around(3, 30)])
    chosen = typical(texts, NOTHING, 4, GROUPING, seed=1)
    assert kinds(texts, chosen) == [1, 3, 2, 0]


def test_the_densest_of_a_kind_stands_for_it() -> None:
    core, fringe = around(0, 15, spread=0.01), around(0, 6, spread=0.4)[1:]
    chosen = typical(np.concatenate([fringe, core]), NOTHING, 1, GROUPING, seed=1)
    assert chosen[0] >= len(fringe)


def test_what_is_labelled_is_left_alone() -> None:
    texts = np.concatenate([around(kind, 20) for kind in range(4)])
    labelled = np.concatenate([around(kind, 3) for kind in (0, 2)])
    chosen = typical(texts, labelled[[0, 3]], 2, GROUPING, seed=1)
    assert sorted(kinds(texts, chosen)) == [1, 3]


def test_outliers_come_last() -> None:
    texts = np.concatenate([around(5, 1), *(around(kind, 20) for kind in range(3))])
    assert 0 not in typical(texts, NOTHING, 3, GROUPING, seed=1)
    assert typical(texts, NOTHING, 4, GROUPING, seed=1)[3] == 0


@pytest.mark.parametrize(("rows", "count"), [(0, 4), (1, 4), (3, 8), (40, 0), (40, 40), (40, 100)])
def test_as_many_as_there_are_each_once(rows: int, count: int) -> None:
    texts = around(0, rows, spread=0.5) if rows else NOTHING
    chosen = typical(texts, NOTHING, count, Grouping(5, 3, 10), seed=1).tolist()
    assert len(chosen) == len(set(chosen)) == min(rows, count)


def test_the_seed_decides() -> None:
    texts = np.concatenate([around(kind, 30, spread=0.3) for kind in range(8)])
    once, again, other = (typical(texts, NOTHING, 12, GROUPING, seed).tolist() for seed in (1, 1, 2))
    assert once == again != other
