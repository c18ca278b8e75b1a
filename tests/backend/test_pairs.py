import numpy as np
import pytest

from advisor.backend.head import LinearHead
from advisor.backend.pairs import PairScale, combine


def pairs(rows: int, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    sides = generator.normal(size=(2, rows, width)).astype(np.float32)
    return tuple(sides / np.linalg.norm(sides, axis=2, keepdims=True))


def test_parts_stand_one_after_the_other() -> None:
    first, second = pairs(3)
    found = combine(first, second)
    assert found.dtype == np.float32
    expected = (first, second, abs(first - second), first * second)
    assert all(np.array_equal(*parts) for parts in zip(np.split(found, 4, axis=1), expected, strict=True))


def test_parts_and_cosine_have_equal_shares_of_a_variance_of_one() -> None:
    first, second = pairs(50)
    plain = combine(first, second)
    stretched = PairScale.of(plain).stretch(plain)
    shares = [part.var(axis=0).sum() for part in np.split(stretched, [6, 12, 18, 24], axis=1)]
    assert shares == pytest.approx([0.2] * 5, abs=1e-4)
    cosines = (first * second).sum(axis=1)
    assert np.corrcoef(stretched[:, -1], cosines)[0, 1] == pytest.approx(1, abs=1e-4)


def test_a_head_folds_back_to_plain_parts() -> None:
    plain = combine(*pairs(20))
    scale = PairScale.of(plain)
    generator = np.random.default_rng(1)
    head = LinearHead(generator.normal(size=(3, 25)).astype(np.float32), generator.normal(size=3).astype(np.float32))
    folded = scale.fold(head)
    assert folded.weight.shape == (3, 24)
    assert folded.logits(plain) == pytest.approx(head.logits(scale.stretch(plain)), abs=1e-4)


def test_pairs_that_are_all_alike_stay_finite() -> None:
    plain = combine(*pairs(1))
    assert np.isfinite(PairScale.of(plain).stretch(plain)).all()
