"""Words of code: plain data as literals, and what is written as it is."""

import math
from dataclasses import dataclass
from typing import Any

_WIDTH = 100


@dataclass(frozen=True)
class Code:
    """Words of a program, written as they are; never made of what a plan's reader or data may have chosen."""

    text: str


def literal(value: Any, indent: int = 0) -> str:
    """Return plain data as a Python literal, lists and mappings over several lines where one is too long.

    Raises:
        TypeError: something else than None, a truth value, a number, text, a list, a tuple or a mapping.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, dict):
        items = [f"{literal(key)}: {literal(item, indent + 4)}" for key, item in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list | tuple):
        items, opening, closing = [literal(item, indent + 4) for item in value], "[", "]"
    else:
        raise TypeError(f"no literal for {type(value).__name__}")
    line = opening + ", ".join(items) + closing
    if indent + len(line) <= _WIDTH and "\n" not in line:
        return line
    space = " " * indent
    return f"{opening}\n" + "".join(f"{space}    {item},\n" for item in items) + space + closing


def _text(value: str) -> str:
    """Return a text's literal, in double quotes where nothing needs escaping for them."""
    found = repr(value)
    return f'"{found[1:-1]}"' if found[0] == "'" and '"' not in found else found


def written(value: Any) -> str:
    """Return what a template's expression is written as: code of ours as it is, all else as a literal."""
    return value.text if isinstance(value, Code) else literal(value)
