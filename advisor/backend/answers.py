"""Answers: a model's outputs as people and programs read them, one JSON object a row."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.chunks import TagSet
from advisor.backend.rows import Rows
from advisor.tasks import TASKS, Input, Pair, Predicts, Words

SHARE = 0.5
_DIGITS = 6

Answers = Iterator[dict[str, Any]]


def answers(
    task: str, outputs: Floats, inputs: Sequence[Input], labels: Sequence[str], thresholds: Floats | None = None
) -> Answers:
    """Yield what the outputs say, one object a row.

    - a class: ``label``, ``probability`` and ``probabilities`` by class;
    - several labels: ``labels``, most probable first, and ``probabilities`` by label;
    - a number: ``value``;
    - tags: ``tags``, one a word, and ``entities`` with ``label``, ``text``, ``start`` and ``end`` (numbers of words,
      the end exclusive) and ``score``, the mean probability of the entity's tags. An ``I-X`` that starts an entity
      (after ``O``, after another type or at the start of a sentence) is written ``B-X``;
    - an answer: ``answer``, its ``start`` and ``end`` (characters of the context, the end exclusive) and ``score``.

    Args:
        task: id of the task.
        outputs: as `evaluate` takes them.
        inputs: what the model was given; of tags they tell how many words each row has.
        labels: names of classes or tags; empty for numbers and answers.
        thresholds: (classes,) or (rows, classes), from which a label of several is given; 0.5 where None.
    """
    forms: dict[Predicts, Callable[[], Answers]] = {
        "class": lambda: _classes(outputs, labels),
        "classes": lambda: _label_sets(outputs, labels, thresholds),
        "number": lambda: ({"value": _rounded(output[0])} for output in outputs),
        "tags": lambda: _tags(outputs, inputs, labels),
        "span": lambda: map(_span, inputs, outputs),
    }
    return forms[TASKS[task].predicts]()


def prediction_rows(
    task: str, rows: Rows, labels: Sequence[str], outputs: Floats, thresholds: Floats | None = None
) -> Answers:
    """Yield one object a row: where it stood, what was read, the truth as ``label``, ``predicted``, and the answer.

    What was read is ``text``, ``first`` and ``second`` of a pair, ``question`` and ``context``, or ``words``. Truth and
    prediction have one form: a class, a list of labels, a number, or tags; of answers the truth is a list of texts.
    Fields of the answer that ``predicted`` repeats are left out. Arguments are those of `answers`.
    """
    found = answers(task, outputs, rows.inputs, labels, thresholds)
    predicted = _PREDICTED[TASKS[task].predicts]
    for place, source, target, answer in zip(rows.places, rows.inputs, rows.targets, found, strict=True):
        yield {
            "row": place,
            **_read(task, source),
            "label": _truth(task, target, labels),
            "predicted": answer.pop(predicted),
            **answer,
        }


def chosen(outputs: Floats, thresholds: Floats | None) -> NDArray[np.bool_]:
    """Return which labels of several are given, (rows, labels): those that reach their threshold."""
    found: NDArray[np.bool_] = outputs >= (SHARE if thresholds is None else thresholds)
    return found


def answer_text(source: Input, output: Floats) -> str:
    """Return the text that an output of start, end and score cuts out of the context."""
    assert isinstance(source, Pair)
    start, end = max(0, int(output[0])), int(output[1])
    return source.second[start:end] if end > start else ""


_PREDICTED: dict[Predicts, str] = {
    "class": "label",
    "classes": "labels",
    "number": "value",
    "tags": "tags",
    "span": "answer",
}


def _read(task: str, source: Input) -> dict[str, Any]:
    if isinstance(source, Pair):
        names = ("question", "context") if TASKS[task].reads == "question" else ("text", "text_pair")
        return dict(zip(names, source, strict=True))
    return {"text": source} if isinstance(source, str) else {"words": list(source)}


def _truth(task: str, target: Any, labels: Sequence[str]) -> Any:
    match TASKS[task].predicts:
        case "class":
            return labels[int(target)]
        case "classes":
            return [label for label, there in zip(labels, target, strict=True) if there]
        case "number":
            return _rounded(target)
        case "tags":
            return [labels[int(tag)] for tag in target]
        case "span":
            return [answer.text for answer in target]


def _classes(outputs: Floats, labels: Sequence[str]) -> Answers:
    for output in outputs:
        best = int(output.argmax())
        yield {
            "label": labels[best],
            "probability": _rounded(output[best]),
            "probabilities": _by_label(output, labels),
        }


def _label_sets(outputs: Floats, labels: Sequence[str], thresholds: Floats | None) -> Answers:
    for output, given in zip(outputs, chosen(outputs, thresholds), strict=True):
        order = (at for at in np.argsort(-output, kind="stable") if given[at])
        yield {"labels": [labels[at] for at in order], "probabilities": _by_label(output, labels)}


def _tags(outputs: Floats, inputs: Sequence[Input], labels: Sequence[str]) -> Answers:
    tag_set = TagSet(labels)
    end = 0
    for words in cast("Sequence[Words]", inputs):
        start, end = end, end + len(words)
        given, sure = outputs[start:end].argmax(axis=1), outputs[start:end].max(axis=1)
        tags = tag_set.repaired(given, [len(words)])
        entities = [
            {
                "label": tag_set.kinds[kind],
                "text": " ".join(words[first:last]),
                "start": int(first),
                "end": int(last),
                "score": _rounded(sure[first:last].mean()),
            }
            for first, last, kind in zip(*tag_set.chunks(tags, [len(words)]), strict=True)
        ]
        yield {"tags": [labels[tag] for tag in tags], "entities": entities}


def _span(source: Input, output: Floats) -> dict[str, Any]:
    text = answer_text(source, output)
    start = max(0, int(output[0]))
    return {"answer": text, "start": start, "end": start + len(text), "score": _rounded(output[2])}


def _by_label(output: Floats, labels: Sequence[str]) -> dict[str, float]:
    return {label: _rounded(share) for label, share in zip(labels, output, strict=True)}


def _rounded(value: Any) -> float:
    return round(float(value), _DIGITS)
