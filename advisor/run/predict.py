"""Serving a run's model: rows in, answers out, in bounded memory."""

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from advisor.backend.answers import answers
from advisor.backend.devices import choose_device
from advisor.backend.predictor import Predictor, load_model, writes
from advisor.backend.prompted.details import kept_place
from advisor.backend.prompted.place import PROMPT_DETAILS
from advisor.backend.remote_code import allow
from advisor.data.columns import Columns
from advisor.data.formats import SUFFIXES, open_table
from advisor.data.formats.lines import TextFile
from advisor.data.formats.objects import json_lines, open_json
from advisor.data.formats.table import Table
from advisor.data.names import listed_names, shown
from advisor.data.prompts import read_prompt
from advisor.data.values import Unfit, as_list, required_text, whole_characters
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
    texts = list(map(whole_characters, texts))
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
    path = Path("stdin" if source == "-" else source)
    if path.suffix == ".txt":
        with closing(TextFile(path)) as file:
            for line in file.lines():
                if not line.isspace():
                    yield from argument_rows(model, [line.rstrip("\r\n")])
    elif source == "-" or SUFFIXES.get(path.suffix.lower()) == "jsonl":
        with closing(TextFile(path, sys.stdin.buffer if source == "-" else None)) as file:
            listed = file.first_line().lstrip().startswith("[")
            rows = _of_table(open_json(file, path, "list")) if listed else _of_lines(file)
            yield from _parts(model, rows, columns)
    else:
        with closing(open_table(path)) as table:
            yield from _parts(model, _of_table(table), columns)


def write_rows(rows: Iterator[Row], output: Path | None, stream: TextIO) -> None:
    """Write JSON lines to a file, whole or not at all, or to a stream as they come."""
    if output is None:
        for row in rows:
            stream.write(_as_json(row))
        stream.flush()
        return

    def fill(path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(map(_as_json, rows))

    write_with(output, fill)


def _as_json(row: Row) -> str:
    """Return a row as a line of JSON, which knows neither NaN nor half a character."""
    try:
        line = json.dumps(row, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        line = json.dumps(_without_nan(row), ensure_ascii=False, default=str)
    return f"{whole_characters(line)}\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _of_lines(file: TextFile) -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of every line."""
    return ((f"{file.path}: line {number}", value) for number, value in json_lines(file))


def _of_table(table: Table) -> Iterator[tuple[str, Row]]:
    """Yield the place and the fields of every row; what an object of a list does not have stays away."""
    for number, values in table.rows:
        fields = zip(table.columns, values, strict=True)
        row = {name: value for name, value in fields if value is not None or table.format != "json"}
        yield f"{table.path}: {table.unit} {number}", row


def _parts(model: ServedModel, rows: Iterable[tuple[str, Any]], columns: Sequence[str | None]) -> Iterator[Row]:
    for place, row in rows:
        if isinstance(row, str):
            row = {model.fields[0].name: row}
        if not isinstance(row, dict):
            raise DataError(f"{place}: neither a text nor an object")
        found: Row = {}
        for field, column in zip(model.fields, columns, strict=False):
            name = next((name for name in ([column] if column else [field.column, field.name]) if name in row), None)
            if name is not None:
                found[field.name] = _part(field, row[name], f"{place}: ", name)
            elif field.name == "input":
                found[field.name] = ""
            else:
                raise DataError(
                    f"{place}: no column named '{column or field.column}'; found: {listed_names(list(row))}. "
                    "Name it by --text (and --pair for a second text)"
                )
        yield {**row, **found}


def _part(field: Field, value: Any, place: str, column: str) -> Any:
    """Return a part of what the model reads: words, a chat's messages, or a text.

    Raises:
        DataError: the column holds something else, or nothing.
    """
    if field.name == "words" and isinstance(value, str | list | tuple):
        return _words(value)
    if value is None:
        raise DataError(f"{place}no text in {shown(column)}; leave the row out, or name another column by --text")
    if field.name == "prompt" and isinstance(value, list):
        return value
    try:
        return required_text(value, column, "a list of words" if field.name == "words" else "text")
    except Unfit as unfit:
        raise DataError(f"{place}{unfit}") from None


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


def _words(value: str | list[Any] | tuple[Any, ...]) -> list[str]:
    """Return words given as a list, as a JSON list, or as text to be split."""
    listed = as_list(value)
    return [whole_characters(str(word)) for word in listed] if listed is not None else _WORDS.findall(str(value))
