"""Serving: every input format, rows without text, and memory that does not grow with the input."""

import json
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
        ("in.jsonl", '{"other": "ab"}\n', "no column named 'message'; found: other"),
        ("in.jsonl", '{"message": "a"}\n{"message": null}\n', "row 2 has no text in 'message'; leave the row out"),
        ("in.jsonl", '{"message": {"a": 1}}\n', "has no text in 'message'"),
        ("in.jsonl", "{broken\n", "in.jsonl"),
        ("in.txt", b"caf\xe9\n", "not UTF-8"),
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


def test_numbers_are_texts_as_they_are_in_training(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": 911}\n{"text": 7.0}\n{"text": true}\n', encoding="utf-8")
    read = [row["text"] for row in read_rows(served(Counting(), "text"), str(path), (None, None))]
    assert read == ["911", "7", "true"]


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
