from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.backend.rows import Rows
from advisor.benchmark.draws import Size, draw
from advisor.errors import InputError

CLASSES = st.lists(st.integers(0, 3), min_size=1, max_size=60)


def rows(targets: list[Any], kind: Any = np.int64) -> Rows:
    return Rows([f"text {n}" for n in range(len(targets))], np.array(targets, dtype=kind), range(1, len(targets) + 1))


@given(CLASSES, st.integers(0, 9), st.integers(0, 9), st.integers(0, 3))
def test_more_labels_hold_the_fewer_ones(classes: list[int], few: int, more: int, seed: int) -> None:
    drawn = [
        draw("text-classification", rows(classes), Size("per-class", amount), seed=seed, most=1000)
        for amount in (few, few + more)
    ]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert set(drawn[0].tolist()) <= set(drawn[1].tolist())


@given(CLASSES, st.integers(0, 9), st.integers(1, 60))
def test_a_draw_by_class_is_balanced_even_when_cut_short(classes: list[int], amount: int, most: int) -> None:
    found = draw("text-classification", rows(classes), Size("per-class", amount), seed=0, most=most)
    assert found is not None
    assert len(found) <= most
    counts = np.bincount(np.array(classes)[found], minlength=4)
    there = np.minimum(np.bincount(classes, minlength=4), amount)
    assert len(found) == min(int(there.sum()), most)
    assert all(counts[a] >= min(there[a], counts.max() - 1) for a in range(4))


def test_rows_as_they_come_do_not_depend_on_classes() -> None:
    first = draw("regression", rows([0.5, 1.0, 2.0, 3.0], np.float32), Size.parse("2-rows"), seed=1, most=9)
    every = draw("regression", rows([0.5, 1.0, 2.0, 3.0], np.float32), Size.parse("all"), seed=1, most=9)
    assert first is not None
    assert every is not None
    assert (len(first), every.tolist()) == (2, [0, 1, 2, 3])
    assert draw("regression", rows([0.5, 1.0], np.float32), Size.parse("2"), seed=1, most=9) is None


@pytest.mark.parametrize("text", ["8", "500-rows", "all", "0"])
def test_a_size_is_written_as_it_is_read(text: str) -> None:
    assert str(Size.parse(text)) == text


@pytest.mark.parametrize("text", ["", "-1", "1.5", "8 rows", "everything"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is neither a number of labels a class"):
        Size.parse(text)
