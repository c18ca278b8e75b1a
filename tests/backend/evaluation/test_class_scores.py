import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from advisor.backend.evaluation import evaluate, headline, trivial_outputs
from advisor.backend.evaluation.classes import expected_calibration_error
from tests.backend.evaluation.samples import rows_of

pytestmark = pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.UndefinedMetricWarning")
TASK = "text-classification"


@settings(max_examples=40)
@given(rows=st.integers(1, 60), classes=st.integers(2, 8), seed=st.integers(0, 10**6))
def test_scores_are_scikit_learns(rows: int, classes: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(classes), size=rows).astype(np.float32)
    labels = generator.integers(classes, size=rows)
    names = [f"class {index}" for index in range(classes)]
    given_rows = rows_of(TASK, [names[label] for label in labels], names)
    found = evaluate(TASK, probabilities, given_rows, names, draws=10, seed=0)
    predicted = probabilities.argmax(axis=1)
    everything = list(range(classes))
    measured = {key: interval.value for key, interval in found.metrics.items()}
    assert measured["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert measured["macro_f1"] == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    assert measured["log_loss"] == pytest.approx(metrics.log_loss(labels, probabilities, labels=everything), rel=1e-4)
    assert found.confusion == metrics.confusion_matrix(labels, predicted, labels=everything).tolist()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=everything, zero_division=0
    )
    assert [row.precision for row in found.classes] == pytest.approx(precision.tolist())
    assert [row.recall for row in found.classes] == pytest.approx(recall.tolist())
    assert [row.f1 for row in found.classes] == pytest.approx(f1.tolist())
    assert [row.support for row in found.classes] == support.tolist()
    name, outputs = trivial_outputs(TASK, given_rows, given_rows, names)
    majority = headline(TASK, outputs, given_rows, names)
    expected = np.full(rows, np.bincount(labels).argmax())
    assert name == "majority"
    assert majority["accuracy"] == pytest.approx(metrics.accuracy_score(labels, expected))
    assert majority["macro_f1"] == pytest.approx(metrics.f1_score(labels, expected, average="macro"))


def test_a_class_in_neither_truth_nor_predictions_does_not_count() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]], dtype=np.float32)
    names = ["a", "b", "unseen"]
    found = evaluate(TASK, probabilities, rows_of(TASK, ["a", "b"], names), names, draws=50, seed=0)
    assert found.metrics["macro_f1"].value == found.metrics["macro_f1"].low == 1.0
    assert found.classes[2].support == 0


def test_calibration_error_of_a_sure_and_half_right_classifier() -> None:
    probabilities = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert expected_calibration_error(probabilities, np.array([0, 1])) == pytest.approx(0.5)
    assert expected_calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1])) == pytest.approx(0.0)
