"""Data without a single label: what is read, what is still taken for a lost column of labels, and sheets to fill in."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.data.reading import DataSource, LabelledData, load_labelled
from advisor.data.sheet import Waiting, check_sheet, write_sheet
from advisor.errors import DataError, InputError
from advisor.tasks import TASKS, Chat, Message, Pair
from tests.task_samples import LABELS, ROWS, write_rows

TEXTS = [{"id": n, "text": f"some words of text {n}"} for n in range(8)]


def read(path: Path, rows: list[dict[str, Any]], task: str | None = None, **named: Any) -> LabelledData:
    return load_labelled(DataSource(write_rows(path, rows), **named), task, labels_needed=False)


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_column_of_labels(task: str, tmp_path: Path) -> None:
    rows = [{name: None if name in LABELS else value for name, value in row.items()} for row in ROWS[task]]
    found = read(tmp_path / "a.jsonl", rows, task)
    assert (found.task, len(found.train), len(found.unlabelled)) == (task, 0, len(rows))
    assert found.train_part.unlabelled_rows == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("row", "task", "text"),
    [
        ({"text": "ab cd"}, "text-classification", "ab cd"),
        ({"title": "ab cd", "no": 1}, "text-classification", "ab cd"),
        ({"text": "ab", "text_pair": "cd"}, "pair-classification", "ab\ncd"),
    ],
)
def test_no_column_of_labels(row: dict[str, Any], task: str, text: str, tmp_path: Path) -> None:
    rows = [{name: f"{value} {n}" for name, value in row.items()} for n in range(4)]
    found = read(tmp_path / "a.csv", rows)
    assert (found.task, found.label_column, len(found.train)) == (task, "", 0)
    assert found.unlabelled[0] == "\n".join(f"{part} 0" for part in text.split("\n"))


@pytest.mark.parametrize("columns", [{"mood": "ab", "place": "xxyy"}, {"mood": [0.5, 1.25]}, {"mood": [["a"], ["b"]]}])
def test_what_could_be_labels_is_not_passed_over(columns: dict[str, Any], tmp_path: Path) -> None:
    rows = [row | {name: values[n % len(values)] for name, values in columns.items()} for n, row in enumerate(TEXTS)]
    with pytest.raises(DataError, match=r"no column named 'label'.*no row has one yet, add an empty column label"):
        read(tmp_path / "a.jsonl", rows)


def test_a_column_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column named 'mood'"):
        read(tmp_path / "a.csv", TEXTS, label_column="mood")


def test_where_labels_are_needed_nothing_changes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column named 'label'; found: id, text\. Try [^;]*$"):
        load_labelled(DataSource(write_rows(tmp_path / "a.csv", TEXTS)))


def test_a_test_file_is_read_beside_them(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.csv", TEXTS)
    write_rows(tmp_path / "test.csv", [{"text": "some words of text 3", "label": "x"}])
    found = load_labelled(DataSource(tmp_path), labels_needed=False)
    assert found.test is not None
    assert (len(found.train), found.test.texts) == (0, ["some words of text 3"])


ODD = ["a, b", 'say "hi"', "two\nlines", "a\rb", " spaced ", "=1+1", "ünï 😀", "a;b", "\ttab"]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_sheet_is_filled_in_and_read(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"first.{ending}"
    write_sheet(path, [Waiting(3 * n, text) for n, text in enumerate(ODD)])
    bare = load_labelled(DataSource(path), labels_needed=False)
    assert (bare.label_column, bare.unlabelled) == ("label", ODD)
    if ending == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [int(row["row"]) for row in rows] == [3 * n for n in range(len(ODD))]
    filled = [row | {"label": "xy"[n % 2]} for n, row in enumerate(rows[:-1])] + rows[-1:]
    data = load_labelled(DataSource(write_rows(tmp_path / f"filled.{ending}", filled)))
    assert (data.task, data.train.texts, data.unlabelled) == ("text-classification", ODD[:-1], ODD[-1:])


def test_a_sheet_of_pairs(tmp_path: Path) -> None:
    write_sheet(tmp_path / "first.csv", [Waiting(2, Pair("a", "b")), Waiting(7, Pair("c", "d"))])
    found = load_labelled(DataSource(tmp_path / "first.csv"), labels_needed=False)
    assert (found.task, found.train_part.unlabelled) == ("pair-classification", [Pair("a", "b"), Pair("c", "d")])


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("sheet")
    texts = [f"x{text}x" for text in texts]
    for ending in ("csv", "jsonl"):
        write_sheet(folder / f"a.{ending}", [Waiting(n, text) for n, text in enumerate(texts)])
        assert load_labelled(DataSource(folder / f"a.{ending}"), labels_needed=False).unlabelled == texts


@pytest.mark.parametrize("one", [("a", "word"), Chat((Message("user", "hi"),))])
def test_what_no_table_holds_is_refused(one: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--json lists the rows to take"):
        write_sheet(tmp_path / "first.csv", [Waiting(1, one)])
    assert Waiting(1, one).as_dict()["row"] == 1
    assert not list(tmp_path.iterdir())


def test_a_sheet_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "first.csv").write_text("labels of a week")
    with pytest.raises(InputError, match="there already and may hold labels"):
        check_sheet(tmp_path / "first.csv")
    with pytest.raises(InputError, match=r"\.csv or \.jsonl"):
        check_sheet(tmp_path / "first.xlsx")
