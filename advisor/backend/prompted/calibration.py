"""Calibration: what a language model says whatever it is asked is divided out of its probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.settings import CalibrationName
from advisor.tasks import Input, Pair


@dataclass(frozen=True)
class Calibration:
    """Division by prior probabilities, and normalisation.

    ``contextual``: the prior is the mean over inputs without content in the same prompt (Zhao et al. 2021,
    https://arxiv.org/abs/2102.09690, whose W is diagonal with b = 0). ``batch``: it is the mean over rows of the task
    (Zhou et al. 2023, https://arxiv.org/abs/2309.17249), estimated once on rows at hand instead of every batch anew, so
    that an answer does not depend on what is asked beside it.

    Attributes:
        name: ``none``, ``contextual`` or ``batch``.
        prior: (questions, choices) probabilities; None with ``none``.
    """

    name: CalibrationName = "none"
    prior: Floats | None = None

    @classmethod
    def of(cls, name: CalibrationName, probabilities: Floats, floor: float) -> "Calibration":
        """Return the calibration by the mean of probabilities, (rows, questions, choices), none of it below a floor."""
        return cls(name, np.maximum(probabilities.mean(axis=0), floor).astype(np.float32))

    def apply(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities, (rows, questions, choices)."""
        return probabilities if self.prior is None else _normalised(probabilities / self.prior)


def batch_leaving_one_out(probabilities: Floats, floor: float) -> Floats:
    """Return rows calibrated by the mean of the others, (rows, questions, choices), as they are where there is one."""
    rows = len(probabilities)
    if rows < 2:
        return probabilities
    others = (probabilities.sum(axis=0, keepdims=True) - probabilities) / np.float32(rows - 1)
    return _normalised(probabilities / np.maximum(others, floor))


def content_free_inputs(like: Input, texts: Sequence[str]) -> list[Input]:
    """Return inputs of the same kind as ``like`` that say nothing."""
    if isinstance(like, Pair):
        return [Pair(text, text) for text in texts]
    return [text if isinstance(like, str) else (text,) for text in texts]


def _normalised(weights: Any) -> Floats:
    total = weights.sum(axis=-1, keepdims=True)
    shared: Floats = (weights / np.maximum(total, np.finfo(np.float32).tiny)).astype(np.float32)
    return shared
