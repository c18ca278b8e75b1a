import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from advisor.backend.evaluation import evaluate, expected_calibration_error

pytestmark = pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.UndefinedMetricWarning")


def predictions(rows: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(classes), size=rows).astype(np.float32)
    return probabilities, generator.integers(classes, size=rows)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 60), classes=st.integers(2, 8), seed=st.integers(0, 10**6))
def test_scores_are_scikit_learns(rows: int, classes: int, seed: int) -> None:
    probabilities, labels = predictions(rows, classes, seed)
    names = [f"class {index}" for index in range(classes)]
    found = evaluate(probabilities, labels, names, draws=10, seed=0)
    predicted = probabilities.argmax(axis=1)
    everything = list(range(classes))
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert found.macro_f1.value == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    assert found.log_loss == pytest.approx(metrics.log_loss(labels, probabilities, labels=everything), rel=1e-4)
    assert found.confusion == metrics.confusion_matrix(labels, predicted, labels=everything).tolist()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=everything, zero_division=0
    )
    assert [row.precision for row in found.classes] == pytest.approx(precision.tolist())
    assert [row.recall for row in found.classes] == pytest.approx(recall.tolist())
    assert [row.f1 for row in found.classes] == pytest.approx(f1.tolist())
    assert [row.support for row in found.classes] == support.tolist()
    majority = np.full(rows, np.bincount(labels).argmax())
    assert found.majority_accuracy == pytest.approx(metrics.accuracy_score(labels, majority))
    assert found.majority_macro_f1 == pytest.approx(metrics.f1_score(labels, majority, average="macro"))


def test_intervals_are_those_of_resampled_rows() -> None:
    probabilities, labels = predictions(200, 4, seed=3)
    predicted = probabilities.argmax(axis=1)
    found = evaluate(probabilities, labels, list("abcd"), draws=4000, seed=1)
    generator = np.random.default_rng(2)
    accuracy, macro_f1 = [], []
    for _ in range(300):
        rows = generator.integers(200, size=200)
        accuracy.append(metrics.accuracy_score(labels[rows], predicted[rows]))
        macro_f1.append(metrics.f1_score(labels[rows], predicted[rows], average="macro"))
    for interval, drawn in ((found.accuracy, accuracy), (found.macro_f1, macro_f1)):
        assert [interval.low, interval.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)


def test_a_class_in_neither_truth_nor_predictions_does_not_count() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]], dtype=np.float32)
    found = evaluate(probabilities, np.array([0, 1]), ["a", "b", "unseen"], draws=50, seed=0)
    assert found.macro_f1.value == found.macro_f1.low == 1.0
    assert found.classes[2].support == 0


def test_calibration_error_of_a_sure_and_half_right_classifier() -> None:
    probabilities = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert expected_calibration_error(probabilities, np.array([0, 1])) == pytest.approx(0.5)
    assert expected_calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1])) == pytest.approx(0.0)


def test_the_same_seed_gives_the_same_intervals_and_plain_values() -> None:
    probabilities, labels = predictions(50, 3, seed=5)
    first = evaluate(probabilities, labels, list("abc"), draws=100, seed=4).as_dict()
    assert first == evaluate(probabilities, labels, list("abc"), draws=100, seed=4).as_dict()
    assert first["accuracy"].keys() == {"value", "low", "high"}


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="no row"):
        evaluate(np.zeros((0, 2)), np.zeros(0, dtype=int), ["a", "b"], draws=10, seed=0)
