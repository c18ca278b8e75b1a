import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from advisor.backend.evaluation import evaluate, headline
from tests.backend.evaluation.samples import LABELS, rows_of, sample

pytestmark = pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.UndefinedMetricWarning")
TASK = "multi-label"


@settings(max_examples=40)
@given(rows=st.integers(1, 60), seed=st.integers(0, 10**6), cut=st.lists(st.floats(0.05, 0.95), min_size=4, max_size=4))
def test_scores_are_scikit_learns(rows: int, seed: int, cut: list[float]) -> None:
    outputs, given_rows, _ = sample(TASK, rows, seed)
    thresholds = np.array(cut, dtype=np.float32)
    found = evaluate(TASK, outputs, given_rows, LABELS, thresholds=thresholds, draws=10, seed=0)
    truth, chosen = given_rows.targets.astype(int), (outputs >= thresholds).astype(int)
    value = {key: interval.value for key, interval in found.metrics.items()}
    micro = metrics.f1_score(truth, chosen, average="micro", zero_division=0)
    assert value["micro_f1"] == pytest.approx(micro)
    assert value["exact_match"] == pytest.approx(metrics.accuracy_score(truth, chosen))
    if truth.any() or chosen.any():
        macro = metrics.f1_score(truth, chosen, average="macro", zero_division=np.nan)
        assert value["macro_f1"] == pytest.approx(macro)
    if truth.any():
        there = truth.any(axis=0)
        expected = metrics.average_precision_score(truth[:, there], outputs[:, there])
        assert value["average_precision"] == pytest.approx(expected)
    loss = np.mean([metrics.log_loss(truth[:, at], outputs[:, at], labels=[0, 1]) for at in range(4)])
    assert value["log_loss"] == pytest.approx(loss, rel=1e-4)
    support = metrics.precision_recall_fscore_support(truth, chosen, zero_division=0)[3]
    assert [row.support for row in found.classes] == support.tolist()
    assert found.confusion is None


def test_half_is_the_threshold_where_none_is_given() -> None:
    rows = rows_of(TASK, [("a",), ()], LABELS)
    outputs = np.array([[0.5, 0.49, 0.1, 0.0], [0.2, 0.2, 0.2, 0.2]], dtype=np.float32)
    assert headline(TASK, outputs, rows, LABELS) == {"micro_f1": 1.0, "macro_f1": 1.0, "exact_match": 1.0}


def test_no_label_anywhere_is_an_exact_match_without_an_f1() -> None:
    outputs = np.zeros((3, 4), dtype=np.float32)
    found = evaluate(TASK, outputs, rows_of(TASK, [(), (), ()], LABELS), LABELS, draws=10, seed=0).metrics
    assert (found["exact_match"].value, found["micro_f1"].value, found["average_precision"].value) == (1.0, 0.0, 0.0)
