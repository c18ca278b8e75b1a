import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from advisor.backend.evaluation import evaluate, headline
from advisor.backend.evaluation.numbers import Numbers
from tests.backend.evaluation.samples import rows_of, sample

TASK = "regression"
NUMBERS = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=2, max_size=40)


@settings(max_examples=60)
@given(NUMBERS)
def test_correlations_are_scipys_ties_and_all(pairs: list[tuple[int, int]]) -> None:
    predicted, truth = np.array(pairs, dtype=np.float64).T
    assume(np.ptp(predicted) and np.ptp(truth))
    found = headline(TASK, predicted[:, None].astype(np.float32), rows_of(TASK, truth.tolist()), [])
    assert found["pearson"] == pytest.approx(stats.pearsonr(predicted, truth).statistic, abs=1e-9)
    assert found["spearman"] == pytest.approx(stats.spearmanr(predicted, truth).statistic, abs=1e-9)
    assert found["rmse"] == pytest.approx(float(np.sqrt(((predicted - truth) ** 2).mean())))


def test_a_resample_is_measured_as_if_its_rows_stood_there() -> None:
    outputs, rows, _ = sample(TASK, 25, 1)
    weights = np.random.default_rng(0).multinomial(25, np.full(25, 1 / 25), size=10)
    found = Numbers(outputs, rows, []).measures(weights.astype(np.float64))
    for draw, counts in enumerate(weights):
        chosen = np.repeat(np.arange(25), counts)
        expected = headline(TASK, outputs[chosen], rows.take(chosen), [])
        assert {key: value[draw] for key, value in found.items()} == pytest.approx(expected)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6, 1 / 3])
def test_constant_predictions_correlate_with_nothing(constant: float) -> None:
    rows = rows_of(TASK, [1.0, 2.0, 4.0])
    found = evaluate(TASK, np.full((3, 1), constant, dtype=np.float32), rows, [], draws=50, seed=0)
    for key in ("pearson", "spearman"):
        assert (found.metrics[key].value, found.metrics[key].low, found.metrics[key].high) == (0.0, 0.0, 0.0)
    assert found.classes == []


def test_a_far_off_scale_keeps_its_precision() -> None:
    truth = np.arange(50, dtype=np.float64)
    outputs = (1e6 + truth)[:, None].astype(np.float32)
    found = headline(TASK, outputs, rows_of(TASK, truth.tolist()), [])
    assert found == pytest.approx({"pearson": 1.0, "spearman": 1.0, "rmse": 1e6})
