"""Words to fit a head of tags on, their vectors, tags and weights; no more are kept than memory should hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Flags, Floats, Indices, softmax
from advisor.backend.chunks import OUTSIDE
from advisor.backend.encoder import Encoder
from advisor.backend.evaluation import headline
from advisor.backend.folds import some_rows
from advisor.backend.linear import HeldOut
from advisor.backend.rows import Rows
from advisor.backend.settings import ProbeSettings
from advisor.backend.within_memory import Progress
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
        whole: numbers of the words of rows that are kept whole, to choose and measure on.
    """

    vectors: Floats
    tags: Indices
    rows: Indices
    weights: Floats
    whole: Indices


def tagged_words(
    encoder: Encoder,
    inputs: Sequence[Input],
    tags: Sequence[NDArray[Any]] | NDArray[Any],
    labels: Sequence[str],
    settings: ProbeSettings,
    *,
    seed: int,
    progress: Progress | None = None,
) -> TaggedWords:
    """Embed rows of words, a window at a time, and keep about as many words as the settings allow.

    Every word of an entity is kept, and some rows are kept whole. Of the other words, those outside, so many are drawn
    that the bound holds, yet no fewer than there are words of entities; each stands for as many as it was drawn from.

    Args:
        encoder: reads the words.
        inputs: rows of words.
        tags: numbers of their tags, an array a row.
        labels: names of the tags.
        settings: how many words to keep, and how many in whole rows.
        seed: of the draws.
        progress: called with rows done and rows in all.
    """
    generator = np.random.default_rng(seed)
    flat = np.concatenate(tags).astype(np.int64)
    rows = np.repeat(np.arange(len(tags)), [len(row) for row in tags])
    whole = np.zeros(len(flat), dtype=np.bool_)
    whole[some_rows(len(flat), rows, min(settings.search_rows, settings.most_words), generator)] = True
    keep, weights = _drawn(flat == outside_tag(labels), whole, settings.most_words, generator)
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
    return TaggedWords(np.concatenate(vectors), flat[keep], rows[keep], weights[keep], np.flatnonzero(whole[keep]))


def outside_margin(held: HeldOut, words: TaggedWords, labels: Sequence[str], margins: Sequence[float]) -> float:
    """Return by how much to lower the logit of the tag outside for the best F1 of entities held out.

    Most words lie outside, so that tag is the likeliest one of a doubtful word, and entities are missed.
    """
    order = np.argsort(held.rows)
    numbers, logits = held.rows[order], held.logits[order].copy()
    ends = np.flatnonzero(np.diff(words.rows[numbers])) + 1
    tags = np.empty(len(ends) + 1, dtype=object)
    tags[:] = np.split(words.tags[numbers], ends)
    rows = Rows([("",) * len(row) for row in tags], tags, range(len(tags)))
    outside, scores, lowered = outside_tag(labels), [], 0.0
    for margin in margins:
        logits[:, outside] -= margin - lowered
        lowered = margin
        scores.append(headline("token-classification", softmax(logits), rows, labels)["micro_f1"])
    return margins[int(np.argmax(scores))]


def outside_tag(labels: Sequence[str]) -> int:
    """Return the number of the tag outside of entities, -1 where there is none."""
    return list(labels).index(OUTSIDE) if OUTSIDE in labels else -1


def _drawn(outside: Flags, whole: Flags, most: int, generator: np.random.Generator) -> tuple[Flags, Floats]:
    """Return which words are kept, and how many each stands for."""
    keep = ~outside | whole
    candidates = np.flatnonzero(~keep)
    room = max(most - int(keep.sum()), int((~outside).sum()))
    weights: Floats = np.ones(len(outside), dtype=np.float32)
    if len(candidates) > room:
        weights[candidates] = len(candidates) / room
        candidates = generator.choice(candidates, room, replace=False)
    keep[candidates] = True
    return keep, weights
