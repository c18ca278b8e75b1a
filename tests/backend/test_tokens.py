import numpy as np
import pytest

from advisor.backend.loading import load_tokenizer
from advisor.backend.objectives import tokens
from advisor.tasks import Pair

TEXTS = ["good film", "a very very awful meal of the trip", "", "fine", "not quite fine"]
READ = {
    "texts": lambda tokenizer: tokens.cut_units(tokenizer, TEXTS, 8, "truncate"),
    "windows": lambda tokenizer: tokens.cut_units(tokenizer, TEXTS, 6, "windows"),
    "pairs": lambda tokenizer: tokens.pair_units(tokenizer, [Pair(text, "good room") for text in TEXTS], 9),
    "words": lambda tokenizer: tokens.word_units(tokenizer, [tuple(text.split()) for text in TEXTS], 8),
}


@pytest.mark.parametrize("inputs", READ)
def test_rows_that_are_tokenised_in_parts_are_read_as_at_once(inputs, make_encoder, monkeypatch):
    tokenizer = load_tokenizer(make_encoder("bert"), words=inputs == "words")
    whole = READ[inputs](tokenizer)
    asked = []

    def counting(rows, *more, **options):
        asked.append(len(rows))
        return tokenizer(rows, *more, **options)

    monkeypatch.setattr(tokens, "load_settings", lambda file: {"tokenised_rows": 2})
    counting.pad_token_id = tokenizer.pad_token_id
    parts = READ[inputs](counting)
    assert asked[-3:] == [2, 2, 1]
    assert [unit.row for unit in parts] == [unit.row for unit in whole]
    assert {unit.row for unit in parts} == set(range(5))
    for part, one in zip(parts, whole, strict=True):
        assert (part.ids, part.kinds) == (one.ids, one.kinds)
        np.testing.assert_array_equal(part.marks, one.marks)


def test_no_row_needs_no_tokenizer():
    assert tokens.cut_units(None, [], 8, "truncate") == []
    assert tokens.pair_units(None, [], 8) == []
    assert tokens.word_units(None, [], 8) == []
