"""Thresholds of several classes: the probability from which each counts as given, chosen on held-out rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats


def choose_thresholds(outputs: Floats, targets: NDArray[Any]) -> Floats:
    """Return the one threshold, for every class, that gives the best micro-F1.

    Args:
        outputs: probabilities, (rows, classes).
        targets: 0 and 1, (rows, classes).
    """
    grid = np.linspace(0.05, 0.95, 37)
    scores = []
    for level in grid:
        given = outputs >= level
        right = float((given * targets).sum())
        scores.append(2 * right / max(float(given.sum() + targets.sum()), 1.0))
    return np.full(outputs.shape[1], grid[int(np.argmax(scores))], dtype=np.float32)
