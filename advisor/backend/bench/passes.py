"""Passes of an encoder on texts of several lengths: many texts at once, and single ones, timed."""

from collections.abc import Callable, Sequence

from advisor.backend.bench.points import Point
from advisor.backend.bench.settings import BenchSettings
from advisor.backend.bench.timing import median_seconds
from advisor.backend.encoder import Encoder
from advisor.backend.tuned import TunedModel
from advisor.knowledge.catalogue import BaseModelFacts

_WORD = "word"


def text_of(tokens: int, count: Callable[[str], int]) -> tuple[str, int]:
    """Return a text of so many tokens or a little more, and how many it has.

    Args:
        tokens: wished, special ones included.
        count: counts those of a text.
    """
    each = count(f"{_WORD} {_WORD}") - count(_WORD)
    words = max(1, -(-(tokens - count("")) // each))
    text = " ".join([_WORD] * words)
    return text, count(text)


def embedding_points(encoder: Encoder, facts: BaseModelFacts, settings: BenchSettings) -> list[Point]:
    """Time the embedding of many texts, in the batches that a run makes of them."""
    points = []
    for length in settings.lengths:
        text, found = text_of(length, lambda text: len(encoder.tokenize([text])[0]))
        texts = [text] * max(1, settings.tokens // found)
        seconds = median_seconds(lambda some=texts: encoder.embed(some), encoder.device.torch, settings.repeats)  # type: ignore[misc]
        points.append(Point.of("embed", facts, len(texts), found, seconds))
    return points


def single_points(model: Encoder | TunedModel, facts: BaseModelFacts, settings: BenchSettings) -> list[Point]:
    """Time single texts, from words to vector or answer."""
    kind, answer = ("single", model.embed) if isinstance(model, Encoder) else ("single-tuned", model.outputs)
    points = []
    for length in settings.lengths:
        text, found = text_of(length, lambda text: _tokens(model, [text]))
        one = [text]
        seconds = median_seconds(lambda some=one: answer(some), model.device.torch, 2 * settings.repeats)  # type: ignore[misc]
        points.append(Point.of(kind, facts, 1, found, seconds))
    return points


def _tokens(model: Encoder | TunedModel, texts: Sequence[str]) -> int:
    if isinstance(model, Encoder):
        return len(model.tokenize(texts)[0])
    return len(model.units(texts)[0].ids)
