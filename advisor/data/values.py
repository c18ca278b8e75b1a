"""Values of a row: a cell as text, as a number, as a list; what to say of a cell that is none of these."""

import ast
import json
import re
import warnings
from typing import Any

from advisor.data.names import shown

_WHOLE = re.compile(r"([-+]?[0-9]+)\.0+")
_LONGEST_LITERAL = 1_000_000


class Unfit(Exception):
    """A row does not hold what its task needs.

    Args:
        fault: a name for the kind of fault, by which rows are counted that have the same one.
        text: what is wrong, for the user.
        task: the task that such a row looks like, where it looks like another.
    """

    def __init__(self, fault: str, text: str, task: str | None = None) -> None:
        self.fault, self.text, self.task = fault, text, task
        super().__init__(text)


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


def as_list(value: Any) -> list[Any] | None:
    """Return a cell that is a list, or a string that spells one in JSON or as Python prints it; else ``None``."""
    if isinstance(value, list | tuple):
        return list(value)
    found = spelled(value, "[", "]")
    return found if isinstance(found, list) else None


def as_object(value: Any) -> dict[str, Any] | None:
    """Return a cell that is an object, or a string that spells one in JSON or as Python prints it; else ``None``."""
    if isinstance(value, dict):
        return value
    found = spelled(value, "{", "}")
    return found if isinstance(found, dict) else None


def spelled(value: Any, first: str, last: str) -> Any:
    """Return what a string spells that begins and ends with these brackets, ``None`` where it spells nothing."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if not (text.startswith(first) and text.endswith(last)):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _LONGEST_LITERAL:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def required_text(value: Any, column: str, wanted: str = "text") -> str:
    """Return a cell as text, empty where there is none.

    Raises:
        Unfit: it holds no single value.
    """
    text = as_text(value)
    if text is None:
        raise not_single(value, column, wanted)
    return text if text.isascii() else whole_characters(text)


def not_single(value: Any, column: str, wanted: str) -> Unfit:
    """Return the error for a cell that holds no single value."""
    return Unfit(f"no {wanted}", f"{kind_of(value)} where {wanted} is expected (column {shown(column)})")


def kind_of(value: Any) -> str:
    """Return what a cell holds, for a message."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return "bytes" if isinstance(value, bytes | bytearray) else shown(value)


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


def _scalar(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    try:
        return str(value)
    except ValueError:
        return hex(value)
