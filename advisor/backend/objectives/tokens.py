"""Inputs made units of tokens: texts cut or read in windows, pairs, words, questions with their contexts."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.backend.long_texts import cut
from advisor.backend.objectives.base import Unit
from advisor.backend.tuning_settings import ReadingSettings
from advisor.settings import load_settings
from advisor.tasks import Input


def cut_units(tokenizer: Any, texts: Sequence[Input], limit: int, long_texts: str) -> list[Unit]:
    """Return units of single texts; what stands between the special tokens is cut as `cut` does."""
    if long_texts == "truncate":
        rows = token_ids(tokenizer, texts, truncation=True, max_length=limit)
        return [Unit(row, ids or [padding(tokenizer)]) for row, ids in enumerate(rows)]
    opening, closing = special_frame(tokenizer)
    bare = token_ids(tokenizer, texts, add_special_tokens=False, verbose=False)
    room = limit - len(opening) - len(closing)
    return [
        Unit(row, [*opening, *part, *closing] or [padding(tokenizer)])
        for row, ids in enumerate(bare)
        for part in cut(ids, room, long_texts)
    ]


def pair_units(tokenizer: Any, pairs: Sequence[Any], limit: int) -> list[Unit]:
    """Return a unit a pair; the longer text loses its end where both do not fit."""
    units: list[Unit] = []
    for part in _parts(pairs):
        firsts, seconds = [pair.first for pair in part], [pair.second for pair in part]
        found = tokenizer(firsts, seconds, truncation="longest_first", max_length=limit)
        kinds = found.get("token_type_ids") or [None] * len(part)
        of_part = zip(found["input_ids"], kinds, strict=True)
        units += [Unit(row, ids, kind) for row, (ids, kind) in enumerate(of_part, start=len(units))]
    return units


class WordTokens(NamedTuple):
    """The tokens of a row of words: ids, and the number of the word that each is of, -1 for a special token."""

    ids: list[int]
    words: NDArray[np.int64]


def word_tokens(tokenizer: Any, rows: Sequence[Any], limit: int) -> list[WordTokens]:
    """Return the tokens of each row of words, cut at the limit."""
    read: list[WordTokens] = []
    for part in _parts(rows):
        found = tokenizer([list(row) for row in part], is_split_into_words=True, truncation=True, max_length=limit)
        read += [
            WordTokens(ids or [padding(tokenizer)], _numbers(found.word_ids(row) if ids else [None]))
            for row, ids in enumerate(found["input_ids"])
        ]
    return read


def word_units(tokenizer: Any, rows: Sequence[Any], limit: int) -> list[Unit]:
    """Return a unit a row of words; ``marks`` are the first token of each word, -1 beyond the limit."""
    units = []
    for row, (words, tokens) in enumerate(zip(rows, word_tokens(tokenizer, rows, limit), strict=True)):
        first = np.full(len(words), -1, dtype=np.int64)
        there, places = np.unique(tokens.words, return_index=True)
        first[there[there >= 0]] = places[there >= 0]
        units.append(Unit(row, tokens.ids, marks=first))
    return units


def question_units(tokenizer: Any, pairs: Sequence[Any], limit: int, reading: ReadingSettings) -> list[Unit]:
    """Return the windows of every question's context; ``marks`` are the characters that each token covers there.

    A question takes half of a window at most.
    """
    units: list[Unit] = []
    for row, pair in enumerate(pairs):
        question = _shortened(tokenizer, pair.first, limit // 2)
        spare = limit - len(tokenizer(question, "", verbose=False)["input_ids"])
        found = tokenizer(
            question,
            pair.second,
            truncation="only_second",
            max_length=limit,
            stride=int(reading.overlap * spare),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            verbose=False,
        )
        for window, ids in enumerate(found["input_ids"]):
            marks = np.array(found["offset_mapping"][window], dtype=np.int64)
            marks[[of != 1 for of in found.sequence_ids(window)]] = 0
            kinds = found["token_type_ids"][window] if "token_type_ids" in found else None
            units.append(Unit(row, ids, kinds, marks))
    return units


def token_ids(tokenizer: Any, texts: Sequence[Input], **options: Any) -> list[list[int]]:
    """Return the token ids of each text; ``options`` are the tokenizer's."""
    return [ids for part in _parts(texts) for ids in tokenizer(list(part), **options)["input_ids"]]


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield as many rows as are tokenised at once: what a tokenizer tells beside ids outgrows the ids many times."""
    at_once = int(load_settings("computing.yaml")["tokenised_rows"])
    return (rows[start : start + at_once] for start in range(0, len(rows), at_once))


def _numbers(words: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([-1 if word is None else word for word in words], dtype=np.int64)


def special_frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return the special tokens that a text begins and ends with."""
    ids, mask = (tokenizer("a", return_special_tokens_mask=True)[name] for name in ("input_ids", "special_tokens_mask"))
    first = mask.index(0) if 0 in mask else len(ids)
    last = len(mask) - mask[::-1].index(0) if 0 in mask else len(ids)
    return ids[:first], ids[last:]


def padding(tokenizer: Any) -> int:
    """Return the token id that fills a batch up."""
    return int(tokenizer.pad_token_id or 0)


def _shortened(tokenizer: Any, question: str, most: int) -> str:
    found = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ends = found["offset_mapping"]
    return question if len(ends) <= most else question[: ends[most - 1][1]]
