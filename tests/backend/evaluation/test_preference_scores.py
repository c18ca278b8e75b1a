"""Preference accuracy, ranking accuracy and margins, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from advisor.backend.evaluation import headline
from advisor.backend.evaluation.preferences import of_reference
from advisor.tasks import Judged, Preferred
from tests.backend.evaluation.samples import rows_of


def test_pairs_by_hand() -> None:
    rows = rows_of("preference", [Preferred("a", "b")] * 3)
    outputs = np.array([[-2, 1, -3, -4, 2, -4], [-2, 2, -1, -3, 1, -4], [-2, 1, -2, -4, 2, -4]], dtype=np.float32)
    found = headline("preference", outputs, rows, [])
    assert found == pytest.approx(
        {"preference_accuracy": (1 + 0 + 0.5) / 3, "ranking_accuracy": (0.5 + 1 + 0.5) / 3, "margin": (1 - 2 + 0) / 3}
    )


def test_the_model_measured_against_prefers_nothing_over_itself() -> None:
    outputs = np.array([[-2, 1, -3, -4, 2, -4], [-2, 2, -1, -3, 1, -4], [-2, 1, -2, -9, 3, -8]], dtype=np.float32)
    found = headline("preference", of_reference(outputs), rows_of("preference", [Preferred("a", "b")] * 3), [])
    assert found == pytest.approx({"preference_accuracy": 0.5, "ranking_accuracy": 2 / 3, "margin": 0})


def test_judgements_are_paired_off() -> None:
    generator = np.random.default_rng(0)
    good = generator.random(50) < 0.4
    outputs = np.zeros((50, 6), dtype=np.float32)
    outputs[:, 0], outputs[:, 1], outputs[:, 2] = (
        generator.normal(good, 1).round(1),
        3,
        generator.normal(size=50).round(1),
    )
    found = headline("preference", outputs, rows_of("preference", [Judged("a", bool(one)) for one in good]), [])
    rewards = outputs[:, 0].astype(float) - outputs[:, 2]
    assert found["preference_accuracy"] == pytest.approx(roc_auc_score(good, rewards))
    assert found["ranking_accuracy"] == pytest.approx(roc_auc_score(good, outputs[:, 0]))
    assert found["margin"] == pytest.approx(rewards[good].mean() - rewards[~good].mean())


def test_judgements_of_one_kind_tell_nothing() -> None:
    outputs = np.ones((3, 6), dtype=np.float32)
    found = headline("preference", outputs, rows_of("preference", [Judged("a", True)] * 3), [])
    assert found["preference_accuracy"] == 0.5
