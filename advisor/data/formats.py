"""File formats: each opens as a `Table` of columns and rows that are read once, in order."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NoReturn

from advisor.data.lines import LONGEST_LINE, TextFile, and_more, open_regular
from advisor.errors import DataError
from advisor.files import sha256_of

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
KNOWN = "CSV, TSV, JSONL, JSON and Parquet"
_LARGEST_DOCUMENT = 256 << 20
_ROWS_FOR_KEYS = 1000

Row = tuple[int, Sequence[Any]]


@dataclass
class Table:
    """Rows with named columns, read lazily from one file.

    Attributes:
        path: the file, for messages.
        format: ``csv``, ``tsv``, ``jsonl``, ``json``, ``parquet`` or ``hub``.
        unit: what a row's number counts: ``line`` of the file or ``row`` from 1.
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


def open_table(path: Path) -> Table:
    """Open a data file by its suffix; JSON by what it begins with.

    Raises:
        DataError: an unknown suffix, or a file that cannot be read; reading ``rows`` raises it for a bad row.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind == "parquet":
        return _parquet(path)
    file = TextFile(path)
    try:
        if kind is None:
            ending = f"'{path.suffix}' is no known ending" if path.suffix else "the name has no ending"
            raise DataError(f"{path}: {ending}; {KNOWN} can be read")
        first = file.first_line().lstrip()
        if kind in {"json", "jsonl"}:
            if kind == "json" and first.startswith("{") and not first.rstrip().endswith("}"):
                raise DataError(f"{path}: one JSON object over several lines; a list of objects is needed")
            return _json(file, path, as_list=first.startswith("["))
        return _separated(file, path, kind, first)
    except BaseException:
        file.close()
        raise


def _separated(file: TextFile, path: Path, kind: str, header: str) -> Table:
    """Open CSV or TSV; the separator is the commonest of tab, comma and semicolon in the header."""
    counts = Counter(character for character in re.sub(r'"[^"]*"', "", header) if character in ",;\t")
    usual = "\t" if kind == "tsv" else ","
    separator = max("\t,;", key=lambda candidate: (counts[candidate], candidate == usual))
    records = _records(file, path, separator)
    number, names = next(records, (0, [""]))
    if number == 0:
        raise DataError(f"{path}: the file has only blank lines; a header and labelled rows are needed")
    columns = [name.strip() for name in names]
    while len(columns) > 1 and not columns[-1]:
        columns.pop()
    _refuse_duplicates(columns, f"{path}: line {number}")
    rows = _of_equal_width(records, path, len(columns), separator)
    return Table(path, "tsv" if separator == "\t" else "csv", "line", columns, rows, file.sha256, file.close)


def _records(file: TextFile, path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the line it begins on."""
    reader = csv.reader(file.lines(), delimiter=separator, strict=True)
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    start = 1
    try:
        for record in reader:
            if record and (len(record) > 1 or record[0].strip()):
                yield start, record
            start = file.line + 1
    except csv.Error as failure:
        _explain_csv(failure, path, start, file.line)


def _explain_csv(failure: csv.Error, path: Path, start: int, line: int) -> NoReturn:
    message = str(failure)
    place = f"{path}: line {start}"
    if "unexpected end" in message:
        raise DataError(
            f'{place}: a quote (") opened here is never closed; close it, or double it inside a text'
        ) from None
    if "expected after" in message:
        field = "field" if line == start else f"field, opened here, closes on line {line} and"
        raise DataError(
            f'{place}: a quoted {field} is followed by more text; write "" for a quote inside quotes'
        ) from None
    if "field larger" in message:
        cause = "" if line == start else '; a quote (") opened here is probably never closed'
        raise DataError(f"{place}: a field of more than {LONGEST_LINE >> 20} MB{cause}") from None
    if "new-line character" in message:
        raise DataError(f"{place}: a bare carriage return outside quotes; put that text in quotes") from None
    raise DataError(f"{place}: broken CSV ({message})") from None


def _of_equal_width(records: Iterator[tuple[int, list[str]]], path: Path, width: int, separator: str) -> Iterator[Row]:
    """Yield records as wide as the header; empty fields beyond it are dropped."""
    for number, record in records:
        if len(record) == width:
            yield number, record
        elif len(record) > width and not any(record[width:]):
            yield number, record[:width]
        elif len(record) == 1 and width > 1 and not record[0].strip():
            continue
        else:
            count = 1 + sum(len(other) < width or any(other[width:]) for _, other in records)
            name = {",": "commas", ";": "semicolons", "\t": "tabs"}[separator]
            advice = f"; a text with {name} in it must stand in quotes" if len(record) > width else ""
            raise DataError(
                f"{path}: line {number}: {len(record)} field{'s' if len(record) > 1 else ''}, "
                f"the header has {width}{and_more(count, 'row')}{advice}"
            )


def _json(file: TextFile, path: Path, *, as_list: bool) -> Table:
    items = _listed(file, path) if as_list else _one_a_line(file, path)
    unit = "row" if as_list else "line"
    head = list(islice(items, _ROWS_FOR_KEYS))
    columns = list(dict.fromkeys(chain.from_iterable(item for _, item in head)))
    rows = ((number, [item.get(name) for name in columns]) for number, item in chain(head, items))
    return Table(path, "json" if as_list else "jsonl", unit, columns, rows, file.sha256, file.close)


def _one_a_line(file: TextFile, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = file.lines()
    for line in lines:
        if line.isspace():
            continue
        try:
            item = _as_object(_parse(line.rstrip(), path, file.line), f"{path}: line {file.line}")
        except DataError as first:
            count = 1 + sum(not _is_object(other, path) for other in lines if not other.isspace())
            raise DataError(f"{first}{and_more(count, 'line')}") from None
        yield file.line, item


def _listed(file: TextFile, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    items = _parse(file.read(_LARGEST_DOCUMENT), path, None)
    for number, item in enumerate(items, 1):
        yield number, _as_object(item, f"{path}: row {number}")


def _parse(text: str, path: Path, line: int | None) -> Any:
    """Parse JSON; ``line`` is the text's place in the file, ``None`` where the text is the whole file."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as failure:
        column = failure.pos + 1 if line else failure.colno
        place = f"line {line or failure.lineno}, column {column}"
        reason = failure.msg[:1].lower() + failure.msg[1:]
        raise DataError(f"{path}: {place}: not valid JSON ({reason})") from None
    except _DuplicateKey as failure:
        place = f" line {line}:" if line else ""
        raise DataError(f"{path}:{place} the key '{failure}' stands twice in one object") from None
    except (ValueError, RecursionError) as failure:
        reason = "nested too deeply" if isinstance(failure, RecursionError) else "a number with too many digits"
        raise DataError(f"{path}: line {line or 1}: JSON that cannot be read ({reason})") from None


class _DuplicateKey(Exception):
    """An object names a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _DuplicateKey(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _is_object(line: str, path: Path) -> bool:
    try:
        return isinstance(_parse(line, path, 1), dict)
    except DataError:
        return False


def _as_object(item: Any, place: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(item), "a number")
        raise DataError(f'{place}: {kind} where an object such as {{"text": "…", "label": "…"}} is needed')
    return item


def _parquet(path: Path) -> Table:
    open_regular(path).close()
    import pyarrow as pa
    from pyarrow import parquet

    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty")
    try:
        file = parquet.ParquetFile(path)
        columns = list(file.schema_arrow.names)
        names = class_names(file.schema_arrow.metadata or {})
    except (pa.ArrowException, OSError, ValueError) as failure:
        raise DataError(f"{path}: damaged, or not a Parquet file ({_first_words(failure)})") from None
    _refuse_duplicates(columns, str(path))

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in file.iter_batches(batch_size=1024):
                values = [
                    with_names(column.to_pylist(), names.get(name))
                    for name, column in zip(columns, batch.columns, strict=True)
                ]
                for row in zip(*values, strict=True):
                    number += 1
                    yield number, row
        except (pa.ArrowException, OSError, ValueError, OverflowError) as failure:
            raise DataError(f"{path}: damaged after row {number:,} ({_first_words(failure)})") from None

    return Table(path, "parquet", "row", columns, rows(), lambda: sha256_of(path), file.close)


def class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Return the class names that Hugging Face's ``datasets`` leaves in a Parquet file, by column."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def with_names(values: list[Any], names: list[str] | None) -> list[Any]:
    """Put class names for class numbers; -1 stands for no label."""
    if names is None:
        return values
    return [
        (names[value] if 0 <= value < len(names) else None if value == -1 else value)
        if isinstance(value, int)
        else value
        for value in values
    ]


def _refuse_duplicates(columns: list[str], place: str) -> None:
    twice = [name for name, count in Counter(columns).items() if count > 1 and name]
    if twice:
        raise DataError(f"{place}: the column name '{twice[0]}' stands twice; rename one")


def _first_words(failure: BaseException) -> str:
    text = str(failure).splitlines()[0].strip() if str(failure) else type(failure).__name__
    return text.rstrip(".")[:120]
