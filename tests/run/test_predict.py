"""Serving: every input format, rows without text, and memory that does not grow with the input."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from advisor.errors import AdvisorError, DataError, InputError
from advisor.run.predict import Field, ServedModel, argument_rows, predict_rows, read_rows, write_rows
from advisor.tasks import Pair

NAMES = ("text", "text_pair")


class Counting:
    """A classifier that notes how many texts it was given at once."""

    task = "text-classification"
    labels = ["no", "yes"]
    thresholds = None

    def __init__(self) -> None:
        self.most = 0

    def outputs(self, texts: list[str], progress: object = None) -> np.ndarray:
        self.most = max(self.most, len(texts))
        return np.array([[1.0, 0.0] if len(text) % 2 else [0.25, 0.75] for text in texts], dtype=np.float32)

    def save(self, folder: Path) -> None:
        raise AssertionError("never saved here")


def served(model: Counting, *columns: str) -> ServedModel:
    return ServedModel(model, tuple(Field(name, column) for name, column in zip(NAMES, columns, strict=False)))


def test_rows_are_labelled_and_keep_their_other_fields() -> None:
    rows = list(predict_rows(served(Counting(), "text"), [{"text": "ab", "id": 7}]))
    expected = {"text": "ab", "id": 7, "label": "yes", "probability": 0.75, "probabilities": {"no": 0.25, "yes": 0.75}}
    assert rows == [expected]


def test_a_long_input_is_taken_in_windows() -> None:
    model = Counting()

    def many() -> Iterator[dict[str, str]]:
        for number in range(10_000):
            yield {"text": "x" * (number % 7 + 1)}

    assert sum(1 for _ in predict_rows(served(model, "text"), many())) == 10_000
    assert model.most <= 4096


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.jsonl", '{"message": "ab"}\n{"message": "c"}\n'),
        ("in.csv", "message,n\nab,1\nc,2\n"),
        ("in.tsv", "message\tn\nab\t1\nc\t2\n"),
        ("in.txt", "ab\n\nc\n"),
    ],
)
def test_input_formats(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert [row["text"] for row in read_rows(served(Counting(), "message"), str(path), (None, None))] == ["ab", "c"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.jsonl", '{"other": "ab"}\n', "in.jsonl: line 1: no column named 'message'; found: other"),
        ("in.jsonl", '{"message": "a"}\n\n{"x": 1}\n', "in.jsonl: line 3: no column named 'message'; found: x"),
        ("in.jsonl", '{"message": null}\n', "line 1: no text in 'message'"),
        ("in.jsonl", '{"message": ["ab"]}\n', "line 1: a list where text is expected (column 'message')"),
        ("in.jsonl", "7\n", "line 1: neither a text nor an object"),
        ("in.json", '[{"message": {}}]', "in.json: row 1: an object where text is expected"),
        ("in.csv", "other,n\nab,1\n", "line 2: no column named 'message'; found: other, n"),
        ("in.jsonl", '{"message": "a"}\n'.encode("utf-16"), "UTF-16"),
        ("in.jsonl", "{broken\n", "in.jsonl"),
        ("in.txt", b"caf\xe9\n", "not UTF-8"),
        ("in.txt", b"a\0b\n", "a NUL byte"),
        ("missing.txt", None, "no such file"),
    ],
)
def test_faulty_input_is_one_sentence(name: str, content: str | bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(AdvisorError) as caught:
        list(read_rows(served(Counting(), "message"), str(path), (None, None)))
    assert message in str(caught.value)


def test_a_column_that_the_user_names_is_read_or_missed(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"message": "a", "other": "b"}\n', encoding="utf-8")
    model = served(Counting(), "message")
    assert [row["text"] for row in read_rows(model, str(path), ("other", None))] == ["b"]
    with pytest.raises(DataError, match="no column named 'third'; found: message, other"):
        list(read_rows(model, str(path), ("third", None)))


def test_numbers_are_read_as_text_as_in_training(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"message": 3}\n{"message": 2.0}\n', encoding="utf-8")
    assert [row["text"] for row in read_rows(served(Counting(), "message"), str(path), (None, None))] == ["3", "2"]


def test_late_keys_and_empty_fields_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"message": "a", "x": null}\n' * 1500 + '{"message": "b", "late": 1}\n', encoding="utf-8")
    *_, before, last = read_rows(served(Counting(), "message"), str(path), (None, None))
    assert before == {"message": "a", "x": None, "text": "a"}
    assert last == {"message": "b", "late": 1, "text": "b"}


@pytest.mark.parametrize(
    ("piped", "texts"),
    [
        (b'\xef\xbb\xbf{"message": "a"}\n"b"\n', ["a", "b"]),
        (b'[{"message": "a"},\n {"message": "b"}]', ["a", "b"]),
        (b'{"message": "\\ud800"}\n', ["�"]),
    ],
)
def test_what_is_piped_in(piped: bytes, texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped), encoding="utf-8"))
    assert [row["text"] for row in read_rows(served(Counting(), "message"), "-", (None, None))] == texts


@pytest.mark.parametrize(
    ("piped", "message"),
    [
        (b'{"message": "a"}\n{"message": "caf\xe9"}\n', "stdin: line 2, column 17: byte 0xE9"),
        (b'{"message": "a"}\n{"message":\n', "stdin: line 2, column 12: not valid JSON"),
        (b'{"message": "a"}\n'.decode().encode("utf-16"), "stdin: this is UTF-16 text"),
        (b'{"message": "a\0"}\n', "stdin: line 1: a NUL byte"),
    ],
)
def test_faulty_pipes_are_one_sentence(piped: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped), encoding="utf-8"))
    with pytest.raises(DataError, match=re.escape(message)):
        list(read_rows(served(Counting(), "message"), "-", (None, None)))


def test_what_json_cannot_hold_is_put_in_its_own_terms() -> None:
    stream = io.StringIO()
    write_rows(iter([{"text": "a", "x": float("nan"), "y": [float("inf"), 1.5], "z": "\ud800"}]), None, stream)
    assert json.loads(stream.getvalue(), parse_constant=pytest.fail) == {
        "text": "a", "x": None, "y": [None, 1.5], "z": "�"
    }  # fmt: skip
    assert list(argument_rows(served(Counting(), "text"), ["a\udcff"])) == [{"text": "a�"}]


def test_output_is_whole_or_absent(tmp_path: Path) -> None:
    def breaks() -> Iterator[dict[str, str]]:
        yield {"text": "a"}
        raise DataError("row 2 is broken")

    with pytest.raises(DataError):
        write_rows(breaks(), tmp_path / "out.jsonl", None)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    write_rows(iter([{"text": "é"}]), tmp_path / "out.jsonl", None)  # type: ignore[arg-type]
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8")) == {"text": "é"}


def test_typed_texts_come_two_by_two_where_pairs_are_read() -> None:
    pairs = served(Counting(), "premise", "hypothesis")
    assert list(argument_rows(pairs, ["a", "b", "c", "d"])) == [
        {"text": "a", "text_pair": "b"},
        {"text": "c", "text_pair": "d"},
    ]
    assert pairs.input({"text": "a", "text_pair": "b"}) == Pair("a", "b")
    with pytest.raises(InputError, match="give them in pairs"):
        list(argument_rows(pairs, ["a", "b", "c"]))


def test_words_come_as_lists_or_are_split(tmp_path: Path) -> None:
    model = ServedModel(Counting(), (Field("words", "tokens"),))
    lines = [{"tokens": ["Ada", "wrote"]}, {"tokens": "Ada wrote, too"}, {"words": '["a b", "c"]'}]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    read = [row["words"] for row in read_rows(model, str(path), (None, None))]
    assert read == [["Ada", "wrote"], ["Ada", "wrote", ",", "too"], ["a b", "c"]]
    assert model.input({"words": ["Ada", "wrote"]}) == ("Ada", "wrote")
