import numpy as np
import pytest

from advisor.backend.prompted.calibration import Calibration, batch_leaving_one_out, content_free_inputs
from advisor.tasks import Pair


def probabilities(rows: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    found = generator.dirichlet([4.0, 1.0, 0.3], size=(rows, 2))
    return found.astype(np.float32)


def test_contextual_calibration_is_that_of_the_paper() -> None:
    """Zhao et al. 2021: q = softmax of W p + b with W = diag(p_cf)⁻¹ and b = 0, read as a normalisation."""
    rows, empty = probabilities(5), probabilities(3, seed=1)
    found = Calibration.of("contextual", empty, 1e-6).apply(rows)
    prior = empty.mean(axis=0)
    weighed = np.stack([[np.diag(1 / prior[q]) @ rows[r, q] for q in range(2)] for r in range(5)])
    assert found == pytest.approx(weighed / weighed.sum(axis=-1, keepdims=True), abs=1e-6)
    assert found.sum(axis=-1) == pytest.approx(np.ones((5, 2)))


def test_an_input_without_content_is_left_undecided() -> None:
    empty = np.array([[[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]], dtype=np.float32)
    assert Calibration.of("contextual", empty, 1e-6).apply(empty) == pytest.approx(np.full((1, 2, 3), 1 / 3), abs=1e-6)


def test_batch_calibration_leaves_the_row_itself_out() -> None:
    rows = probabilities(6)
    found = batch_leaving_one_out(rows, 1e-6)
    for row in range(6):
        others = np.delete(rows, row, axis=0)
        assert found[row] == pytest.approx(
            Calibration.of("batch", others, 1e-6).apply(rows[row : row + 1])[0], abs=1e-5
        )
    assert np.array_equal(batch_leaving_one_out(rows[:1], 0.01), rows[:1])


def test_the_floor_bounds_what_is_made_of_answers_never_given() -> None:
    empty = np.array([[[1.0, 0.0]]], dtype=np.float32)
    rows = np.array([[[0.995, 0.005]]], dtype=np.float32)
    found = Calibration.of("contextual", empty, 0.01).apply(rows)[0, 0]
    assert found == pytest.approx([0.995 / 1.495, 0.5 / 1.495])
    zeros = np.zeros((1, 1, 2), dtype=np.float32)
    assert np.isfinite(Calibration.of("batch", empty, 0.01).apply(zeros)).all()


def test_none_changes_nothing() -> None:
    rows = probabilities(3)
    assert Calibration().apply(rows) is rows


def test_inputs_without_content_are_of_the_rows_kind() -> None:
    assert content_free_inputs("x", ["N/A", ""]) == ["N/A", ""]
    assert content_free_inputs(Pair("x", "y"), ["N/A"]) == [Pair("N/A", "N/A")]
    assert content_free_inputs(("x", "y"), ["N/A"]) == [("N/A",)]
