"""Words to fit a head of tags on, their vectors, tags and weights; no more are kept than memory should hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Flags, Floats, Indices
from advisor.backend.chunks import OUTSIDE
from advisor.backend.encoder import Encoder, Progress
from advisor.tasks import Input, Words

_WINDOW = 1024


@dataclass(frozen=True)
class TaggedWords:
    """Words of many rows.

    Attributes:
        vectors: (words, hidden).
        tags: number of each word's tag.
        rows: number of the row that each word is in.
        weights: how many words each stands for.
    """

    vectors: Floats
    tags: Indices
    rows: Indices
    weights: Floats


def tagged_words(
    encoder: Encoder,
    inputs: Sequence[Input],
    tags: Sequence[NDArray[Any]] | NDArray[Any],
    labels: Sequence[str],
    most: int,
    *,
    seed: int,
    progress: Progress | None = None,
) -> TaggedWords:
    """Embed rows of words, a window at a time, and keep at most about ``most`` words.

    Every word of an entity is kept. Of those outside so many are drawn that the bound holds, yet no fewer than there
    are words of entities; each stands for as many as were drawn from.

    Args:
        encoder: reads the words.
        inputs: rows of words.
        tags: numbers of their tags, an array a row.
        labels: names of the tags.
        most: words to keep.
        seed: of the draw.
        progress: called with rows done and rows in all.
    """
    flat = np.concatenate(tags).astype(np.int64)
    rows = np.repeat(np.arange(len(tags)), [len(row) for row in tags])
    keep, weight = _drawn(flat, labels, most, np.random.default_rng(seed))
    vectors: list[Floats] = []
    start = 0
    for first in range(0, len(inputs), _WINDOW):
        window = cast(Sequence[Words], inputs[first : first + _WINDOW])

        def report(done: int, _: int, first: int = first) -> None:
            if progress:
                progress(first + done, len(inputs))

        found, seen = encoder.embed_words(window, report)
        here = slice(start, start + len(found))
        keep[here] &= seen
        vectors.append(found[keep[here]])
        start += len(found)
    weights: Floats = np.where(flat == _outside(labels), weight, 1.0).astype(np.float32)
    return TaggedWords(np.concatenate(vectors), flat[keep], rows[keep], weights[keep])


def _drawn(tags: Indices, labels: Sequence[str], most: int, generator: np.random.Generator) -> tuple[Flags, float]:
    """Return which words are kept, and how many each word outside stands for."""
    outside = tags == _outside(labels)
    inside = int((~outside).sum())
    room = max(most - inside, inside)
    if outside.sum() <= room:
        return np.ones(len(tags), dtype=np.bool_), 1.0
    keep = ~outside
    keep[generator.choice(np.flatnonzero(outside), room, replace=False)] = True
    return keep, float(outside.sum()) / room


def _outside(labels: Sequence[str]) -> int:
    """Return the number of the tag outside of entities, -1 where there is none."""
    return list(labels).index(OUTSIDE) if OUTSIDE in labels else -1
