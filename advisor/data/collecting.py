"""All rows of a table, read as inputs and labels; the first row that does not fit ends it."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NoReturn, cast

from advisor.data.columns import Columns
from advisor.data.examples import Examples, Part
from advisor.data.formats.lines import and_more
from advisor.data.formats.table import Row, Table
from advisor.data.inputs import InputReader
from advisor.data.labels import LabelReader, class_name
from advisor.data.values import Unfit, canonical, required_text, whole_characters
from advisor.errors import DataError
from advisor.tasks import TASKS, Input, Label

NEEDS = {
    "text-classification": "a text and one label a row",
    "multi-label": "a text and a list of labels a row",
    "pair-classification": "two texts and one label a row",
    "regression": "a text, or two, and a number a row",
    "token-classification": "a list of words and as many tags a row",
    "question-answering": "a question, a context and answers a row",
    "generation": "a prompt and its answer a row, or the messages of a chat",
    "preference": "a prompt with a chosen and a rejected answer a row, or an answer with a judgement",
}


def other_task(path: object, task: str, why: str, wanted: str | None) -> DataError:
    """Return the error for data that look like another task than the one that is wanted, or than any that is known."""
    needed = (
        f"{wanted} needs {NEEDS[wanted]}" if wanted else f"labelled data are needed, such as {NEEDS[next(iter(NEEDS))]}"
    )
    return DataError(f"{path}: this looks like {task} ({why}); {needed}")


def collect(task: str, table: Table, rows: Iterable[Row], read_input: InputReader, read_label: LabelReader) -> Part:
    """Read all rows of any task.

    Raises:
        DataError: a row does not hold what the task needs.
    """
    inputs: list[Input] = []
    labels: list[Label] = []
    numbers: list[int] = []
    without_text: list[int] = []
    unlabelled: list[Input] = []
    unlabelled_rows: list[int] = []

    def read(values: Sequence[Any]) -> tuple[Input | None, Label | None]:
        one = read_input(values)
        return one, None if one is None else read_label(values, one)

    rows = iter(rows)
    for number, values in rows:
        try:
            one, label = read(values)
        except Unfit as unfit:
            _refuse(unfit, task, table, number, rows, read)
        if one is None:
            without_text.append(number)
        elif label is None:
            unlabelled.append(one)
            unlabelled_rows.append(number)
        else:
            inputs.append(one)
            labels.append(label)
            numbers.append(number)
    if TASKS[task].predicts == "class":
        classes = cast("list[str]", labels)
        rewritten = canonical(set(classes))
        labels = [rewritten.get(name, name) for name in classes] if rewritten else labels
    return _part(table, Examples(inputs, labels, numbers), without_text, unlabelled, unlabelled_rows)


def collect_texts(table: Table, rows: Iterable[Row], columns: Columns) -> Part:
    """Read all rows of a task of one text and one class; as `collect` does, at half the time a row.

    Raises:
        DataError: a row holds something else.
    """
    texts: list[str] = []
    labels: list[str] = []
    numbers: list[int] = []
    without_text: list[int] = []
    unlabelled: list[Input] = []
    unlabelled_rows: list[int] = []
    as_written: dict[str, str] = {}
    at_text, (at_label,) = columns.text, columns.labels
    text_column, label_column = table.columns[at_text], table.columns[at_label]
    escapes = table.format in {"json", "jsonl"}

    def read(values: Sequence[Any]) -> tuple[str, str]:
        return required_text(values[at_text], text_column), class_name(values[at_label], label_column) or ""

    rows = iter(rows)
    for number, values in rows:
        text, label = values[at_text], values[at_label]
        try:
            if type(text) is not str:
                text = required_text(text, text_column)
            if type(label) is not str:
                label = class_name(label, label_column) or ""
        except Unfit as unfit:
            _refuse(unfit, "text-classification", table, number, rows, read)
        if escapes and not text.isascii():
            text = whole_characters(text)
        if not text or text.isspace():
            without_text.append(number)
            continue
        known = as_written.get(label)
        if known is None:
            known = as_written[label] = whole_characters(label.strip())
        if not known:
            unlabelled.append(text)
            unlabelled_rows.append(number)
            continue
        texts.append(text)
        labels.append(known)
        numbers.append(number)
    rewritten = canonical({name for name in as_written.values() if name})
    if rewritten:
        labels = [rewritten.get(name, name) for name in labels]
    examples = Examples(cast("list[Input]", texts), cast("list[Label]", labels), numbers)
    return _part(table, examples, without_text, unlabelled, unlabelled_rows)


def _part(
    table: Table, examples: Examples, without_text: list[int], unlabelled: list[Input], unlabelled_rows: list[int]
) -> Part:
    return Part(
        path=str(table.path),
        format=table.format,
        unit=table.unit,
        columns=table.columns,
        sha256=_digest(examples) if table.format == "hub" else table.sha256(),
        examples=examples,
        without_text=without_text,
        unlabelled=unlabelled,
        unlabelled_rows=unlabelled_rows,
    )


def _refuse(
    unfit: Unfit, task: str, table: Table, number: int, rest: Iterator[Row], read: Callable[[Sequence[Any]], object]
) -> NoReturn:
    """Say what is wrong with a row, and how many of those that follow have the same fault."""
    count = 1
    with suppress(DataError):
        for _, values in rest:
            try:
                read(values)
            except Unfit as other:
                count += other.fault == unfit.fault
    place = f"{table.unit} {number}{and_more(count, 'row')}"
    if unfit.task:
        raise other_task(table.path, unfit.task, f"{unfit.text}, {place}", task) from None
    raise DataError(f"{table.path}: {place}: {unfit.text}") from None


def _digest(examples: Examples) -> str:
    digest = hashlib.sha256()
    for pair in zip(examples.inputs, examples.labels, strict=True):
        digest.update(json.dumps(pair, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    return digest.hexdigest()
