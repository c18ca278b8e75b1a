import numpy as np
import pytest

from advisor.backend import thresholds as module
from advisor.backend.thresholds import choose_thresholds
from advisor.settings import load_settings


def graded(rows: int, shares: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities around each class's share, and what came of them."""
    generator = np.random.default_rng(seed)
    probabilities = generator.beta(np.array(shares) * 4, (1 - np.array(shares)) * 4, size=(rows, len(shares)))
    return probabilities.astype(np.float32), (generator.random(probabilities.shape) < probabilities).astype(np.float32)


def micro_f1(probabilities: np.ndarray, targets: np.ndarray, levels: np.ndarray | float) -> float:
    given = probabilities >= levels
    return float(2 * (given * targets).sum() / (given.sum() + targets.sum()))


def test_thresholds_give_a_better_f1_than_a_half() -> None:
    probabilities, targets = graded(2000, [0.1, 0.2, 0.3])
    unseen, truth = graded(2000, [0.1, 0.2, 0.3], seed=1)
    levels = choose_thresholds(probabilities, targets)
    assert levels.shape == (3,)
    assert micro_f1(unseen, truth, levels) > micro_f1(unseen, truth, 0.5) + 0.05


def test_a_class_without_positive_rows_takes_the_threshold_of_all() -> None:
    probabilities, targets = graded(2000, [0.2, 0.3, 0.3])
    targets[:, 0] = 0
    probabilities[:, 0] = 0.01
    levels = choose_thresholds(probabilities, targets)
    grid = np.arange(1, 50) / 50
    best = grid[np.argmax([micro_f1(probabilities, targets, level) for level in grid])]
    assert levels[0] == pytest.approx(best)


def test_rare_classes_are_drawn_to_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities, targets = graded(400, [0.3] * 6)
    probabilities[:, 0] **= 4
    rules, spread = load_settings("evaluation.yaml"), []
    for borrowed in (1e-6, 1e6):
        monkeypatch.setattr(module, "load_settings", lambda file, more={"threshold_shrinkage": borrowed}: rules | more)
        spread.append(np.ptp(choose_thresholds(probabilities, targets)))
    assert spread[0] > 0.1
    assert spread[1] == 0


def test_nothing_given_leaves_a_half() -> None:
    assert choose_thresholds(np.full((5, 2), 0.1, dtype=np.float32), np.zeros((5, 2))).tolist() == [0.5, 0.5]
