"""What is to be predicted, from the cells of a row: a class, several, a number, tags, answers, or feedback."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from advisor.data.columns import Columns
from advisor.data.content import lists
from advisor.data.names import shown
from advisor.data.prompts import read_demonstration, read_feedback
from advisor.data.spans import read_answers
from advisor.data.tags import as_bio
from advisor.data.values import Unfit, as_list, as_text, kind_of, not_single, required_text
from advisor.tasks import TASKS, Input, Label, Pair

LabelReader = Callable[[Sequence[Any], Input], Label | None]
_SEPARATORS = (";", "|", ",")
_LARGEST = 3e38  # about what a 32-bit float can hold; models compute in them
_YES, _NO = {"1", "1.0", "true"}, {"0", "0.0", "false"}


def label_reader(task: str, columns: Columns, names: Sequence[str], written: Sequence[Any]) -> LabelReader:
    """Return what reads a row's label, given the input, ``None`` where the row has none; it raises `Unfit`.

    Args:
        task: a key of `TASKS`.
        columns: where the labels are.
        names: of all columns.
        written: some labels, which show how several classes stand in one cell.
    """
    place = columns.labels[0]
    name = names[place]
    predicts = TASKS[task].predicts
    if predicts == "text":
        return lambda row, _: read_demonstration(row, columns, names)
    if predicts == "preference":
        return lambda row, _: read_feedback(row, columns, names)
    if len(columns.labels) > 1:
        return _flags_reader(columns.labels, names)
    if predicts == "classes":
        return _classes_reader(place, name, written)
    if predicts == "number":
        return lambda row, _: _number(row[place], name)
    if predicts == "tags":
        return lambda row, words: _tags(row[place], len(words), name)
    if predicts == "span":
        starts = columns.starts
        return lambda row, pair: read_answers(
            row[place], None if starts is None else row[starts], pair.second if isinstance(pair, Pair) else "", name
        )
    return lambda row, _: class_name(row[place], name)


def class_name(value: Any, column: str) -> str | None:
    """Return a cell as the name of a class, ``None`` where it is empty.

    Raises:
        Unfit: it holds no single value.
    """
    if isinstance(value, list | tuple):
        raise Unfit("list", f"a list in column {shown(column)}", "multi-label")
    return required_text(value, column, "a label").strip() or None


def spells_lists(written: Sequence[Any]) -> bool:
    """Tell whether some label is a list, or a string that spells one."""
    return any(lists([value]) for value in written)


def separator_of(written: Sequence[Any]) -> str | None:
    """Return the first usual separator that stands in some label, ``None`` where there is none."""
    texts = [str(value) for value in written]
    return next((sign for sign in _SEPARATORS if any(sign in text for text in texts)), None)


def _classes_reader(place: int, name: str, written: Sequence[Any]) -> LabelReader:
    """Read lists of classes where ``written`` has one, else strings with the first separator that it shows."""
    if spells_lists(written):
        return lambda row, _: _listed(row[place], name)
    separator = separator_of(written)
    return lambda row, _: _separated(row[place], name, separator)


def _listed(value: Any, column: str) -> tuple[str, ...] | None:
    if value is None or value == "":
        return None
    found = as_list(value)
    if found is None:
        raise Unfit("no list", f"{kind_of(value)} where a list of labels is expected (column {shown(column)})")
    return _distinct(found, column)


def _separated(value: Any, column: str, separator: str | None) -> tuple[str, ...] | None:
    if isinstance(value, list | tuple):
        return _distinct(list(value), column)
    text = required_text(value, column, "labels")
    if not text.strip():
        return None
    return _distinct(text.split(separator) if separator else [text], column)


def _distinct(values: list[Any], column: str) -> tuple[str, ...]:
    names = (required_text(value, column, "a label").strip() for value in values)
    return tuple(dict.fromkeys(name for name in names if name))


def _flags_reader(places: Sequence[int], names: Sequence[str]) -> LabelReader:
    """Read columns of 0 and 1; a row whose columns all are empty, or all -1, has no label."""
    named = [(place, names[place]) for place in places]

    def read(row: Sequence[Any], _: Input) -> tuple[str, ...] | None:
        texts = [(as_text(row[place]) or "").strip().lower() for place, _ in named]
        if set(texts) <= {"", "-1"}:
            return None
        for text, (place, name) in zip(texts, named, strict=True):
            if text not in _YES and text not in _NO:
                raise Unfit("flag", f"{kind_of(row[place])} where 0 or 1 is expected (column {shown(name)})")
        return tuple(name for text, (_, name) in zip(texts, named, strict=True) if text in _YES)

    return read


def _number(value: Any, column: str) -> float | None:
    """Return a cell as a number, ``None`` where it is empty.

    Raises:
        Unfit: it is no number, or none that is finite.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, list | tuple | dict | bytes | bytearray):
        raise not_single(value, column, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        number = None
    if number is None or isinstance(value, bool):
        raise Unfit("no number", f"{shown(value)} where a number is expected (column {shown(column)})")
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise Unfit("not finite", f"{shown(value)} is not a finite number (column {shown(column)})")
    return number


def _tags(value: Any, words: int, column: str) -> tuple[str, ...] | None:
    """Return a tag a word, ``None`` where there is none.

    Raises:
        Unfit: another number of tags than of words, class numbers without names, or no BIO tags.
    """
    found = as_list(value)
    if found is None:
        if value is not None and not isinstance(value, str):
            raise Unfit("tags", f"{kind_of(value)} where a list of tags is expected (column {shown(column)})")
        found = (value or "").split()
        if len(found) == 1 and words > 1:
            raise Unfit("one label", f"one label a row in column {shown(column)}", "text-classification")
    if not found or all(tag is None for tag in found):
        return None
    if len(found) != words:
        tags = f"{len(found)} tag{'s' if len(found) != 1 else ''} (column {shown(column)})"
        raise Unfit("count", f"{words} word{'s' if words != 1 else ''} and {tags}")
    if any(isinstance(tag, int) for tag in found):
        raise Unfit(
            "class numbers",
            f"numbers for tags without their names (column {shown(column)}); write tags such as B-PER, or Parquet with "
            "the names that datasets keeps",
        )
    return as_bio(required_text(tag, column, "a tag") for tag in found)
