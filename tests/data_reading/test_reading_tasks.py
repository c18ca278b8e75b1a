"""Good data of every task and layout: the task is seen, inputs and labels are as meant."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from advisor.data.examples import Examples, LabelledData
from advisor.data.reading import DataSource, load_labelled
from advisor.errors import DataError
from advisor.tasks import TASKS, Answer, Demonstration, Pair, Preferred
from tests.task_samples import CONTEXT, LABELS, ROWS, write_rows

EXPECTED: dict[str, tuple[list[Any], list[Any]]] = {
    "text-classification": (["good, really", "not so good", "very good"], ["pos", "neg", "pos"]),
    "multi-label": (["slow and dear", "it is blue", "far too dear"], [("speed", "price"), (), ("price",)]),
    "pair-classification": (
        [
            Pair("a dog runs", "an animal moves"),
            Pair("a dog runs", "a cat sleeps"),
            Pair("the sun sets", "it gets dark"),
        ],
        ["entailed", "not", "entailed"],
    ),
    "regression": (
        [
            Pair("a dog runs", "an animal moves"),
            Pair("a dog runs", "a cat sleeps"),
            Pair("the sun sets", "it gets dark"),
        ],
        [3.5, 1.0, 4.25],
    ),
    "token-classification": (
        [("Ada", "Lovelace", "in", "Rome"), ("nobody", "there")],
        [("B-PER", "I-PER", "O", "B-LOC"), ("O", "O")],
    ),
    "question-answering": (
        [
            Pair("When was it built?", CONTEXT),
            Pair("When did it close?", CONTEXT),
            Pair("Who built it?", CONTEXT),
        ],
        [(Answer("1874", 34),), (Answer("1911", 57), Answer("in 1911", 54)), ()],
    ),
    "generation": (
        ["Name a colour of the sky", "Name a fruit that is red", "Name a river of France"],
        [Demonstration((text,)) for text in ("Blue, or grey on most days.", "A cherry.", "The Loire.")],
    ),
    "preference": (
        ["Name a colour of the sky", "Name a fruit that is red", "Name a river of France"],
        [
            Preferred("Blue, of course.", "No."),
            Preferred("A cherry.", "A lemon."),
            Preferred("The Loire.", "The Rhine, the Main and the Elbe."),
        ],
    ),
}


def read(path: Path, rows: list[dict[str, Any]], task: str | None = None, **columns: str) -> LabelledData:
    return load_labelled(DataSource(write_rows(path, rows), **columns), task)


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet"])
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_seen_and_read_from_every_format(task: str, ending: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / f"a.{ending}", ROWS[task])
    found = load_labelled(DataSource(path))
    assert found.task == task
    assert (found.train.inputs, found.train.labels) == EXPECTED[task]
    assert load_labelled(DataSource(path), task) == found
    named = DataSource(
        path, text_column=found.text_column, pair_column=found.pair_column, label_column=found.label_column
    )
    assert load_labelled(named, task) == found
    assert load_labelled(named).task == task


@pytest.mark.parametrize("task", TASKS)
def test_a_test_file_is_read_by_the_columns_of_the_training_file(task: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", ROWS[task])
    write_rows(tmp_path / "test.csv", ROWS[task][:1])
    found = load_labelled(DataSource(tmp_path))
    assert found.test is not None
    assert found.test.labels == found.train.labels[:1]
    assert found.test.inputs == found.train.inputs[:1]


def test_texts_are_what_is_read_as_one(tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl", ROWS["token-classification"]).train.texts == [
        "Ada Lovelace in Rome",
        "nobody there",
    ]
    assert read(tmp_path / "b.jsonl", ROWS["regression"]).train.texts[0] == "a dog runs\nan animal moves"
    train = read(tmp_path / "c.jsonl", ROWS["text-classification"]).train
    assert train.texts is train.inputs
    assert Examples().texts == []


def test_names_of_labels(tmp_path: Path) -> None:
    named = {task: read(tmp_path / f"{task}.jsonl", rows).label_names for task, rows in ROWS.items()}
    assert named == {
        "text-classification": ["neg", "pos"],
        "multi-label": ["price", "speed"],
        "pair-classification": ["entailed", "not"],
        "regression": [],
        "token-classification": ["O", "B-LOC", "B-PER", "I-PER"],
        "question-answering": [],
        "generation": [],
        "preference": [],
    }


def test_tags_of_the_test_file_have_names_too(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", ROWS["token-classification"])
    write_rows(tmp_path / "test.jsonl", [{"tokens": ["New", "York"], "tags": ["B-LOC", "I-LOC"]}])
    assert load_labelled(DataSource(tmp_path)).label_names == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (("premise", "hypothesis"), {}),
        (("sentence1", "sentence2"), {}),
        (("Question 1", "Question 2"), {}),
        (("query", "passage"), {}),
        (("left", "right"), {"text_column": "left", "pair_column": "right"}),
        (("sentence", "right"), {"pair_column": "right"}),
        (("text", "text_pair"), {"pair_column": "text_pair"}),
        (("premise", "hypothesis"), {"text_column": "premise"}),
    ],
)
def test_pairs_are_found(names: tuple[str, str], columns: dict[str, str], tmp_path: Path) -> None:
    rows = [{"id": i, names[0]: f"a {i}", names[1]: f"b {i}", "label": "xy"[i % 2]} for i in range(4)]
    found = read(tmp_path / "a.csv", rows, **columns)
    assert (found.task, found.text_column, found.pair_column) == ("pair-classification", *names)
    assert found.train.inputs[0] == Pair("a 0", "b 0")


def test_either_text_of_a_pair_can_be_classified_alone(tmp_path: Path) -> None:
    found = read(tmp_path / "a.jsonl", ROWS["pair-classification"], text_column="text_pair", label_column="label")
    assert (found.task, found.pair_column) == ("text-classification", None)
    assert found.train.inputs[0] == "an animal moves"


def test_numbers_for_one_text(tmp_path: Path) -> None:
    rows = [{"review": f"this is review {i}", "score": str(i / 2)} for i in range(6)]
    found = read(tmp_path / "a.csv", rows)
    assert (found.task, found.pair_column, found.label_column) == ("regression", None, "score")
    assert found.train.labels[:2] == [0.0, 0.5]


def test_whole_numbers_are_predicted_where_the_task_says_so(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": i % 3} for i in range(6)]
    assert read(tmp_path / "a.csv", rows).task == "text-classification"
    assert read(tmp_path / "a.csv", rows, "regression").train.labels == [0, 1, 2, 0, 1, 2]


def test_a_column_of_numbers_is_found_by_content(tmp_path: Path) -> None:
    rows = [{"words": f"some words of text {i}", "liking": 0.5 + i} for i in range(6)]
    assert read(tmp_path / "a.csv", rows, "regression").label_column == "liking"


@pytest.mark.parametrize("separator", [";", "|", ", "])
def test_labels_with_signs_between_them(separator: str, tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": separator.join(names)} for i, names in enumerate(["ab", "", "b", "ac", "a"])]
    found = read(tmp_path / "a.csv", rows, "multi-label")
    assert found.train.labels == [("a", "b"), ("b",), ("a", "c"), ("a",)]
    assert found.unlabelled == ["text 1"]


def test_the_training_file_says_what_stands_between_labels(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.csv", [{"text": f"t {i}", "label": "a, or b;c"} for i in range(3)])
    write_rows(tmp_path / "test.csv", [{"text": "u", "label": "a, or b"}])
    found = load_labelled(DataSource(tmp_path), "multi-label")
    assert found.test is not None
    assert found.test.labels == [("a, or b",)]


@pytest.mark.parametrize("label_column", [None, "rude,loud", "loud, rude"])
@pytest.mark.parametrize("yes", [1, 1.0, True])
def test_columns_of_zero_and_one(yes: Any, label_column: str | None, tmp_path: Path) -> None:
    no = type(yes)(0)
    flags = [(yes, no), (no, yes), (no, no), (yes, yes), (None, None)]
    rows = [{"id": f"x{i}", "text": f"t {i}", "rude": a, "loud": b} for i, (a, b) in enumerate(flags)]
    found = read(tmp_path / "a.jsonl", rows, **({"label_column": label_column} if label_column else {}))
    assert found.task == "multi-label"
    assert list(map(set, found.train.labels)) == [{"rude"}, {"loud"}, set(), {"rude", "loud"}]
    assert found.unlabelled == ["t 4"]
    again = DataSource(tmp_path / "a.jsonl", text_column="text", label_column=found.label_column)
    assert load_labelled(again, found.task) == found


def test_names_of_zero_one_columns_with_commas_survive(tmp_path: Path) -> None:
    rows = [{"text": f"t {i}", "rude, very": i % 2, "loud": 1 - i % 2} for i in range(4)]
    found = read(tmp_path / "a.csv", rows)
    assert found.label_names == ["loud", "rude, very"]
    again = DataSource(tmp_path / "a.csv", text_column="text", label_column=found.label_column)
    assert load_labelled(again, found.task) == found


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("['a', 'b']", ("a", "b")),
        ('["a", "a", " b "]', ("a", "b")),
        ("('a', 'b')", None),
        ("[1, 2.0]", ("1", "2")),
        ('[""]', ()),
    ],
)
def test_lists_in_strings(written: str, read_as: tuple[str, ...] | None, tmp_path: Path) -> None:
    lists = ["['a', 'b']", written, "[]", '["a"]']
    rows = [{"text": f"t {i}", "labels": labels} for i, labels in enumerate(lists)]
    if read_as is None:
        with pytest.raises(DataError, match=r"line 3: .* where a list of labels is expected"):
            read(tmp_path / "a.csv", rows, "multi-label")
    else:
        assert read(tmp_path / "a.csv", rows).train.labels[1] == read_as


def test_words_and_tags_with_spaces_between(tmp_path: Path) -> None:
    rows = [{"sentence": " ".join(r["tokens"]), "ner": " ".join(r["tags"])} for r in ROWS["token-classification"]]
    found = read(tmp_path / "a.csv", rows)
    assert (found.train.inputs, found.train.labels) == EXPECTED["token-classification"]


def test_rows_without_a_label_are_kept_as_text(tmp_path: Path) -> None:
    empty = dict.fromkeys(LABELS)
    for task, rows in ROWS.items():
        bare = {name: empty.get(name, value) for name, value in rows[0].items()}
        found = read(tmp_path / f"{task}.jsonl", [*rows, bare])
        assert found.unlabelled == [found.train.texts[0]], task
        assert found.train_part.unlabelled_rows == [len(rows) + 1]


def test_rows_without_any_text_are_left_out(tmp_path: Path) -> None:
    blank = {"text": " ", "text_pair": None, "tokens": [], "question": "", "context": "\n", "prompt": " "}
    for task, rows in ROWS.items():
        bare = {name: blank.get(name, value) for name, value in rows[0].items()}
        found = read(tmp_path / f"{task}.jsonl", [*rows, bare])
        assert found.train_part.without_text == [len(rows) + 1], task
        assert len(found.train) == len(rows)


CONLL = """-DOCSTART- -X- O O

# sent_id = 1
# comment
Ada NNP B-NP B-PER
Lovelace NNP B-NP I-PER
in IN B-PP O
Rome NNP B-NP B-LOC

-DOCSTART- -X- O O

#tags NN B-NP O
are VB B-VP O

"""


@pytest.mark.parametrize("ending", ["conll", "iob", "bio"])
@pytest.mark.parametrize("tabs", [False, True])
def test_conll_files(ending: str, tabs: bool, tmp_path: Path) -> None:
    path = tmp_path / f"train.{ending}"
    text = CONLL.replace(" ", "\t") if tabs else CONLL
    path.write_text(text.replace("# sent_id\t=\t1", "# sent_id = 1"), encoding="utf-8")
    path.with_stem("test").write_bytes(b"\xef\xbb\xbfRome B-LOC\r\n\r\nno\xc2\xa0one O\r\n")
    found = load_labelled(DataSource(tmp_path))
    assert (found.task, found.text_column, found.label_column) == ("token-classification", "tokens", "tags")
    assert found.train == Examples(
        [("Ada", "Lovelace", "in", "Rome"), ("#tags", "are")], [("B-PER", "I-PER", "O", "B-LOC"), ("O", "O")], [5, 12]
    )
    assert found.test == Examples([("Rome",), ("no\xa0one",)], [("B-LOC",), ("O",)], [1, 3])
    assert (found.train_part.format, found.train_part.unit) == ("conll", "line")
    assert found.train_part.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_hash_that_begins_a_sentence_of_lower_case_tags_is_a_word(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("# a note\n#sunny o\nin o\nrome b-loc\n\n#rome b-loc\n", encoding="utf-8")
    found = load_labelled(DataSource(path))
    assert found.train.inputs == [("#sunny", "in", "rome"), ("#rome",)]
    assert found.train.labels == [("O", "O", "B-loc"), ("B-loc",)]


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["1874", "1874"], "answer_start": [34, 34]},
        {"text": "1874", "answer_start": 34},
        [{"text": "1874", "answer_start": 34}],
        json.dumps({"text": ["1874"], "answer_start": [34]}),
        "{'text': ['1874'], 'answer_start': [34]}",
        ["1874"],
        "1874",
        1874,
    ],
)
def test_layouts_of_answers(answers: Any, tmp_path: Path) -> None:
    rows = [{"id": i, "question": f"When {i}?", "context": CONTEXT, "answers": answers} for i in range(2)]
    found = read(tmp_path / "a.jsonl", rows)
    assert found.task == "question-answering"
    assert found.train.labels == [(Answer("1874", 34),)] * 2


def test_one_answer_with_its_start(tmp_path: Path) -> None:
    rows = [{"question": "When?", "context": CONTEXT, "answer": "19", "answer_start": "57"}] * 2
    assert read(tmp_path / "a.csv", rows).train.labels[0] == (Answer("19", 57),)


@pytest.mark.parametrize("indent", [None, 1])
def test_nested_squad(indent: int | None, tmp_path: Path) -> None:
    asked = [
        {"id": "a", "question": "When?", "answers": [{"text": "1874", "answer_start": 34}]},
        {"id": "b", "question": "Who?", "answers": [], "is_impossible": True},
        {"id": "c", "question": "Why?"},
    ]
    document = {"version": "v2.0", "data": [{"title": "Mill", "paragraphs": [{"context": CONTEXT, "qas": asked}]}]}
    path = tmp_path / "train.json"
    path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
    found = load_labelled(DataSource(path))
    assert found.train == Examples([Pair("When?", CONTEXT), Pair("Who?", CONTEXT)], [(Answer("1874", 34),), ()], [1, 2])
    assert found.unlabelled == [f"Why?\n{CONTEXT}"]
    assert found.train_part.unit == "question"


def test_rows_in_an_object(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": ROWS["multi-label"]}), encoding="utf-8")
    found = load_labelled(DataSource(path))
    assert found.train.labels == EXPECTED["multi-label"][1]
    assert found.train_part.unit == "row"


@pytest.mark.parametrize("kind", ["Sequence", "List", "plain list"])
def test_parquet_with_names_of_tags(kind: str, tmp_path: Path) -> None:
    label = {"_type": "ClassLabel", "names": ["O", "B-X", "I-X"]}
    feature: Any = [label] if kind == "plain list" else {"_type": kind, "feature": label}
    metadata = {b"huggingface": json.dumps({"info": {"features": {"tokens": {}, "ner_tags": feature}}}).encode()}
    table = pa.table({"tokens": [["a", "b", "c"], ["d"]], "ner_tags": [[1, 2, 0], [0]]})
    parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "a.parquet")
    found = load_labelled(DataSource(tmp_path / "a.parquet"))
    assert found.train.labels == [("B-X", "I-X", "O"), ("O",)]


def test_hub_data_set_of_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    kinds = datasets.Features(
        tokens=datasets.Sequence(datasets.Value("string")),
        ner_tags=datasets.Sequence(datasets.ClassLabel(names=["O", "B-X", "I-X"])),
    )

    def split(*tags: list[int]) -> Any:
        rows = {"tokens": [["w"] * len(some) for some in tags], "ner_tags": list(tags)}
        return datasets.Dataset.from_dict(rows, features=kinds)

    def load(name: str, config: str | None) -> Any:
        return datasets.DatasetDict(train=split([1, 2], [0, 0]), test=split([-1]), validation=split([1]))

    monkeypatch.setattr(datasets, "load_dataset", load)
    found = load_labelled(DataSource("owner/name"))
    assert found.train.labels == [("B-X", "I-X"), ("O", "O")]
    assert found.test_part is not None
    assert found.test_part.path == "owner/name (validation)"
    lines = b'[["w", "w"], ["B-X", "I-X"]]\n[["w", "w"], ["O", "O"]]\n'
    assert found.train_part.sha256 == hashlib.sha256(lines).hexdigest()


def test_hub_data_set_of_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {
        "question": ["When?", "When, then?"],
        "context": [CONTEXT] * 2,
        "answers": [{"text": ["1874"], "answer_start": [34]}] * 2,
    }
    monkeypatch.setattr(
        datasets, "load_dataset", lambda name, config: datasets.DatasetDict(train=datasets.Dataset.from_dict(rows))
    )
    assert load_labelled(DataSource("owner/name")).train.labels == [(Answer("1874", 34),)] * 2
