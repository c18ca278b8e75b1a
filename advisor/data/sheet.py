"""A sheet: rows that wait for a label, as a CSV or JSONL file that people fill in and that is read as data then."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from advisor.errors import InputError
from advisor.files import write_text
from advisor.tasks import Chat, Input, Pair

_SUFFIXES = (".csv", ".jsonl")
_LABEL = "label"


class Waiting(NamedTuple):
    """A row that waits for a label: its place in its file, and what a model reads of it."""

    row: int
    input: Input

    def as_dict(self) -> dict[str, Any]:
        """Return its place and its texts, named as data files name them."""
        named: dict[str, Any] = {"row": self.row}
        if isinstance(self.input, Pair):
            return named | {"text": self.input.first, "text_pair": self.input.second}
        if isinstance(self.input, Chat):
            return named | {"messages": [message._asdict() for message in self.input.messages]}
        return named | ({"text": self.input} if isinstance(self.input, str) else {"tokens": list(self.input)})


def check_sheet(path: Path) -> None:
    """Refuse a name that does not say which of the two formats is meant, or that is taken.

    Raises:
        InputError: it is so.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{path}: rows to label are written as {' or '.join(_SUFFIXES)}; name such a file")
    if path.exists():
        raise InputError(f"{path} is there already and may hold labels; name another file")


def write_sheet(path: Path, rows: Sequence[Waiting]) -> None:
    """Write rows with an empty column of labels: ``row``, ``text``, perhaps ``text_pair``, ``label``.

    Raises:
        InputError: the format is neither of the two, the file is there already or cannot be written, or rows are no
            texts or pairs.
    """
    check_sheet(path)
    if any(not isinstance(one.input, str | Pair) for one in rows):
        raise InputError(
            f"{path}: words, chats and the like are labelled with tools of their own; --json lists the rows to take"
        )
    found = [one.as_dict() | {_LABEL: ""} for one in rows]
    try:
        write_text(path, _as_csv(found) if path.suffix.lower() == ".csv" else _as_lines(found))
    except OSError as failure:
        raise InputError(f"{path} cannot be written ({failure.strerror})") from None


def _as_csv(rows: Sequence[dict[str, Any]]) -> str:
    held = io.StringIO(newline="")
    writer = csv.DictWriter(held, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue()


def _as_lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
