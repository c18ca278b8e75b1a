"""Rows that do not hold what their task needs are refused in one sentence with the file and the place."""

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.data.reading import DataSource, load_labelled
from advisor.errors import DataError
from advisor.tasks import TASKS
from tests.data_reading.test_bad_files import assert_one_sentence
from tests.task_samples import CONTEXT, LABELS, ROWS, write_rows


def asked(**changes: Any) -> dict[str, Any]:
    return {**ROWS["question-answering"][0], **changes}


def tagged(words: int, *tags: Any) -> dict[str, Any]:
    return {"tokens": ["w"] * words, "tags": list(tags)}


def labelled(label: Any) -> dict[str, Any]:
    return {"text": "a b", "label": label}


TAGGED, PAIRED, NUMBERED = ROWS["token-classification"], ROWS["pair-classification"], ROWS["regression"]

BAD: dict[str, tuple[str, list[dict[str, Any]], list[str]]] = {
    "tags are too few": (
        "token-classification",
        [*TAGGED, tagged(2, "O")],
        ["line 3: 2 words and 1 tag (column 'tags')"],
    ),
    "tags are too many": (
        "token-classification",
        [*TAGGED, tagged(1, "O", "O"), tagged(1, "X"), tagged(3, "O")],
        ["line 3 (and 1 more row): 1 word and 2 tags"],
    ),
    "parts of speech": (
        "token-classification",
        [tagged(2, "NOUN", "O")],
        ["line 1: the tag 'NOUN' is not BIO: O, B-type"],
    ),
    "empty tag": ("token-classification", [*TAGGED, tagged(2, "O", "")], ["line 3: an empty tag is not BIO"]),
    "tags without names": ("token-classification", [tagged(2, 0, 1)], ["line 1: numbers for tags without their names"]),
    "an object for tags": (
        "token-classification",
        [*TAGGED, {"tokens": ["a"], "tags": {"a": "O"}}],
        ["an object where a list of tags"],
    ),
    "a number for words": (
        "token-classification",
        [*TAGGED, {"tokens": 3, "tags": ["O"]}],
        ["'3' where a list of words"],
    ),
    "no entity": ("token-classification", [tagged(2, "O", "O"), tagged(1, "O")], ["no word is tagged: all 2 rows"]),
    "one label for tags": (
        "token-classification",
        [labelled("x")],
        ["looks like text-classification (one label a row"],
    ),
    "half a pair": (
        "pair-classification",
        [*PAIRED, {**PAIRED[0], "text_pair": " "}, {**PAIRED[0], "text": None}],
        ["line 4 (and 1 more row): column 'text_pair' is empty beside a text in 'text'", "a pair needs both"],
    ),
    "a pair of one class": ("pair-classification", PAIRED[:1] * 2, ["one class only", "'entailed'"]),
    "several labels of a pair": (
        "pair-classification",
        [*PAIRED, {**PAIRED[0], "label": ["a", "b"]}],
        ["this looks like multi-label (a list in column 'label', line 4)", "two texts and one label a row"],
    ),
    "no pair": ("pair-classification", ROWS["text-classification"], ["no second text of a pair; found: text, label"]),
    "fractions for classes": (
        "pair-classification",
        NUMBERED,
        ["line 1: the label '3.5' is a number with a fraction", "looks like regression", "two texts"],
    ),
    "fractions for classes of a text": (
        "text-classification",
        [labelled(1), labelled(0.5), labelled(0.25)],
        ["line 2: the label '0.5'", "1 more row", "regression"],
    ),
    "infinite": (
        "regression",
        [*NUMBERED, {**NUMBERED[0], "label": float("inf")}],
        ["line 4: 'inf' is not a finite number"],
    ),
    "not a number": (
        "regression",
        [*NUMBERED, {**NUMBERED[0], "label": float("nan")}],
        ["line 4: 'nan' is not a finite"],
    ),
    "too large": (
        "regression",
        [*NUMBERED, {**NUMBERED[0], "label": 1e39}],
        ["line 4: '1e+39' is not a finite number"],
    ),
    "huge": ("regression", [*NUMBERED, {**NUMBERED[0], "label": 10**400}], ["line 4", "is not a finite number"]),
    "a word for a number": (
        "regression",
        [*NUMBERED, {**NUMBERED[0], "label": "high"}, {**NUMBERED[0], "label": True}],
        ["line 4 (and 1 more row): 'high' where a number is expected"],
    ),
    "a list for a number": (
        "regression",
        [*NUMBERED, {**NUMBERED[0], "label": [1]}],
        ["a list where a number is expected"],
    ),
    "one number": ("regression", NUMBERED[:1] * 2, ["one number only: all 2 rows have 3.5"]),
    "one label where several are wanted": (
        "multi-label",
        ROWS["text-classification"],
        ["looks like text-classification (one label a row in column 'label')", "a text and a list of labels a row"],
    ),
    "one label among lists": (
        "multi-label",
        [*ROWS["multi-label"], {"text": "a", "labels": "price"}],
        ["line 4: 'price' where a list of labels is expected"],
    ),
    "a list in a list": (
        "multi-label",
        [*ROWS["multi-label"], {"text": "a", "labels": [["a"]]}],
        ["a list where a label"],
    ),
    "one class in lists": (
        "multi-label",
        [{"text": "a", "labels": ["x"]}] * 2,
        ["one class only, 'x', in column 'labels'"],
    ),
    "no class in lists": ("multi-label", [{"text": "a", "labels": []}] * 2, ["no label in any row of column 'labels'"]),
    "keywords": (
        "multi-label",
        [{"text": "a", "labels": ["x", "y"]}, {"text": "b", "labels": ["z"]}],
        ["no label stands in two rows of column 'labels'"],
    ),
    "neither 0 nor 1": (
        "multi-label",
        [{"text": f"t {i}", "rude": i % 2, "loud": 1 - i % 2} for i in range(1000)]
        + [{"text": "a", "rude": 2, "loud": 0}],
        ["line 1001: '2' where 0 or 1 is expected (column 'rude')"],
    ),
    "several labels": (
        "text-classification",
        ROWS["multi-label"],
        ["looks like multi-label", "a text and one label a row"],
    ),
    "tags for a class": (
        "text-classification",
        TAGGED,
        ["this looks like token-classification (columns tokens, tags)"],
    ),
    "a pair for a text": ("text-classification", PAIRED, ["this looks like pair-classification"]),
    "answers for a class": ("text-classification", ROWS["question-answering"], ["this looks like question-answering"]),
    "an answer elsewhere": (
        "question-answering",
        [asked(), asked(answer_starts=[33])],
        ["line 2: the answer '1874' does not stand at character 33 of the context but at 34; places count characters"],
    ),
    "an answer at one of several places": (
        "question-answering",
        [asked(), asked(answers=["in"], answer_starts=[52])],
        ["line 2: the answer 'in' does not stand at character 52 of the context but at 54, and at 1 more; places"],
    ),
    "an answer in other letters": (
        "question-answering",
        [asked(), asked(answers=["aare"], answer_starts=None)],
        ["line 2: the answer 'aare' does not stand in the context; 'Aare' does, an answer is copied as it stands"],
    ),
    "an answer nowhere": (
        "question-answering",
        [asked(), asked(answers=["1999"])],
        ["line 2: the answer '1999' does not stand at character 34 of the context, nor anywhere in it"],
    ),
    "an answer without a place, nowhere": (
        "question-answering",
        [asked(), asked(answers="1999", answer_starts=None)],
        ["line 2: the answer '1999' does not stand in the context"],
    ),
    "an answer before the context": ("question-answering", [asked(), asked(answer_starts=[-28])], ["at character -28"]),
    "a place that is none": (
        "question-answering",
        [asked(answer_starts=["x"])],
        ["'x' where the place of an answer's first"],
    ),
    "more answers than places": ("question-answering", [asked(answers=["1874"] * 2)], ["2 answers and 1 starts"]),
    "an empty answer": ("question-answering", [asked(answers=[" "])], ["line 1: an empty answer"]),
    "a question without a context": (
        "question-answering",
        [asked(context="")],
        ["column 'context' is empty beside a text in"],
    ),
    "no answers": ("question-answering", [asked(answers=[], answer_starts=[])] * 2, ["no answer in all 2 rows"]),
    "no question": (
        "question-answering",
        ROWS["text-classification"],
        ["no column named 'question'; found: text, label"],
    ),
}


def message_of(source: DataSource, task: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        load_labelled(source, task)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize("name", BAD)
def test_bad_rows(name: str, tmp_path: Path) -> None:
    task, rows, parts = BAD[name]
    path = write_rows(tmp_path / "a.jsonl", rows)
    message = message_of(DataSource(path), task)
    assert_one_sentence(message, path)
    for part in parts:
        assert part in message


@pytest.mark.parametrize("task", TASKS)
def test_no_labels_at_all(task: str, tmp_path: Path) -> None:
    rows = [{name: None if name in LABELS else value for name, value in row.items()}
            for row in ROWS[task]]  # fmt: skip
    path = write_rows(tmp_path / "a.jsonl", rows)
    message = message_of(DataSource(path), task)
    assert_one_sentence(message, path)
    assert f"is empty in all {len(rows)} rows" in message


@pytest.mark.parametrize("task", TASKS)
def test_nothing_to_read_at_all(task: str, tmp_path: Path) -> None:
    rows = [{name: value if name in LABELS else None for name, value in row.items()}
            for row in ROWS[task]]  # fmt: skip
    path = write_rows(tmp_path / "a.jsonl", rows)
    message = message_of(DataSource(path), task)
    assert_one_sentence(message, path)
    assert "no row has" in message


@pytest.mark.parametrize("task", TASKS)
def test_a_test_file_without_labels(task: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", ROWS[task])
    bare = {name: None if name in LABELS else value for name, value in ROWS[task][0].items()}
    path = write_rows(tmp_path / "test.jsonl", [bare])
    message = message_of(DataSource(tmp_path))
    assert_one_sentence(message, path)
    assert "a test set needs" in message


@pytest.mark.parametrize(
    ("task", "row", "told"),
    [
        ("multi-label", {"text": "a", "labels": ["price", "fit"]}, "label 'fit' not among the labels of"),
        ("pair-classification", {"text": "a", "text_pair": "b", "label": "odd"}, "label 'odd' not among the labels of"),
        (
            "token-classification",
            {"tokens": ["a", "b"], "tags": ["B-ORG", "I-ORG"]},
            "entity type 'ORG' not among the entity types of",
        ),
    ],
)
def test_labels_that_training_lacks(task: str, row: dict[str, Any], told: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", ROWS[task])
    path = write_rows(tmp_path / "test.jsonl", [ROWS[task][0], row])
    message = message_of(DataSource(tmp_path))
    assert_one_sentence(message, path)
    assert f"line 2: {told}" in message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Ada B-PER\nin\nRome B-LOC\nis\n", "line 2: one column where a word and its tag are needed (and 1 more line)"),
        ("Ada PER\n\nRome B-LOC\n", "line 1: the tag 'PER' is not BIO"),
        ("-DOCSTART- O\n\n# only = comments\n", "no rows"),
    ],
)
def test_bad_conll(content: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text(content, encoding="utf-8")
    message = message_of(DataSource(path))
    assert_one_sentence(message, path)
    assert told in message


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([3], "item 1 of 'data' is not an object"),
        ([{"paragraphs": {}}], "item 1 of 'data': 'paragraphs' is not a list of objects"),
        (
            [{"paragraphs": []}, {"paragraphs": [{"context": CONTEXT}]}],
            "item 2 of 'data': 'qas' is not a list of objects",
        ),
        ([], "no rows"),
    ],
)
def test_bad_squad(data: list[Any], told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"version": 1.1, "data": data}), encoding="utf-8")
    message = message_of(DataSource(path))
    assert_one_sentence(message, path)
    assert told in message


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"pair_column": "hypotesis"},
            "no column named 'hypotesis'; found: premise, hypothesis, label. Try --pair hyp",
        ),
        ({"text_column": "premise", "pair_column": "premise"}, "'premise' cannot be both texts of a pair"),
    ],
)
def test_pairs_named_wrongly(columns: dict[str, str], told: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.csv", [{"premise": "a", "hypothesis": "b", "label": "x"}])
    message = message_of(DataSource(path, **columns))
    assert_one_sentence(message, path)
    assert told in message
