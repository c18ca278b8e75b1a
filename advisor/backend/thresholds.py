"""Thresholds of several classes: the probability from which each counts as given, chosen on held-out rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.settings import load_settings


def choose_thresholds(outputs: Floats, targets: NDArray[Any]) -> Floats:
    """Return for each class the threshold of its best F1, drawn to that of all classes where it has few positive rows.

    A class is scored as if it had as many more positive rows as ``threshold_shrinkage`` says, judged as those of all
    classes together are: a class without any gets the threshold of the best micro-F1.

    Args:
        outputs: probabilities, (rows, classes).
        targets: 0 and 1, (rows, classes).
    """
    if not targets.any():
        return np.full(outputs.shape[1], 0.5, dtype=np.float32)
    settings = load_settings("evaluation.yaml")
    borrowed, step = float(settings["threshold_shrinkage"]), settings["threshold_step"]
    levels = np.linspace(step, 1 - step, round(1 / step) - 1)
    right, both = np.empty((len(levels), outputs.shape[1])), np.empty((len(levels), outputs.shape[1]))
    for level, probability in enumerate(levels):
        given = outputs >= probability
        right[level] = (given * targets).sum(axis=0)
        both[level] = given.sum(axis=0) + targets.sum(axis=0)
    share = borrowed / max(float(targets.sum()), 1.0)
    right += share * right.sum(axis=1, keepdims=True)
    both += share * both.sum(axis=1, keepdims=True)
    chosen: Floats = levels[(2 * right / np.maximum(both, 1e-9)).argmax(axis=0)].astype(np.float32)
    return chosen
