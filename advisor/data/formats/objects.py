"""JSON and JSON Lines files of objects as tables."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from advisor.data.formats.lines import TextFile, and_more
from advisor.data.formats.squad import questions
from advisor.data.formats.table import Table
from advisor.data.values import whole_characters
from advisor.errors import DataError

_LARGEST_DOCUMENT = 256 << 20
_ROWS_FOR_KEYS = 1000


def open_json(file: TextFile, path: Path, layout: Literal["lines", "list", "nested"]) -> Table:
    """Open objects: one a line, in one list, or nested as in `advisor.data.formats.squad`."""
    items = _one_a_line(file, path) if layout == "lines" else _listed(file, path, nested=layout == "nested")
    unit = "line" if layout == "lines" else "question" if '"paragraphs"' in file.head else "row"
    head = list(islice(items, _ROWS_FOR_KEYS))
    keys = list(dict.fromkeys(chain.from_iterable(item for _, item in head)))
    rows = ((number, [item.get(key) for key in keys]) for number, item in chain(head, items))
    columns = [whole_characters(key) for key in keys]
    return Table(path, "jsonl" if layout == "lines" else "json", unit, columns, rows, file.sha256, file.close)


def json_lines(file: TextFile) -> Iterator[tuple[int, Any]]:
    """Yield the JSON value of every line that is not blank, with the line's number.

    Raises:
        DataError: a line that is no text or no JSON.
    """
    for line in file.lines():
        if not line.isspace():
            yield file.line, _parse(line.rstrip(), file.path, file.line)


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


def _listed(file: TextFile, path: Path, *, nested: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    document = _parse(file.read(_LARGEST_DOCUMENT), path, None)
    for number, item in enumerate(questions(document, path) if nested else document, 1):
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
