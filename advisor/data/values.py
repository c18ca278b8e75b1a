"""Values of a row as text: what a text or a label column may hold."""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

from advisor.data.columns import shown
from advisor.data.formats import Row, Table
from advisor.data.lines import and_more
from advisor.errors import DataError

_WHOLE = re.compile(r"([-+]?[0-9]+)\.0+")


def as_text(value: Any) -> str | None:
    """Return a cell as text: empty where there is none, ``1`` for 1 and 1.0, ``true`` for true.

    Returns:
        ``None`` for what is no single value: lists, objects and bytes.
    """
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return _scalar(value)
    if isinstance(value, list | tuple | dict | bytes | bytearray):
        return None
    return str(value)


def refuse(table: Table, at: int, number: int, value: Any, rest: Iterable[Row], *, label: bool) -> NoReturn:
    """Say that a cell holds no single value.

    Args:
        table: where it was read.
        at: index of its column.
        number: place of its row.
        value: what it holds.
        rest: the rows that follow, to count how many are alike.
        label: whether a label was expected, else a text.

    Raises:
        DataError: always.
    """
    count = 1
    with suppress(DataError):
        for _, values in rest:
            count += as_text(values[at]) is None
    kind = _kind(value)
    place = f"{table.unit} {number}{and_more(count, 'row')}"
    column = shown(table.columns[at])
    if label and kind == "a list":
        raise other_task(table, "multi-label", f"a list in column {column}, {place}")
    wanted = "a label" if label else "text"
    raise DataError(f"{table.path}: {place}: {kind} where {wanted} is expected (column {column})")


def _scalar(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    try:
        return str(value)
    except ValueError:
        return hex(value)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else "bytes"


def whole_characters(text: str) -> str:
    """Put U+FFFD for half a surrogate pair, which JSON can spell and no encoding can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def canonical(names: set[str]) -> dict[str, str]:
    """Return new names for labels that a table program rewrote: all ``1.0``-like, or all ``True``-like."""
    whole = {name: match[1] for name in names if (match := _WHOLE.fullmatch(name))}
    if whole and len(whole) == len(names):
        return whole
    if {name.lower() for name in names} <= {"true", "false"}:
        return {name: name.lower() for name in names}
    return {}


def other_task(table: Table, task: str, why: str) -> DataError:
    """Return the error for data of another task than text classification."""
    return DataError(
        f"{table.path}: this looks like {task} ({why}); text-classification needs a text and one label a row"
    )
