"""Lengths of texts, in words or in an encoder's tokens, as quantiles."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from advisor.errors import InputError

_SAMPLED_TEXTS = 5000
_TOKENIZED_AT_ONCE = 256
_TOKENIZED_CHARACTERS = 200_000


class Quantiles(BaseModel):
    """Nearest-rank quantiles of a length."""

    p50: int
    p90: int
    p95: int
    p99: int
    max: int


class TokenLengths(BaseModel):
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


def token_lengths(texts: list[str], tokenizer_path: Path, limit: int | None) -> TokenLengths:
    """Tokenize all texts or an evenly spaced sample; only a text's first 200,000 characters count."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(tokenizer_path))
    except Exception as failure:
        reason = " ".join(str(failure).split())[:120]
        raise InputError(f"{tokenizer_path}: the tokenizer cannot be read ({reason})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    chosen = evenly(texts)
    lengths: list[int] = []
    for start in range(0, len(chosen), _TOKENIZED_AT_ONCE):
        batch = [text[:_TOKENIZED_CHARACTERS] for text in chosen[start : start + _TOKENIZED_AT_ONCE]]
        lengths += [len(encoding) for encoding in tokenizer.encode_batch_fast(batch)]
    return TokenLengths(
        lengths=quantiles(lengths),
        texts=len(chosen),
        sampled=len(chosen) < len(texts),
        limit=limit,
        truncated=sum(length > limit for length in lengths) / len(lengths) if limit else None,
    )


def evenly(texts: list[str], most: int = _SAMPLED_TEXTS) -> list[str]:
    """Return all texts, or ``most`` of them evenly spaced."""
    if len(texts) <= most:
        return texts
    return [texts[index * len(texts) // most] for index in range(most)]


def quantiles(lengths: Sequence[int]) -> Quantiles:
    """Return nearest-rank quantiles: the smallest length that at least that share of texts do not exceed."""
    ordered = sorted(lengths)

    def rank(percent: int) -> int:
        return ordered[-(-percent * len(ordered) // 100) - 1]

    return Quantiles(p50=rank(50), p90=rank(90), p95=rank(95), p99=rank(99), max=ordered[-1])
