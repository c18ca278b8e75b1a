"""CSV and TSV files as tables."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from advisor.data.formats.lines import LONGEST_LINE, TextFile, and_more
from advisor.data.formats.table import Row, Table, refuse_duplicates
from advisor.errors import DataError


def open_separated(file: TextFile, path: Path, kind: str, header: str) -> Table:
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
    refuse_duplicates(columns, f"{path}: line {number}")
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
