"""Mistakes: the predictions of a run that were most wrong, in words, task by task."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.report.escaping import one_line
from advisor.report.units import significant
from advisor.tasks import TASKS, Predicts

SHOWN = 10
_TEXT_LETTERS = 320
_LIST_LETTERS = 160

Row = dict[str, Any]
Said = list[tuple[str, str]]


@dataclass(frozen=True)
class Mistake:
    """A wrong prediction: what was read, and what is true and what was predicted as pairs of words and value."""

    row: int
    texts: list[str]
    said: Said


@dataclass(frozen=True)
class Mistakes:
    """The worst mistakes, and in which way they are the worst."""

    sense: str
    rows: list[Mistake]


def worst_rows(task: str, rows: Iterable[Row], count: int = SHOWN) -> list[Row]:
    """Return the rows of ``predictions.jsonl`` that are most wrong, worst first; right ones are none of them.

    Worst is, by what the task predicts: the wrong class or answer given with most confidence; the labels missed and
    made up most against their probabilities; the number furthest off; the most entities missed or made up; the text
    that shares least with the right one; the answer rewarded most against what people said.
    """
    how_wrong = _KINDS[TASKS[task].predicts].how_wrong
    graded = ((how_wrong(row), row) for row in rows)
    wrong = ((grade, row) for grade, row in graded if grade is not None)
    return [row for _, row in heapq.nsmallest(count, wrong, key=lambda pair: (-pair[0], pair[1].get("row", 0)))]


def mistakes_of(task: str, rows: Iterable[Row]) -> Mistakes:
    """Return the worst of some rows of ``predictions.jsonl`` in words."""
    kind = _KINDS[TASKS[task].predicts]
    found = [
        Mistake(int(row.get("row", 0)), [_cut(text, _TEXT_LETTERS) for text in _texts(row)], kind.said(row))
        for row in worst_rows(task, rows)
    ]
    return Mistakes(kind.sense, found)


@dataclass(frozen=True)
class _Kind:
    sense: str
    how_wrong: Callable[[Row], float | None]
    said: Callable[[Row], Said]


def _class_wrong(row: Row) -> float | None:
    return None if row["label"] == row["predicted"] else float(row["probabilities"][row["predicted"]])


def _class_said(row: Row) -> Said:
    confidence = row["probabilities"][row["predicted"]]
    return [("labelled", row["label"]), ("predicted", row["predicted"]), ("with", f"{100 * confidence:.0f} %")]


def _labels_apart(row: Row) -> tuple[list[str], list[str]]:
    missing = [label for label in row["label"] if label not in row["predicted"]]
    return missing, [label for label in row["predicted"] if label not in row["label"]]


def _labels_wrong(row: Row) -> float | None:
    missing, extra = _labels_apart(row)
    shares = row["probabilities"]
    apart = sum(1 - shares[label] for label in missing) + sum(shares[label] for label in extra)
    return float(apart) if missing or extra else None


def _labels_said(row: Row) -> Said:
    missing, extra = _labels_apart(row)
    return _lists(("missing", missing), ("given wrongly", extra))


def _number_wrong(row: Row) -> float | None:
    return abs(row["label"] - row["predicted"]) or None


def _number_said(row: Row) -> Said:
    apart = row["predicted"] - row["label"]
    return [
        ("labelled", f"{row['label']:g}"),
        ("predicted", f"{row['predicted']:.4g}"),
        ("too high by" if apart > 0 else "too low by", significant(abs(apart))),
    ]


def _entities_apart(row: Row) -> tuple[list[str], list[str]]:
    """Return the entities missed and made up, each with its type."""
    import numpy as np

    from advisor.backend.chunks import TagSet

    names = sorted(set(row["label"]))
    tag_set, words = TagSet(names), row["words"]
    numbers = np.array([names.index(tag) for tag in row["label"]], dtype=np.int64)
    chunks = zip(*tag_set.chunks(numbers, [len(words)]), strict=True)
    true = [(int(start), int(end), tag_set.kinds[kind]) for start, end, kind in chunks]
    given = [(entity["start"], entity["end"], entity["label"]) for entity in row["entities"]]

    def named(found: Iterable[tuple[int, int, str]]) -> list[str]:
        return [f"{' '.join(words[start:end])} ({kind})" for start, end, kind in found]

    return named(entity for entity in true if entity not in given), named(e for e in given if e not in true)


def _entities_wrong(row: Row) -> float | None:
    missed, extra = _entities_apart(row)
    return float(len(missed) + len(extra)) or None


def _entities_said(row: Row) -> Said:
    missed, extra = _entities_apart(row)
    return _lists(("missed", missed), ("made up", extra))


def _answer_wrong(row: Row) -> float | None:
    from advisor.backend.evaluation.spans import best_match

    f1 = best_match(row["predicted"], row["label"])[0]
    return (1 - f1) * float(row["score"]) if f1 < 1 else None


def _answer_said(row: Row) -> Said:
    true = dict.fromkeys(row["label"]) or ["nothing"]
    return [
        ("answered", _cut(row["predicted"], _LIST_LETTERS) or "nothing"),
        ("with", f"{100 * row['score']:.0f} %"),
        ("true is", _cut(" / ".join(true), _LIST_LETTERS)),
    ]


def _writing_wrong(row: Row) -> float | None:
    return None if row["predicted"] is None or row["rouge_l"] == 1 else 1 - float(row["rouge_l"])


def _writing_said(row: Row) -> Said:
    return [
        ("written", _cut(row["predicted"] or "", _LIST_LETTERS) or "nothing"),
        ("right is", _cut(row["label"], _LIST_LETTERS)),
        ("ROUGE-L", f"{row['rouge_l']:.2f}"),
    ]


def _preference_wrong(row: Row) -> float | None:
    if row["label"] == row["predicted"]:
        return None
    return abs(float(row["margin"] if "margin" in row else row["reward"]))


def _preference_said(row: Row) -> Said:
    if "margin" not in row:
        answer = ("approved" if row["label"] else "disapproved", _cut(row["answer"], _LIST_LETTERS))
        return [answer, ("reward", f"{row['reward']:.2f}")]
    return [
        ("chosen", _cut(row["chosen"], _LIST_LETTERS)),
        ("rejected", _cut(row["rejected"], _LIST_LETTERS)),
        ("margin", f"{row['margin']:.2f}"),
    ]


_KINDS: dict[Predicts, _Kind] = {
    "class": _Kind(
        "Wrong and most confident about it. Often they show labels worth a second look as much as limits of the model.",
        _class_wrong,
        _class_said,
    ),
    "classes": _Kind(
        "Labels missing or given wrongly, the worst by their probabilities first.", _labels_wrong, _labels_said
    ),
    "number": _Kind("Furthest from the number they are labelled with.", _number_wrong, _number_said),
    "tags": _Kind("Most entities missed or made up.", _entities_wrong, _entities_said),
    "span": _Kind("Wrong and most confident about it.", _answer_wrong, _answer_said),
    "text": _Kind("Furthest from the right answer by ROUGE-L.", _writing_wrong, _writing_said),
    "preference": _Kind("Rewarded against what people said, the most first.", _preference_wrong, _preference_said),
}


def _texts(row: Row) -> Iterator[str]:
    """Yield what was read; of a question with its context the question alone."""
    if "words" in row:
        yield " ".join(row["words"])
    for name in ("text", "text_pair", "question", "prompt"):
        if name in row:
            value = row[name]
            yield "\n".join(one["content"] for one in value) if isinstance(value, list) else str(value)


def _lists(*named: tuple[str, Sequence[str]]) -> Said:
    return [(name, _cut(", ".join(values), _LIST_LETTERS)) for name, values in named if values]


def _cut(text: str, letters: int) -> str:
    line = one_line(text)
    return line if len(line) <= letters else f"{line[:letters].rstrip()} …"
