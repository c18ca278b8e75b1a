"""Serving a run's model: texts in, labels and probabilities out, in bounded memory."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from advisor.backend.devices import choose_device
from advisor.backend.predictor import Predictor, load_model
from advisor.data.formats import open_table
from advisor.errors import DataError, InputError
from advisor.files import write_with
from advisor.run.result import read_result

_WINDOW = 2048
Row = dict[str, Any]


@dataclass(frozen=True)
class ServedModel:
    """A run's model, and the text column of its training data."""

    predictor: Predictor
    text_column: str


def open_model(run_folder: Path) -> ServedModel:
    """Load the model of a finished run.

    Raises:
        InputError: the folder holds no finished run.
    """
    result = read_result(run_folder)
    return ServedModel(load_model(run_folder / "model", choose_device()), str(result.data["text_column"]))


def predict_rows(model: ServedModel, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield every row with ``label``, ``probability`` and ``probabilities``; ``text`` is what is read."""
    rows = iter(rows)
    labels = model.predictor.labels
    while window := list(islice(rows, _WINDOW)):
        probabilities = model.predictor.outputs([row["text"] for row in window])
        for row, found in zip(window, probabilities, strict=True):
            best = int(found.argmax())
            yield row | {
                "label": labels[best],
                "probability": round(float(found[best]), 6),
                "probabilities": {label: round(float(p), 6) for label, p in zip(labels, found, strict=True)},
            }


def read_rows(source: str, text_column: str | None, trained_on: str) -> Iterator[Row]:
    """Yield rows with a ``text``, from a file or, for ``-``, from JSON lines on stdin.

    Args:
        source: a path, or ``-``.
        text_column: where the text is; the training data's column, ``text``, or a sole column if left out.
        trained_on: name of that column.

    Raises:
        DataError: a row cannot be read or has no text.
    """
    if source == "-":
        yield from _texts(_json_lines(sys.stdin), "stdin", text_column, trained_on)
    elif source.endswith(".txt"):
        yield from _plain_lines(Path(source))
    else:
        table = open_table(Path(source))
        try:
            _insist(table.columns, source, (text_column, trained_on, "text"))
            named = ((number, _named(table.columns, values)) for number, values in table.rows)
            yield from _texts(named, source, text_column, trained_on)
        finally:
            table.close()


def _insist(columns: list[str], source: str, wanted: tuple[str | None, ...]) -> None:
    if columns and not set(columns) & set(wanted):
        name = next(name for name in wanted if name)
        raise DataError(f"{source}: no column named '{name}'; found: {', '.join(columns)}. Name it by --text")


def write_rows(rows: Iterator[Row], output: Path | None, stream: TextIO) -> None:
    """Write JSON lines to a file, whole or not at all, or to a stream as they come."""
    if output is None:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        stream.flush()
        return

    def fill(path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")

    write_with(output, fill)


def _texts(rows: Iterable[tuple[int, Any]], source: str, text_column: str | None, trained_on: str) -> Iterator[Row]:
    for number, row in rows:
        if isinstance(row, str):
            row = {"text": row}
        name = next((name for name in (text_column, trained_on, "text") if name in row), None)
        if name is None or not isinstance(row[name], str):
            wanted = text_column or trained_on
            raise DataError(f"{source}: row {number} has no text in '{wanted}'; name the column by --text")
        yield {**row, "text": row[name]}


def _named(columns: Iterable[str], values: Iterable[Any]) -> Row:
    return {name: value for name, value in zip(columns, values, strict=True) if value is not None}


def _json_lines(stream: TextIO) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(stream, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                raise DataError(f"stdin: line {number} is not JSON") from None


def _plain_lines(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                if line.strip():
                    yield {"text": line.rstrip("\r\n")}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save it as UTF-8") from None
