"""Serving a run's model: rows in, answers out, in bounded memory."""

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from advisor.backend.answers import answers
from advisor.backend.devices import choose_device
from advisor.backend.predictor import Predictor, load_model, writes
from advisor.backend.prompted.keeping import kept_place
from advisor.backend.prompted.place import PROMPT_DETAILS
from advisor.backend.remote_code import allow
from advisor.data.columns import Columns
from advisor.data.formats import open_table
from advisor.data.prompts import read_prompt
from advisor.data.values import Unfit, as_text
from advisor.errors import DataError, InputError
from advisor.files import write_with
from advisor.plan.addresses import check_servers
from advisor.run.result import read_result
from advisor.tasks import TASKS, Input, Pair

_WORDS = re.compile(r"\w+|[^\w\s]")
_WINDOW = 2048
_NAMES = {"words": ["words"], "question": ["question", "context"], "prompt": ["prompt", "input"]}
Row = dict[str, Any]


class Field(NamedTuple):
    """A part of what a model reads: its name in answers, and the column of the training data it was in."""

    name: str
    column: str


@dataclass(frozen=True)
class ServedModel:
    """A run's model, and the parts of what it reads: one text, a pair, words, or a question with its context."""

    predictor: Predictor
    fields: tuple[Field, ...]

    def input(self, row: Row) -> Input:
        """Return what the model reads of a row."""
        parts = [row[field.name] for field in self.fields]
        if self.fields[0].name == "prompt":
            return _prompt(parts)
        if self.fields[0].name == "words":
            return tuple(parts[0])
        return Pair(*parts) if len(parts) == 2 else str(parts[0])


def open_model(
    run_folder: Path, *, trust_remote_code: bool = False, allowed_hosts: Collection[str] = ()
) -> ServedModel:
    """Load the model of a finished run.

    Args:
        run_folder: of the run.
        trust_remote_code: agreement that Python code that comes with the model runs.
        allowed_hosts: servers that texts may be sent to where a run that was not made here asks one.

    Raises:
        InputError: the folder holds no finished run, or its model needs code or a server that was not agreed to.
    """
    result = read_result(run_folder)
    prompt = run_folder / "model" / PROMPT_DETAILS
    if prompt.is_file():
        check_servers(str(run_folder), prompt.read_bytes(), [kept_place(prompt.parent)], allowed_hosts)
    if trust_remote_code:
        allow(run_folder / "model")
    columns = [str(result.data[name]) for name in ("text_column", "pair_column") if result.data.get(name)]
    reads = TASKS[result.task].reads
    names = _NAMES.get(reads, ["text", "text_pair"])
    fields = tuple(Field(name, column) for name, column in zip(names, columns, strict=False))
    return ServedModel(load_model(run_folder / "model", choose_device()), fields)


def predict_rows(model: ServedModel, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield every row with its answer, as `advisor.backend.answers` gives it."""
    rows, predictor = iter(rows), model.predictor
    while window := list(islice(rows, _WINDOW)):
        inputs = [model.input(row) for row in window]
        if writes(predictor):
            yield from (row | {"answer": text} for row, text in zip(window, predictor.write(inputs), strict=True))
            continue
        outputs = predictor.outputs(inputs)
        found = answers(predictor.task, outputs, inputs, predictor.labels, predictor.thresholds)
        for row, answer in zip(window, found, strict=True):
            yield row | answer


def argument_rows(model: ServedModel, texts: Sequence[str]) -> Iterator[Row]:
    """Yield rows of texts as typed: one a row, or two where the model reads pairs; words are split where they end.

    Raises:
        InputError: the last pair lacks its second text.
    """
    if model.fields[0].name == "prompt":
        yield from ({field.name: "" for field in model.fields} | {"prompt": text} for text in texts)
        return
    wanted = len(model.fields)
    if len(texts) % wanted:
        raise InputError(
            f"this model reads two texts a row ({', '.join(f.name for f in model.fields)}); give them in pairs"
        )
    for start in range(0, len(texts), wanted):
        row: Row = {field.name: text for field, text in zip(model.fields, texts[start : start + wanted], strict=True)}
        yield {"words": _WORDS.findall(row["words"])} if "words" in row else row


def read_rows(model: ServedModel, source: str, columns: Sequence[str | None]) -> Iterator[Row]:
    """Yield rows with what the model reads, from a file or, for ``-``, from JSON lines on stdin.

    Args:
        model: the model.
        source: a path, or ``-``; a ``.txt`` holds a text a line.
        columns: the column of each part as the user names it; the training data's column, or the part's own name,
            where None.

    Raises:
        DataError: a row cannot be read or lacks a part.
    """
    if source == "-":
        yield from _parts(model, _json_lines(sys.stdin), "stdin", columns)
    elif source.endswith(".txt"):
        for line in _plain_lines(Path(source)):
            yield from argument_rows(model, [line])
    else:
        table = open_table(Path(source))
        try:
            for field, column in zip(model.fields, columns, strict=False):
                if (
                    field.name != "input"
                    and table.columns
                    and not set(table.columns) & {column, field.column, field.name}
                ):
                    raise DataError(
                        f"{source}: no column named '{column or field.column}'; found: {', '.join(table.columns)}. "
                        "Name it by --text (and --pair for a second text)"
                    )
            named = ((number, _named(table.columns, values)) for number, values in table.rows)
            yield from _parts(model, named, source, columns)
        finally:
            table.close()


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


def _parts(
    model: ServedModel, rows: Iterable[tuple[int, Any]], source: str, columns: Sequence[str | None]
) -> Iterator[Row]:
    for number, row in rows:
        if isinstance(row, str):
            row = {model.fields[0].name: row}
        if not isinstance(row, dict):
            raise DataError(f"{source}: row {number} is neither a text nor an object")
        found: Row = {}
        for field, column in zip(model.fields, columns, strict=False):
            name = next((name for name in (column, field.column, field.name) if name in row), None)
            if name is None and field.name == "input":
                found[field.name] = ""
                continue
            value = row[name] if name else None
            if field.name == "words":
                value = _words(value)
            elif isinstance(value, bool | int | float):
                value = as_text(value)
            if not isinstance(value, str | list):
                raise DataError(
                    f"{source}: row {number} has no {'words' if field.name == 'words' else 'text'} in "
                    f"'{column or field.column}'; leave the row out, or name another column by --text "
                    "(and --pair for a second text)"
                )
            found[field.name] = value
        yield {**row, **found}


def _prompt(parts: Sequence[Any]) -> Input:
    """Return a prompt from a text, or messages up to the last answer, and from what its own column adds."""
    names, chat = _NAMES["prompt"], isinstance(parts[0], list)
    try:
        found = read_prompt(parts, Columns(0, (0,) if chat else (), 1 if len(parts) > 1 else None), names)
    except Unfit as unfit:
        raise DataError(unfit.text) from None
    if found is None:
        raise DataError("a prompt is empty; every row needs one")
    return found


def _words(value: Any) -> list[str] | None:
    """Return words given as a list, as a JSON list, or as text to be split."""
    if isinstance(value, str):
        if not value.startswith("["):
            return _WORDS.findall(value)
        try:
            value = json.loads(value)
        except ValueError:
            return _WORDS.findall(value)
    return [str(word) for word in value] if isinstance(value, list | tuple) else None


def _named(columns: Iterable[str], values: Iterable[Any]) -> Row:
    return {name: value for name, value in zip(columns, values, strict=True) if value is not None}


def _json_lines(stream: TextIO) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(stream, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                raise DataError(f"stdin: line {number} is not JSON") from None


def _plain_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                if line.strip():
                    yield line.rstrip("\r\n")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save it as UTF-8") from None
