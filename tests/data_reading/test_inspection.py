"""What a look over labelled data finds, on small data where the answer is known by hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from advisor.data.duplicates import Finding
from advisor.data.guess import guess_task
from advisor.data.inspection import Inspection, inspect_data
from advisor.data.lengths import evenly, quantiles
from advisor.data.reading import DataSource, load_labelled
from advisor.errors import InputError

TRAIN = [
    ("The parcel came late", "neg"),
    ("the  PARCEL came late", "neg"),
    ("late came the parcel!", "neg"),
    ("I love it", "pos"),
    ("i love it", "neg"),
    ("I love  it", "pos"),
    ("?!", "pos"),
    ("see https://example.org/a", "pos"),
    ("www.example.org", "pos"),
    ("CafÃ© was fine", "pos"),
    ("bell \x07 rang", "neg"),
    ("word " * 200, "neg"),
]
TEST = [
    ("I LOVE IT", "neg"),
    ("Parcel: the late came", "neg"),
    ("all new here", "pos"),
    ("see https://example.org/A", "neg"),
]


def inspection_of(tmp_path: Path, tokenizer: Path | None = None, limit: int | None = None) -> Inspection:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
        if name == "train":
            lines += [
                json.dumps({"text": "", "label": "pos"}),
                json.dumps({"text": "who knows", "label": None}),
            ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    return inspect_data(load_labelled(DataSource(tmp_path)), tokenizer_path=tokenizer, limit=limit)


def test_counts(tmp_path: Path) -> None:
    found = inspection_of(tmp_path)
    assert (found.train.rows, found.train.usable, found.unlabelled) == (14, 12, 1)
    assert [(item.label, item.count) for item in found.labels] == [("neg", 6), ("pos", 6)]
    assert found.imbalance == 1
    assert sum(item.share for item in found.labels) == 1
    assert found.words.max == 200
    assert found.tokens is None


def test_duplicates_and_contradictions(tmp_path: Path) -> None:
    found = inspection_of(tmp_path)
    assert found.duplicates == Finding(count=3, rows=[2, 5, 6])
    assert found.near_duplicates == Finding(count=1, rows=[3])
    assert (found.contradictions.texts, found.contradictions.rows) == (1, 3)
    assert found.contradictions.examples[0].rows == [4, 5, 6]
    assert found.contradictions.examples[0].labels == ["pos", "neg", "pos"]
    assert found.contradictions.disagreement == pytest.approx(1 / 5)


def test_leakage(tmp_path: Path) -> None:
    leakage = inspection_of(tmp_path).leakage
    assert leakage is not None
    assert leakage.exact == Finding(count=2, rows=[1, 4])
    assert leakage.near == Finding(count=1, rows=[2])
    assert leakage.pairs == [(1, 4), (4, 8), (2, 1)]
    assert leakage.other_label == 1


def test_odd_rows(tmp_path: Path) -> None:
    odd = inspection_of(tmp_path).odd
    assert odd.without_text.rows == [13]
    assert odd.without_label.rows == [14]
    assert odd.no_words.rows == [7, 9]
    assert odd.mojibake.rows == [10]
    assert odd.control_characters.rows == [11]


def test_far_longer_rows(tmp_path: Path) -> None:
    rows = [f"short text {index},{'ab'[index % 2]}" for index in range(40)]
    rows[20] = "word " * 31 + ",a"
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["text,label", *rows]))
    found = inspect_data(load_labelled(DataSource(path)), tokenizer_path=None, limit=None)
    assert found.odd.far_longer == Finding(count=1, rows=[22])
    assert found.leakage is None
    assert found.contradictions.disagreement is None


def test_tokens(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    tokens = inspection_of(tmp_path, tmp_path / "tokenizer.json", 4).tokens
    assert tokens is not None
    assert tokens.lengths.max == 200
    assert tokens.truncated == pytest.approx(1 / 12)
    assert (tokens.texts, tokens.sampled) == (12, False)


def test_broken_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(InputError, match=r"tokenizer\.json: the tokenizer cannot be read"):
        inspection_of(tmp_path, path)
    path.write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer\.json: the tokenizer cannot be read"):
        inspection_of(tmp_path, path)


def test_inspection_survives_json(tmp_path: Path) -> None:
    found = inspection_of(tmp_path)
    assert Inspection.model_validate_json(found.model_dump_json()) == found


def test_letters_beyond_ascii(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nабвг,x\nab éé,y\nгдеж,x\n", encoding="utf-8")
    found = inspect_data(load_labelled(DataSource(path)), tokenizer_path=None, limit=None)
    assert found.non_ascii_letters == pytest.approx(10 / 12)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=300))
def test_quantiles_are_nearest_rank(lengths: list[int]) -> None:
    found = quantiles(lengths)
    for percent, value in (
        (50, found.p50),
        (90, found.p90),
        (95, found.p95),
        (99, found.p99),
        (100, found.max),
    ):
        assert value in lengths
        assert sum(length <= value for length in lengths) * 100 >= percent * len(lengths)
        assert sum(length < value for length in lengths) * 100 < percent * len(lengths)


@given(st.integers(0, 100), st.integers(1, 20))
def test_evenly_spaced_sample(count: int, most: int) -> None:
    texts = [str(index) for index in range(count)]
    chosen = evenly(texts, most)
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen), key=int)


@pytest.mark.parametrize(
    ("columns", "row", "task"),
    [
        (["text", "label"], ["a", "b"], "text-classification"),
        (["tokens", "ner_tags"], [["a"], [0]], "token-classification"),
        (["text", "labels"], ["a", ["b"]], "multi-label"),
        (["text", "labels"], ["a", "['b', 'c']"], "multi-label"),
        (["premise", "hypothesis", "label"], ["a", "b", "c"], "pair-classification"),
        (["sentence1", "sentence2", "label"], ["a", "b", 0.5], "regression"),
        (["text", "label"], ["a", "0.5"], "regression"),
        (["id", "question", "context", "answers"], [1, "a", "b", {}], "question-answering"),
        (["instruction", "output"], ["a", "b"], "generation"),
        (["prompt", "completion", "label"], ["a", "b", "c"], "text-classification"),
        (["prompt", "chosen", "rejected"], ["a", "b", "c"], "preference"),
    ],
)
def test_guess_task(columns: list[str], row: list[object], task: str) -> None:
    assert guess_task(columns, [row, row]) == task


def test_several_columns_of_zero_and_one_are_multi_label() -> None:
    assert guess_task(["text", "toxic", "rude"], [["a", 0, 1], ["b", 1, 0]]) == "multi-label"
