"""Whatever bytes a file holds, reading it succeeds or says why not in one line."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.data.inspection import inspect_data
from advisor.data.reading import DataSource, LabelledData, load_labelled
from advisor.errors import AdvisorError
from advisor.tasks import TASKS, Pair
from tests.task_samples import CONTEXT, ROWS

CSV = 'text,label\n"good, ""really""",pos\nbad é,neg\n"two\nlines",pos\nfine,neg\n'.encode()
JSONL = b"".join(
    json.dumps({"text": text, "label": label}).encode() + b"\n"
    for text, label in (("good", 1), ("bad \U0001f600", 0), ('quoted "x"', 1), ("fine", 0))
)
JSON = b"[" + JSONL.strip().replace(b"\n", b",\n") + b"]"
FOLDER = "fuzz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(FOLDER)


def read_or_explain(path: Path, content: bytes, task: str | None = "text-classification") -> None:
    path.write_bytes(content)
    try:
        data = load_labelled(DataSource(path), task)
    except AdvisorError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert message.isprintable()
    else:
        assert_sound(data)
        inspect_data(data, tokenizer_path=None, limit=None).model_dump_json()
        "".join(data.train.texts + data.unlabelled + data.label_names).encode()


def assert_sound(data: LabelledData) -> None:
    """Assert that inputs and labels are what the contract of the task says."""
    train, predicts = data.train, TASKS[data.task].predicts
    assert len(train.inputs) == len(train.labels) == len(train.rows) > 0
    assert all(text.strip() for text in train.texts)
    if data.pair_column is not None:
        assert all(isinstance(one, Pair) and all(text.strip() for text in one) for one in train.inputs)
    if predicts in ("class", "classes", "tags"):
        assert len(data.label_names) > 1
        assert all(name.strip() for name in data.label_names)
    if predicts == "number":
        assert len(set(train.labels)) > 1
        assert all(isinstance(label, float) and math.isfinite(label) for label in train.labels)
    if predicts == "tags":
        assert [len(tags) for tags in train.labels] == [len(words) for words in train.inputs]
    if predicts == "span":
        for (_, context), answers in zip(train.inputs, train.labels, strict=True):
            assert all(context[answer.start :].startswith(answer.text) for answer in answers)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["csv", "tsv", "jsonl", "json"]))
@example(b"\xef\xbb\xbf\xef\xbb\xbf", "csv")
@example(b"\r", "csv")
@example(b'"', "tsv")
@example(b"{}", "jsonl")
@example(b'{"\\ud800": 1}\n', "jsonl")
def test_random_bytes(folder: Path, content: bytes, ending: str) -> None:
    read_or_explain(folder / f"a.{ending}", content)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([("csv", CSV), ("tsv", CSV.replace(b",", b"\t")), ("jsonl", JSONL), ("json", JSON)]),
    st.integers(0, 200),
    st.integers(0, 6),
    st.one_of(
        st.binary(max_size=4),
        st.sampled_from([b'"', b"\n", b"\r", b",", b"\\", b"\\ud800", b"[", b"{", b"null", b"1e999", b"\0", b"\t"]),
    ),
)
def test_random_damage(folder: Path, good: tuple[str, bytes], start: int, length: int, put: bytes) -> None:
    ending, content = good
    read_or_explain(folder / f"b.{ending}", content[:start] + put + content[start + length :])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([("csv", CSV), ("jsonl", JSONL), ("json", JSON)]), st.integers(0, 200))
def test_cut_short(folder: Path, good: tuple[str, bytes], length: int) -> None:
    ending, content = good
    read_or_explain(folder / f"c.{ending}", content[:length])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({"text": values, "label": values}), max_size=6), st.booleans())
def test_any_json_values(folder: Path, rows: list[object], as_list: bool) -> None:
    text = json.dumps(rows) if as_list else "".join(json.dumps(row) + "\n" for row in rows)
    read_or_explain(folder / ("d.json" if as_list else "d.jsonl"), text.encode())


AS_LINES = {task: "".join(json.dumps(row) + "\n" for row in rows).encode() for task, rows in ROWS.items()}


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(AS_LINES)),
    st.none() | st.sampled_from(sorted(TASKS)),
    st.integers(0, 500),
    st.integers(0, 8),
    st.one_of(
        st.binary(max_size=3),
        st.sampled_from(
            [b'"', b"\n", b"[", b"]", b"{", b"null", b"1e999", b"NaN", b"\\ud800", b"B-", b"-1", b",", b" "]
        ),
    ),
)
@example("token-classification", None, 90, 0, b"\\ud800")
def test_damage_to_any_task(folder: Path, kind: str, task: str | None, start: int, length: int, put: bytes) -> None:
    content = AS_LINES[kind]
    read_or_explain(folder / "e.jsonl", content[:start] + put + content[start + length :], task)


labels = st.one_of(
    values,
    st.lists(st.sampled_from(["O", "B-X", "I-X", "S-X", "", "x"]), max_size=3),
    st.sampled_from(["a;b", "[]", "['a']", '{"text": ["1874"], "answer_start": [34]}', "O B-X"]),
    st.fixed_dictionaries({"text": values, "answer_start": values}),
    st.floats(),
)
names = st.sampled_from(["label", "labels", "tags", "answers", "score", "a", "b"])


@settings(max_examples=150)
@given(
    st.none() | st.sampled_from(sorted(TASKS)),
    st.sampled_from(["text", "tokens", "question"]),
    st.none() | st.sampled_from(["text_pair", "context", "answer_start"]),
    st.lists(names, min_size=1, max_size=2, unique=True),
    st.lists(
        st.tuples(
            values | st.just("some words") | st.just(["two", "words"]), values | st.just(CONTEXT), labels, labels
        ),
        max_size=5,
    ),
)
def test_any_values_for_any_task(
    folder: Path, task: str | None, first: str, second: str | None, last: list[str], rows: list[tuple[object, ...]]
) -> None:
    columns = [first, *([second] if second else ["other"]), *last]
    lines = [json.dumps(dict(zip(columns, row, strict=False))) + "\n" for row in rows]
    read_or_explain(folder / "f.jsonl", "".join(lines).encode(), task)


@settings(max_examples=150)
@given(
    st.lists(
        st.lists(st.sampled_from(["a", "B-X", "O", "\t", " ", "#", "-DOCSTART-", "=", "é", "I-Y"]), max_size=4),
        max_size=8,
    )
)
def test_any_lines_of_conll(folder: Path, lines: list[list[str]]) -> None:
    read_or_explain(folder / "g.conll", "\n".join(" ".join(line) for line in lines).encode(), None)
