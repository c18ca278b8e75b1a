"""Asking for a number: levels of a scale are scored, and the expected level is the answer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.asking.base import ScoredAsking
from advisor.tasks import Input

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Numbers(ScoredAsking):
    """A level of a scale between the lowest and the highest number seen."""

    def values(self) -> dict[str, Any]:
        """Return the levels as they are written, and whether two texts are rated."""
        return {"levels": self.subjects(), "pairs": self.brief.pairs}

    def subjects(self) -> Sequence[str]:
        """Return the levels as they are written."""
        return tuple(f"{level:.12g}" for level in self.brief.levels)

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the level next to a number."""
        nearest = int(np.abs(np.array(self.brief.levels) - float(target)).argmin())
        return self.worded[nearest][0]

    def outputs(self, probabilities: Floats) -> Floats:
        """Return (rows, 1), the mean of the levels by their probabilities."""
        levels = np.array(self.brief.levels, dtype=np.float32)
        expected: Floats = self.of_answers(probabilities)[:, 0] @ levels
        return expected[:, None].astype(np.float32)

    def lure(self, answer: dict[str, Any]) -> str:
        """Return the end of the scale that is farther away."""
        low, high = self.brief.levels[0], self.brief.levels[-1]
        return f"{low if answer['value'] - low > high - answer['value'] else high:.12g}"


def scale(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return levels from ``low`` to ``high`` or a little beyond, their step 1, 2, 2.5 or 5 times a power of ten.

    Args:
        low: least number seen.
        high: greatest.
        most: levels, at least 2.
    """
    if high <= low:
        return low, low + 1.0
    size = 10.0 ** math.floor(math.log10((high - low) / (most - 1)))
    tolerance = 1e-6
    for factor in (*_STEPS, *(10 * step for step in _STEPS[1:])):
        step = factor * size
        first, last = math.floor(low / step + tolerance), math.ceil(high / step - tolerance)
        if last - first + 1 <= most:
            return tuple(round(number * step, 12) for number in range(first, last + 1))
    return low, high
