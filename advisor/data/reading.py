"""Labelled data, read from a file, a folder or the hub and checked."""

import re
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from advisor.data.checks import check_test, check_train, check_unique
from advisor.data.collecting import collect, collect_texts, other_task
from advisor.data.columns import find_columns
from advisor.data.content import column
from advisor.data.examples import Examples, LabelledData, Part
from advisor.data.formats import KNOWN, SUFFIXES, open_table
from advisor.data.formats.table import Table
from advisor.data.guess import guess_task
from advisor.data.inputs import input_reader
from advisor.data.labels import label_reader, separator_of, spells_lists
from advisor.data.names import Wanted, joined, listed_names, several, shown
from advisor.errors import DataError
from advisor.settings import load_settings
from advisor.tasks import TASKS

__all__ = ["DataSource", "Examples", "LabelledData", "Part", "load_labelled"]

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(/[\w.-]+){0,2}")
_NO_DATA_NAMES = {"meta", "metadata", "config", "dataset_info", "dataset_infos", "package", "state"}


class DataSource(NamedTuple):
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


def load_labelled(source: DataSource, task: str | None = None, *, labels_needed: bool = True) -> LabelledData:
    """Read and check labelled data of a task.

    Classes become text: whole numbers without a fraction, truth values ``true`` and ``false``; ``None``, ``NA`` and
    the like written as text stay labels. Tags become BIO. Rows without a label are kept as unlabelled texts; an empty
    list is the label of a row to which no class applies, or whose context holds no answer.

    Args:
        source: where they are.
        task: a key of `TASKS`; guessed from the columns if left out.
        labels_needed: whether rows with a label must be there; else texts alone are data, too.

    Raises:
        DataError: something is wrong with the files; one sentence with file and place.
        InputError: the hub cannot be asked.
    """
    train_path, test_path = _locate(source)
    wanted = Wanted(source.text_column, source.pair_column, source.label_column)
    if isinstance(train_path, str):
        from advisor.data.formats.hub import hub_tables

        table, test_table = hub_tables(train_path)
    else:
        table, test_table = open_table(train_path), None
    train = _read(table, task, wanted, labels_needed=labels_needed)
    label = train.columns.label or ""
    checked = labels_needed or bool(train.part.examples) or not train.part.unlabelled
    if checked:
        check_train(train.task, train.part, label)
    if test_path is not None:
        test_table = open_table(test_path)
    if test_table is None:
        if checked:
            check_unique(train.task, train.part, label)
        return _labelled(train, None)
    test = _read(test_table, train.task, _of_test(train, test_table, wanted), train.written).part
    if checked:
        check_test(train.task, train.part, test, label)
    return _labelled(train, test)


class _Reading(NamedTuple):
    """One file as read: its task, the names of the columns used, and some labels as they are written."""

    task: str
    part: Part
    columns: Wanted
    written: list[Any]


def _labelled(train: _Reading, test: Part | None) -> LabelledData:
    text, pair, label = train.columns
    return LabelledData(train.part, test, text or "", label or "", train.task, pair)


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
    if not exists and "://" in name:
        raise DataError(f"{shown(name)[1:-1]}: an address, and data are read from files; download it first")
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


def _of_test(train: _Reading, table: Table, wanted: Wanted) -> Wanted:
    """Return the columns to look for in a test file: the training file's where it has them."""
    return Wanted(
        *(
            used if used is not None and (used in table.columns or several(table.columns, used)) else named
            for used, named in zip(train.columns, wanted, strict=True)
        )
    )


def _read(
    table: Table,
    task: str | None,
    wanted: Wanted,
    written: list[Any] | None = None,
    *,
    labels_needed: bool = True,
) -> _Reading:
    """Read all rows of a table; ``written`` as in `label_reader`, by default this table's own labels."""
    try:
        head = list(islice(table.rows, int(load_settings("reading.yaml")["guessed_from"])))
        if not head:
            found = "only a header, no rows" if table.format in {"csv", "tsv"} else "no rows"
            raise DataError(f"{table.path}: {found}; at least two labelled rows are needed")
        sample = [values for _, values in head]
        task = _task(table, sample, task, wanted)
        columns = find_columns(task, table.columns, sample, str(table.path), wanted, labels_needed=labels_needed)
        rows = chain(head, table.rows)
        names = [table.columns[place] for place in columns.labels]
        used = Wanted(
            table.columns[columns.text],
            None if columns.pair is None else table.columns[columns.pair],
            joined(names) if names else None,
        )
        read_input = input_reader(task, columns, table.columns)
        if not names:
            return _Reading(task, collect(task, table, rows, read_input, lambda row, one: None), used, [])
        if written is None:
            written = column(sample, columns.labels[0])
        if task == "text-classification":
            return _Reading(task, collect_texts(table, rows, columns), used, written)
        if (
            task == "multi-label"
            and len(names) == 1
            and written
            and not (spells_lists(written) or separator_of(written))
        ):
            raise other_task(table.path, "text-classification", f"one label a row in column {shown(names[0])}", task)
        part = collect(task, table, rows, read_input, label_reader(task, columns, table.columns, written))
        return _Reading(task, part, used, written)
    finally:
        table.close()


def _task(table: Table, sample: list[Any], task: str | None, wanted: Wanted) -> str:
    """Return the task that is named, else the one that the columns look like.

    What was written may be judged: then the judgements are what there is to learn from.

    Raises:
        DataError: they look like a task that cannot be read, or, without columns named, like another than is named.
    """
    guess = guess_task(table.columns, sample, wanted)
    if {task, guess} == {"generation", "preference"}:
        if guess == "generation":
            raise other_task(table.path, guess, f"columns {listed_names(table.columns, 6)}", task)
        return guess
    if task is None or (task == "text-classification" and guess != "regression"):
        if guess != (task or guess) or guess not in TASKS:
            raise other_task(table.path, guess, f"columns {listed_names(table.columns, 6)}", task)
        return guess
    return task
