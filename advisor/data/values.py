"""Values of a row as text: what a text or a label column may hold."""

import re
from typing import Any

from advisor.data.columns import shown
from advisor.data.formats import Table
from advisor.errors import DataError

_WHOLE = re.compile(r"([-+]?[0-9]+)\.0+")


def text_of(value: Any, table: Table, number: int, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return _scalar(value)
    raise DataError(
        f"{table.path}: {table.unit} {number}: {_kind(value)} where text is expected (column {shown(column)})"
    )


def label_of(value: Any, table: Table, number: int, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return _scalar(value)
    if isinstance(value, list | tuple | dict):
        task = "multi-label" if isinstance(value, list | tuple) else "another task"
        raise other_task(table, task, f"{table.unit} {number} has {_kind(value)} in column {shown(column)}")
    if isinstance(value, bytes | bytearray):
        raise DataError(
            f"{table.path}: {table.unit} {number}: {_kind(value)} where a label is expected "
            f"(column {shown(column)})"
        )
    return str(value)


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
    names: dict[type, str] = {
        list: "a list",
        tuple: "a list",
        dict: "an object",
        bytes: "bytes",
        bytearray: "bytes",
    }
    return names.get(type(value), f"a value of type {type(value).__name__}")


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
    return DataError(
        f"{table.path}: this looks like {task} ({why}); text-classification needs a text and one label a row"
    )
