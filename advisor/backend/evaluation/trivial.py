"""The answer that a project gets without a model, in the form of a model's outputs."""

import re
from collections.abc import Sequence

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.chunks import OUTSIDE
from advisor.backend.evaluation.overlap import overlap
from advisor.backend.rows import Rows
from advisor.data.examples import as_text
from advisor.tasks import TASKS, Judged, Pair, Predicts, Preferred

_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]")


def trivial_outputs(task: str, training: Rows, measured: Rows, labels: Sequence[str]) -> tuple[str, Floats]:
    """Return the name of the trivial answer and its outputs for the rows measured.

    The answer, by what the task predicts: the training rows' most frequent class; every label with its share of the
    training rows as probability; the mean number; no entity (the most frequent tag where there is no ``O``); the
    first sentence of the context; the prompt itself; the longer answer, or one as good as any other where there is one.
    """
    predicts: Predicts = TASKS[task].predicts
    if predicts == "class":
        counts = np.bincount(training.targets.astype(np.int64), minlength=len(labels))
        return "majority", _always(int(counts.argmax()), len(measured), len(labels))
    if predicts == "classes":
        shares = training.targets.mean(axis=0, dtype=np.float64).astype(np.float32)
        return "label-shares", np.tile(shares, (len(measured), 1))
    if predicts == "number":
        mean = training.targets.mean(dtype=np.float64)
        return "mean", np.full((len(measured), 1), mean, dtype=np.float32)
    if predicts == "tags":
        words = sum(len(tags) for tags in measured.targets)
        if OUTSIDE in labels:
            return "no-entity", _always(list(labels).index(OUTSIDE), words, len(labels))
        counts = np.bincount(np.concatenate(training.targets).astype(np.int64), minlength=len(labels))
        return "majority", _always(int(counts.argmax()), words, len(labels))
    if predicts == "text":
        return "echo", _echo(measured)
    if predicts == "preference":
        return "longer", np.array([_length(target) for target in measured.targets], dtype=np.float32)
    return "first-sentence", np.array([_first_sentence(row) for row in measured.inputs], dtype=np.float32)


def _always(answer: int, rows: int, answers: int) -> Floats:
    outputs = np.zeros((rows, answers), dtype=np.float32)
    outputs[:, answer] = 1.0
    return outputs


def _echo(measured: Rows) -> Floats:
    """Return what repeating each prompt comes to, as a model that writes is measured; it has no likelihood."""
    found = [overlap(as_text(one), row.answers) for one, row in zip(measured.inputs, measured.targets, strict=True)]
    return np.array([(0.0, 0.0, *one, 1.0) for one in found], dtype=np.float32)


def _length(target: Preferred | Judged) -> tuple[float, ...]:
    """Return the lengths of answers in words in the place of their likelihoods."""
    first, second = (target.answer, "") if isinstance(target, Judged) else target
    return float(len(first.split())), 1.0, 0.0, float(len(second.split())), 1.0, 0.0


def _first_sentence(question: object) -> tuple[int, int, float]:
    assert isinstance(question, Pair)
    end = _SENTENCE_END.search(question.second)
    return 0, end.end() if end else len(question.second), 0.0
