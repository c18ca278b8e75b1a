"""The rows that a prompted model's folder keeps to show as demonstrations, a line each."""

from collections.abc import Iterable, Sequence
from typing import Any

from advisor.backend.prompted.asking import Brief
from advisor.backend.prompted.demonstrations import Demonstrations, Way
from advisor.backend.rows import Rows, encode_rows
from advisor.tasks import TASKS, Answer, Chat, Demonstration, Input, Label, Message, Pair


def kept_numbers(shown: Demonstrations, way: Way) -> tuple[list[int], list[list[int]]]:
    """Return the numbers of the rows that are kept, and which lines of them each question shows to all."""
    if way.selection == "retrieved":
        return list(range(len(shown.rows))), [[] for _ in shown.fixed]
    if way.selection is None:
        return [], [[] for _ in shown.fixed]
    used = [[int(number) for number in numbers[: shown.most]] for numbers in shown.fixed]
    kept = list(dict.fromkeys(number for numbers in used for number in numbers))
    line = {number: at for at, number in enumerate(kept)}
    return kept, [[line[number] for number in numbers] for numbers in used]


def lines_of(brief: Brief, rows: Rows, numbers: Iterable[int]) -> Iterable[dict[str, Any]]:
    """Yield rows as JSON objects: their place in the data, what is read, and the answer by name."""
    for number in numbers:
        read, target = rows.inputs[number], rows.targets[number]
        yield {
            "row": rows.places[number],
            "input": _plain(read),
            "label": _named(brief, target),
        }


def _plain(read: Input) -> Any:
    if isinstance(read, Chat):
        return {"messages": [message._asdict() for message in read.messages]}
    return read if isinstance(read, str) else list(read)


def read_rows(brief: Brief, lines: Sequence[dict[str, Any]]) -> Rows:
    """Return the rows that `lines_of` made lines of."""
    predicts, reads = TASKS[brief.task].predicts, TASKS[brief.task].reads
    inputs = [_input(line["input"], reads) for line in lines]
    answers = [_answer(line["label"], predicts) for line in lines]
    return encode_rows(brief.task, inputs, answers, [line["row"] for line in lines], brief.labels)


def _input(kept: Any, reads: str) -> Input:
    if isinstance(kept, dict):
        return Chat(tuple(Message(**message) for message in kept["messages"]))
    if isinstance(kept, str):
        return kept
    return tuple(kept) if reads == "words" else Pair(*kept)


def _answer(kept: Any, predicts: str) -> Label:
    if predicts == "text":
        return Demonstration(tuple(kept))
    return tuple(Answer(**answer) for answer in kept) if predicts == "span" else kept


def _named(brief: Brief, target: Any) -> Any:
    match TASKS[brief.task].predicts:
        case "class":
            return brief.labels[int(target)]
        case "classes":
            return [label for label, there in zip(brief.labels, target, strict=True) if there]
        case "number":
            return float(target)
        case "tags":
            return [brief.labels[int(tag)] for tag in target]
        case "text":
            return list(target.answers)
        case _:
            return [answer._asdict() for answer in target]
