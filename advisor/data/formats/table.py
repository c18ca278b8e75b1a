"""A table: named columns, and rows that are read once, in order, each with its place."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import DataError

Row = tuple[int, Sequence[Any]]


@dataclass
class Table:
    """Rows with named columns, read lazily from one file.

    Attributes:
        path: the file, for messages.
        format: ``csv``, ``tsv``, ``jsonl``, ``json``, ``conll``, ``parquet`` or ``hub``.
        unit: what a row's number counts: ``line`` of the file, or ``row`` or ``question`` from 1.
        columns: names as written; a column without a name is ``""``.
        rows: ``(number, values)``, as many values as columns; ``None`` where a value is absent.
        sha256: of the file's bytes; call it when all rows are read.
        close: closes the file.
    """

    path: Path | str
    format: str
    unit: str
    columns: list[str]
    rows: Iterator[Row]
    sha256: Callable[[], str]
    close: Callable[[], None] = lambda: None


def refuse_duplicates(columns: list[str], place: str) -> None:
    """Refuse a table two of whose columns have one name.

    Raises:
        DataError: it is so.
    """
    twice = [name for name, count in Counter(columns).items() if count > 1 and name]
    if twice:
        raise DataError(f"{place}: the column name '{twice[0]}' stands twice; rename one")
