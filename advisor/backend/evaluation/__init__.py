"""Evaluation: how good a model's outputs are, by the standard measures of their task, with bootstrap intervals."""

from collections.abc import Sequence

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.evaluation.classes import Classes
from advisor.backend.evaluation.entities import Entities
from advisor.backend.evaluation.judgement import Judgement
from advisor.backend.evaluation.label_sets import LabelSets
from advisor.backend.evaluation.numbers import Numbers
from advisor.backend.evaluation.preferences import Preferences
from advisor.backend.evaluation.scores import ClassScores, Evaluation, Interval
from advisor.backend.evaluation.spans import Spans
from advisor.backend.evaluation.trivial import trivial_outputs
from advisor.backend.evaluation.writing import Writing
from advisor.backend.rows import Rows
from advisor.errors import RunError
from advisor.tasks import TASKS, Predicts

__all__ = ["ClassScores", "Evaluation", "Interval", "differences", "evaluate", "headline", "trivial_outputs"]

_JUDGEMENTS: dict[Predicts, type[Classes | LabelSets | Numbers | Entities | Spans | Writing | Preferences]] = {
    "class": Classes,
    "classes": LabelSets,
    "number": Numbers,
    "tags": Entities,
    "span": Spans,
    "text": Writing,
    "preference": Preferences,
}


def evaluate(
    task: str,
    outputs: Floats,
    rows: Rows,
    labels: Sequence[str],
    *,
    thresholds: Floats | None = None,
    draws: int,
    seed: int,
) -> Evaluation:
    """Compare a model's outputs with the truth.

    Args:
        task: id of the task.
        outputs: what the model gave, in the task's form: probabilities (rows, classes) or (words in all, tags),
            numbers (rows, 1), start and end character and score (rows, 3), or what `Writing` and `Preferences` take.
        rows: what it was given, with the truth.
        labels: names of classes or tags; empty for numbers and answers.
        thresholds: (classes,) or (rows, classes), from which a label of several is given; 0.5 where None.
        draws: bootstrap resamples of the rows.
        seed: of the resamples.

    Raises:
        ValueError: there is no row.
        RunError: an output is not a number.
    """
    if not np.isfinite(outputs).all():
        raise RunError("the model's outputs are not numbers: training has diverged; lower the learning rate")
    judged = _judge(task, outputs, rows, labels, thresholds)
    besides = {key: Interval(value, value, value) for key, value in judged.extras().items()}
    return Evaluation(len(rows), {**judged.intervals(draws, seed), **besides}, judged.classes(), judged.confusion())


def headline(
    task: str, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None
) -> dict[str, float]:
    """Return the task's measures alone, by key.

    Arguments are those of `evaluate`. Outputs that are no numbers make a bad answer, so that a training that diverges
    falls back on what it had.

    Raises:
        ValueError: there is no row.
    """
    return _judge(task, outputs, rows, labels, thresholds).values()


def differences(
    task: str, outputs: Floats, others: Floats, rows: Rows, *, draws: int, seed: int
) -> dict[str, Interval]:
    """Return by how much outputs of a model that writes are above others for the same rows, by measure.

    Args:
        task: id of a task whose model writes.
        outputs: what the model gave.
        others: what it is compared with gave.
        rows: what both were given.
        draws: bootstrap resamples of the rows, the same for both.
        seed: of the resamples.
    """
    own, other = (_judge(task, found, rows, [], None) for found in (outputs, others))
    return own.differences(other, draws, seed)


def _judge(task: str, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None) -> Judgement:
    if not len(rows):
        raise ValueError("nothing to evaluate: the test set has no row")
    return _JUDGEMENTS[TASKS[task].predicts](outputs, rows, labels, thresholds)
