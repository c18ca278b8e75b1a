"""The objective of spans: where in a context the answer to a question starts and ends.

As in Devlin et al. 2019 (arXiv:1810.04805, section 4.2): two numbers a token, for being the first and the last of the
answer. A context beyond the limit is read in overlapping windows; one without the answer points to its first token.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from advisor.backend.arrays import Floats
from advisor.backend.objectives.base import Objective, Unit
from advisor.backend.objectives.tokens import question_units
from advisor.tasks import Input


class Spans(Objective):
    """Start and end of an answer."""

    auto_class = "AutoModelForQuestionAnswering"
    probed = False

    @property
    def width(self) -> int:
        """Start and end."""
        return 2

    def configuration(self) -> dict[str, Any]:
        """Return the two outputs."""
        return {"num_labels": 2}

    def units(self, tokenizer: Any, inputs: Sequence[Input], limit: int) -> list[Unit]:
        """Return the windows of every context."""
        return question_units(tokenizer, inputs, limit, self.reading)

    def aims(self, units: Sequence[Unit], targets: NDArray[Any]) -> list[Any]:
        """Return the first and last token of the row's first answer, (0, 0) in a window that does not hold it all."""
        found = []
        for unit in units:
            answers = targets[unit.row]
            marks = unit.marks
            assert marks is not None
            inside = np.flatnonzero(marks[:, 1] > marks[:, 0])
            if not answers or not len(inside):
                found.append((0, 0))
                continue
            start, end = answers[0].start, answers[0].start + len(answers[0].text)
            first = inside[marks[inside, 1] > start]
            last = inside[marks[inside, 0] < end]
            whole = marks[inside[0], 0] <= start and marks[inside[-1], 1] >= end
            found.append((int(first[0]), int(last[-1])) if whole and len(first) and len(last) else (0, 0))
        return found

    def weight(self, aim: Any) -> float:
        """Return 1: every window counts alike."""
        return 1.0

    def loss(self, logits: Tensor, units: Sequence[Unit], aims: Sequence[Any]) -> Tensor:
        """Return the mean cross-entropy of start and end over the tokens of the window, padding left out."""
        target = torch.tensor(aims, device=logits.device)
        length = torch.tensor([len(unit.ids) for unit in units], device=logits.device)
        padded = torch.arange(logits.shape[1], device=logits.device) >= length[:, None]
        shown = logits.masked_fill(padded[:, :, None], torch.finfo(logits.dtype).min)
        return (
            cross_entropy(shown[:, :, 0], target[:, 0], reduction="sum")
            + cross_entropy(shown[:, :, 1], target[:, 1], reduction="sum")
        ) / 2

    def read(self, output: Any) -> Tensor:
        """Return (units, length, 2)."""
        return torch.stack([output.start_logits, output.end_logits], dim=-1).float()

    def found(self, logits: Tensor, units: Sequence[Unit]) -> list[Floats]:
        """Return (1, 4) a unit: start and end character, the sum of both logits, the product of both probabilities."""
        found = []
        for numbers, unit in zip(logits.cpu().numpy(), units, strict=True):
            assert unit.marks is not None
            found.append(best_span(numbers[: len(unit.ids)], unit.marks, self.reading.longest_answer))
        return found

    def merged(self, units: Sequence[Unit], found: Sequence[Floats], inputs: Sequence[Input]) -> Floats:
        """Return (rows, 3): start, end and probability in the window with the highest logits."""
        merged: Floats = np.zeros((len(inputs), 3), dtype=np.float32)
        highest = np.full(len(inputs), -np.inf)
        for unit, span in zip(units, found, strict=True):
            start, end, logit, probability = span[0]
            if logit > highest[unit.row]:
                highest[unit.row] = logit
                merged[unit.row] = start, end, probability
        return merged


def best_span(logits: Floats, marks: NDArray[np.int64], longest: int) -> Floats:
    """Return (1, 4), as `Spans.found` has it, of the best span of at most ``longest`` tokens in the context.

    Args:
        logits: (tokens, 2) of start and end.
        marks: (tokens, 2), the characters each token covers.
        longest: most tokens of an answer.
    """
    inside = np.flatnonzero(marks[:, 1] > marks[:, 0])
    if not len(inside):
        return np.array([[0, 0, -np.inf, 0]], dtype=np.float32)
    starts, ends = logits[inside, 0].astype(np.float64), logits[inside, 1].astype(np.float64)
    sums = starts[:, None] + ends[None, :]
    allowed = np.triu(np.ones(sums.shape, dtype=bool)) & ~np.triu(np.ones(sums.shape, dtype=bool), longest)
    first, last = np.unravel_index(np.where(allowed, sums, -np.inf).argmax(), sums.shape)
    share = np.exp(starts[first] - _log_sum(starts) + ends[last] - _log_sum(ends))
    span = (marks[inside[first], 0], marks[inside[last], 1], sums[first, last], share)
    return np.array([span], dtype=np.float32)


def _log_sum(values: NDArray[np.float64]) -> float:
    highest = float(values.max())
    return highest + float(np.log(np.exp(values - highest).sum()))
