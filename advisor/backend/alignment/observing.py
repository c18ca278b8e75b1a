"""Observations of a generator on measured rows: how likely the known answers are, and how near the written ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.evaluation.overlap import overlap
from advisor.backend.predictor import Observed
from advisor.backend.rows import Rows
from advisor.backend.within_memory import Progress
from advisor.settings import load_settings
from advisor.tasks import TASKS, Demonstration, Input, Judged, Preferred

if TYPE_CHECKING:
    from advisor.backend.alignment.generator import Generator


def observe(model: "Generator", rows: Rows, progress: Progress | None = None) -> Observed:
    """Measure a model on rows; preferences against its reference, or against itself where it has none."""
    if TASKS[model.task].predicts == "text":
        return _written(model, rows, progress)
    own = _judged(model, rows, progress)
    against = _judged(model.reference(), rows, progress) if model.reference else own
    numbers = np.stack([own[:, 0], own[:, 1], against[:, 0], own[:, 2], own[:, 3], against[:, 2]], axis=1)
    return Observed(numbers.astype(np.float32), [""] * len(rows))


def overlaps(texts: Sequence[str], rows: Rows, chosen: Sequence[int]) -> Floats:
    """Return ROUGE-L, chrF and 1 for the rows that were chosen, zeros for the others: (rows, 3)."""
    found = np.zeros((len(rows), 3), dtype=np.float32)
    for row in chosen:
        found[row] = (*overlap(texts[row], cast(Demonstration, rows.targets[row]).answers), 1.0)
    return found


def evenly_chosen(count: int) -> list[int]:
    """Return the numbers of the rows that answers are written to: all, or as many as the rules allow, evenly spaced."""
    most = min(count, load_settings("evaluation.yaml")["written_answers"])
    return [number * count // most for number in range(most)]


def _written(model: "Generator", rows: Rows, progress: Progress | None) -> Observed:
    answers = [cast(Demonstration, target).answers[0] for target in rows.targets]
    likelihoods = model.likelihoods(rows.inputs, answers, progress)
    chosen, texts = evenly_chosen(len(rows)), [""] * len(rows)
    for row, text in zip(chosen, model.write([rows.inputs[row] for row in chosen], progress), strict=True):
        texts[row] = text
    return Observed(np.concatenate([likelihoods, overlaps(texts, rows, chosen)], axis=1), texts)


def _judged(model: "Generator", rows: Rows, progress: Progress | None) -> Floats:
    """Return log-likelihood and tokens of the chosen or only answer, then of the rejected one or zeros: (rows, 4)."""
    asked: list[tuple[Input, str]] = []
    for one, target in zip(rows.inputs, rows.targets, strict=True):
        texts = (target.answer,) if isinstance(target, Judged) else cast(Preferred, target)
        asked += [(one, text) for text in texts]
    found = model.likelihoods([one for one, _ in asked], [text for _, text in asked], progress)
    if len(asked) == len(rows):
        return np.concatenate([found, np.zeros_like(found)], axis=1)
    return np.concatenate([found[::2], found[1::2]], axis=1)
