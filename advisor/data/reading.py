"""Labelled texts, read from a file, a folder or the hub and checked: one text and one label a row."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

from advisor.data.checks import check_test, check_train, check_unique
from advisor.data.columns import Columns, find_columns, guess_task, listed_names, shown
from advisor.data.examples import Examples, LabelledData, Part
from advisor.data.formats import KNOWN, SUFFIXES, Table, open_table
from advisor.data.values import as_text, canonical, other_task, refuse, whole_characters
from advisor.errors import DataError
from advisor.tasks import Input, Label

__all__ = ["DataSource", "Examples", "LabelledData", "Part", "load_labelled"]

_SAMPLE = 1000
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(/[\w.-]+){0,2}")
_NO_DATA_NAMES = {"meta", "metadata", "config", "dataset_info", "dataset_infos", "package", "state"}


@dataclass(frozen=True)
class DataSource:
    """Where labelled data are.

    Attributes:
        path: a file, a folder with ``train.*`` and perhaps ``test.*``, or a Hugging Face id
            ``owner/name[/config[/split]]``.
        test: a file with test rows; wins over the folder's own.
        text_column: name of the text column, or of the first text of a pair; found where ``None``.
        label_column: name of the label column; found where ``None``.
        pair_column: name of the column of a pair's second text; found where ``None``.
    """

    path: str | Path
    test: Path | None = None
    text_column: str | None = None
    label_column: str | None = None
    pair_column: str | None = None


def load_labelled(source: DataSource, task: str | None = None) -> LabelledData:
    """Read and check labelled data.

    Labels become text: whole numbers without a fraction, truth values ``true`` and ``false``; ``None``,
    ``NA`` and the like written as text stay labels. Rows without a label are kept as unlabelled texts.

    Raises:
        DataError: something is wrong with the files; one sentence with file and place.
        InputError: the hub cannot be asked.
    """
    train_path, test_path = _locate(source)
    if isinstance(train_path, str):
        from advisor.data.hub import hub_tables

        table, test_table = hub_tables(train_path)
    else:
        table, test_table = open_table(train_path), None
    part, text_column, label_column = _read(table, source.text_column, source.label_column)
    check_train(part, label_column)
    if test_path is not None:
        test_table = open_table(test_path)
    if test_table is None:
        check_unique(part, label_column)
        return LabelledData(part, None, text_column, label_column)
    known = test_table.columns
    test, *_ = _read(
        test_table,
        text_column if text_column in known else source.text_column,
        label_column if label_column in known else source.label_column,
    )
    check_test(part, test, label_column)
    return LabelledData(part, test, text_column, label_column)


def _locate(source: DataSource) -> tuple[Path | str, Path | None]:
    """Return the training file, or a hub id as ``str``, and the test file."""
    name = str(source.path)
    path = Path(source.path)
    test = Path(source.test) if source.test is not None else None
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise DataError(f"{shown(name)[1:-1]}: cannot be read ({reason})") from None
    if not exists and path.suffix.lower() not in SUFFIXES and _HUB_ID.fullmatch(name):
        return name, test
    if not is_folder:
        return path, test
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    except OSError as failure:
        raise DataError(f"{path}: the folder cannot be read ({failure.strerror})") from None
    train = _one_of(path, files, "train")
    if train is None:
        others = [file for file in files if file.stem.lower() not in _NO_DATA_NAMES]
        if len(others) != 1 or others[0].stem.lower() == "test":
            held = f"; it holds {', '.join(file.name for file in files[:6])}" if files else ""
            raise DataError(f"{path}: a folder without train.* ({KNOWN} can be read){held}")
        train = others[0]
    return train, test or _one_of(path, files, "test")


def _one_of(folder: Path, files: list[Path], stem: str) -> Path | None:
    found = [file for file in files if file.stem.lower() == stem]
    if len(found) > 1:
        raise DataError(f"{folder}: both {found[0].name} and {found[1].name}; keep one, or name the file itself")
    return found[0] if found else None


def _read(table: Table, text: str | None, label: str | None) -> tuple[Part, str, str]:
    """Read all rows of a table; return them with the names of the text and the label column."""
    try:
        head = list(islice(table.rows, _SAMPLE))
        if not head:
            found = "only a header, no rows" if table.format in {"csv", "tsv"} else "no rows"
            raise DataError(f"{table.path}: {found}; at least two labelled rows are needed")
        sample = [values for _, values in head]
        task = guess_task(table.columns, sample) if text is None or label is None else "text-classification"
        if task not in {"text-classification", "regression"}:
            raise other_task(table, task, f"columns {listed_names(table.columns, 6)}")
        columns = find_columns(table.columns, sample, str(table.path), text, label)
        part = _collect(table, chain(head, table.rows), columns)
    finally:
        table.close()
    return part, table.columns[columns.text], table.columns[columns.label]


def _collect(table: Table, rows: Iterable[tuple[int, Any]], columns: Columns) -> Part:
    texts: list[str] = []
    labels: list[str] = []
    numbers: list[int] = []
    without_text: list[int] = []
    unlabelled: list[str] = []
    unlabelled_rows: list[int] = []
    as_written: dict[str, str] = {}
    at_text, at_label = columns.text, columns.label
    escapes = table.format in {"json", "jsonl"}
    rows = iter(rows)
    for number, values in rows:
        text, label = values[at_text], values[at_label]
        if type(text) is not str:
            text = as_text(text)
            if text is None:
                refuse(table, at_text, number, values[at_text], rows, label=False)
        if type(label) is not str:
            label = as_text(label)
            if label is None:
                refuse(table, at_label, number, values[at_label], rows, label=True)
        if escapes and not text.isascii():
            text = whole_characters(text)
        if not text or text.isspace():
            without_text.append(number)
            continue
        known = as_written.get(label)
        if known is None:
            known = as_written[label] = whole_characters(label.strip())
        if not known:
            unlabelled.append(text)
            unlabelled_rows.append(number)
            continue
        texts.append(text)
        labels.append(known)
        numbers.append(number)
    rewritten = canonical({name for name in as_written.values() if name})
    if rewritten:
        labels = [rewritten.get(name, name) for name in labels]
    digest = _rows_digest(texts, labels) if table.format == "hub" else table.sha256()
    return Part(
        path=str(table.path),
        format=table.format,
        unit=table.unit,
        columns=table.columns,
        sha256=digest,
        examples=Examples(cast("list[Input]", texts), cast("list[Label]", labels), numbers),
        without_text=without_text,
        unlabelled=unlabelled,
        unlabelled_rows=unlabelled_rows,
    )


def _rows_digest(texts: list[str], labels: list[str]) -> str:
    digest = hashlib.sha256()
    for pair in zip(texts, labels, strict=True):
        digest.update(json.dumps(pair, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    return digest.hexdigest()
