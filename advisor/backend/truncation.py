"""Inputs beyond an encoder's limit: how much of them there is, and how it is read."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from advisor.backend.encoder import Encoder
from advisor.backend.objectives.tokens import special_frame, token_ids, word_tokens
from advisor.tasks import Input, Pair, Words

_WINDOW = 4096


def read_long(
    encoder: Encoder, long_texts: str, inputs: Sequence[Input], event: Callable[[dict[str, Any]], None]
) -> Encoder:
    """Return the encoder reading long texts in a given way, the plainest where no input is long; log what is lost.

    Args:
        encoder: what reads.
        long_texts: as ``advisor.backend.long_texts.cut`` has it; words are always cut at the limit.
        inputs: what shows whether there are long ones.
        event: called with the share of rows beyond the limit and of tokens not read, where there is any.
    """
    words = bool(inputs) and _are_words(inputs)
    reader = replace(encoder, long_texts="truncate" if words else long_texts)
    lost = truncation(reader, inputs)
    if lost is None:
        return replace(encoder, long_texts="truncate")
    event(lost)
    return reader


def truncation(encoder: Encoder, inputs: Sequence[Input]) -> dict[str, Any] | None:
    """Return an event that says which share of rows is longer than the limit, and of tokens is not read; None if none.

    Of words the share of words is told in place of that of tokens.
    """
    long, all_units, lost = 0, 0, 0
    for start in range(0, len(inputs), _WINDOW):
        window = inputs[start : start + _WINDOW]
        sizes, beyond = _words_beyond(encoder, window) if _are_words(window) else _tokens_beyond(encoder, window)
        long += int((beyond > 0).sum())
        all_units += int(sizes.sum())
        lost += int(beyond.sum())
    if not long:
        return None
    read = encoder.long_texts == "windows"
    shares = {"rows": long / len(inputs), "tokens": 0.0 if read else lost / all_units}
    return {"event": "truncated", **shares, "max_length": encoder.max_length, "long_texts": encoder.long_texts}


def _are_words(inputs: Sequence[Input]) -> bool:
    return isinstance(inputs[0], tuple) and not isinstance(inputs[0], Pair)


def _tokens_beyond(encoder: Encoder, inputs: Sequence[Input]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return tokens of each row, and how many of them lie beyond the limit; the texts of a pair are read apart."""
    room = encoder.max_length - sum(map(len, special_frame(encoder.tokenizer)))
    sizes, beyond = np.zeros(len(inputs), dtype=np.int64), np.zeros(len(inputs), dtype=np.int64)
    sides = (0, 1) if isinstance(inputs[0], Pair) else (None,)
    for side in sides:
        texts = [cast(str, text if side is None else text[side]) for text in inputs]
        ids = token_ids(encoder.tokenizer, texts, add_special_tokens=False, verbose=False)
        lengths = np.array([len(row) for row in ids], dtype=np.int64)
        sizes += lengths
        beyond += np.maximum(lengths - room, 0)
    return sizes, beyond


def _words_beyond(encoder: Encoder, inputs: Sequence[Input]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = cast(Sequence[Words], inputs)
    sizes = np.array([len(row) for row in rows], dtype=np.int64)
    last = [
        int(tokens.words.max(initial=-1)) + 1 for tokens in word_tokens(encoder.tokenizer, rows, encoder.max_length)
    ]
    return sizes, sizes - np.array(last, dtype=np.int64)
