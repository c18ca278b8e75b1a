"""Serving: every input format, rows without text, and memory that does not grow with the input."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from advisor.errors import AdvisorError, DataError
from advisor.run.predict import ServedModel, predict_rows, read_rows, write_rows


class Counting:
    """A classifier that notes how many texts it was given at once."""

    labels = ["no", "yes"]

    def __init__(self) -> None:
        self.most = 0

    def outputs(self, texts: list[str], progress: object = None) -> np.ndarray:
        self.most = max(self.most, len(texts))
        return np.array([[1.0, 0.0] if len(text) % 2 else [0.25, 0.75] for text in texts], dtype=np.float32)

    def save(self, folder: Path) -> None:
        raise AssertionError("never saved here")


def test_rows_are_labelled_and_keep_their_other_fields() -> None:
    rows = list(predict_rows(ServedModel(Counting(), "text"), [{"text": "ab", "id": 7}]))
    expected = {"text": "ab", "id": 7, "label": "yes", "probability": 0.75, "probabilities": {"no": 0.25, "yes": 0.75}}
    assert rows == [expected]


def test_a_long_input_is_taken_in_windows() -> None:
    model = Counting()

    def many() -> Iterator[dict[str, str]]:
        for number in range(10_000):
            yield {"text": "x" * (number % 7 + 1)}

    assert sum(1 for _ in predict_rows(ServedModel(model, "text"), many())) == 10_000
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
    assert [row["text"] for row in read_rows(str(path), None, "message")] == ["ab", "c"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.jsonl", '{"other": "ab"}\n', "no column named 'message'; found: other"),
        ("in.jsonl", '{"message": 3}\n', "has no text in 'message'"),
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
        list(read_rows(str(path), None, "message"))
    assert message in str(caught.value)


def test_output_is_whole_or_absent(tmp_path: Path) -> None:
    def breaks() -> Iterator[dict[str, str]]:
        yield {"text": "a"}
        raise DataError("row 2 is broken")

    with pytest.raises(DataError):
        write_rows(breaks(), tmp_path / "out.jsonl", None)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    write_rows(iter([{"text": "é"}]), tmp_path / "out.jsonl", None)  # type: ignore[arg-type]
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8")) == {"text": "é"}
