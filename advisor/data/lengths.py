"""Lengths of what a model reads, in words or in an encoder's tokens, as quantiles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from advisor.data.examples import as_text
from advisor.errors import InputError
from advisor.settings import load_settings
from advisor.strict import Strict
from advisor.tasks import Chat, Input, Pair

RowT = TypeVar("RowT")
NumberT = TypeVar("NumberT", int, float)

_TOKENIZED_AT_ONCE = 256
_TOKENIZED_CHARACTERS = 200_000


class Quantiles(Strict):
    """Nearest-rank quantiles of a length."""

    p50: int
    p90: int
    p95: int
    p99: int
    max: int


class TokenLengths(Strict):
    """Lengths in the encoder's tokens, special ones included.

    Attributes:
        lengths: quantiles over the texts that were tokenized.
        texts: how many were tokenized: all, or a sample evenly spaced over the file.
        sampled: whether it is a sample.
        limit: the encoder's longest input in tokens.
        truncated: share of texts longer than that, from 0 to 1; ``None`` without a limit.
    """

    lengths: Quantiles
    texts: int
    sampled: bool
    limit: int | None = None
    truncated: float | None = None


def token_lengths(inputs: Sequence[Input], tokenizer_path: Path, limit: int | None) -> TokenLengths:
    """Tokenize all inputs or an evenly spaced sample, both texts of a pair together.

    Only a text's first 200,000 characters count.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(tokenizer_path))
    except Exception as failure:
        reason = " ".join(str(failure).split())[:120]
        raise InputError(f"{tokenizer_path}: the tokenizer cannot be read ({reason})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    chosen = evenly(inputs)
    as_words = bool(chosen) and not isinstance(chosen[0], str | Pair | Chat)
    lengths: list[int] = []
    for start in range(0, len(chosen), _TOKENIZED_AT_ONCE):
        batch = [_cut(one) for one in chosen[start : start + _TOKENIZED_AT_ONCE]]
        lengths += [len(encoding) for encoding in tokenizer.encode_batch_fast(batch, is_pretokenized=as_words)]
    return TokenLengths(
        lengths=quantiles(lengths),
        texts=len(chosen),
        sampled=len(chosen) < len(inputs),
        limit=limit,
        truncated=sum(length > limit for length in lengths) / len(lengths) if limit else None,
    )


def word_counts(inputs: Sequence[Input]) -> list[int]:
    """Return lengths in words, texts split at spaces, both texts of a pair and all of a chat together."""
    return [len(as_text(one).split()) if isinstance(one, str | Pair | Chat) else len(one) for one in inputs]


def estimated_tokens(words: Sequence[int], texts: int) -> tuple[int, int]:
    """Return the median and the 95th percentile of lengths in tokens, estimated from those in words.

    Args:
        words: lengths.
        texts: that are read together, 1 or 2; each is closed by a special token, and one opens the first.
    """
    found, each = quantiles(words), load_settings("reading.yaml")["tokens_per_word"]
    return round(found.p50 * each) + texts + 1, round(found.p95 * each) + texts + 1


def evenly(rows: Sequence[RowT], most: int | None = None) -> Sequence[RowT]:
    """Return all rows, or ``most`` of them evenly spaced, as many as texts are sampled if left out."""
    most = most or int(load_settings("reading.yaml")["sampled_texts"])
    if len(rows) <= most:
        return rows
    return [rows[index * len(rows) // most] for index in range(most)]


def quantiles(lengths: Sequence[int]) -> Quantiles:
    """Return nearest-rank quantiles of lengths."""
    ordered = sorted(lengths)
    p50, p90, p95, p99 = (nearest_rank(ordered, percent) for percent in (50, 90, 95, 99))
    return Quantiles(p50=p50, p90=p90, p95=p95, p99=p99, max=ordered[-1])


def nearest_rank(ordered: Sequence[NumberT], percent: int) -> NumberT:
    """Return the smallest of the values, which are in order, that at least that share of them do not exceed."""
    return ordered[-(-percent * len(ordered) // 100) - 1]


def _cut(one: Input) -> Any:
    """Return an input as the tokenizer takes it, its texts cut."""
    if isinstance(one, str | Chat):
        return as_text(one)[:_TOKENIZED_CHARACTERS]
    if isinstance(one, Pair):
        return one.first[:_TOKENIZED_CHARACTERS], one.second[:_TOKENIZED_CHARACTERS]
    return list(one)
