"""Points: timed work of a known size, from which rates are fitted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from advisor.knowledge.catalogue import BaseModelFacts


@dataclass(frozen=True)
class Point:
    """Work on rows of one length, and how long it took.

    Attributes:
        kind: ``embed``, ``single``, ``single-tuned`` or ``update``.
        rows, length: how many, and tokens of each.
        seconds: median wall time.
        flops: operations, three times those of a forward pass for an update.
        units: tokens x layers x hidden.
        scores: tokens x layers x heads x length.
        layers: of the model.
        weights: parameters of the layers.
    """

    kind: str
    rows: int
    length: int
    seconds: float
    flops: float
    units: float
    scores: float
    layers: int
    weights: int

    @classmethod
    def of(cls, kind: str, model: BaseModelFacts, rows: int, length: int, seconds: float) -> "Point":
        """Return the point of a model's work on rows of a length."""
        tokens = rows * length
        passes = 3 if kind == "update" else 1
        return cls(
            kind=kind,
            rows=rows,
            length=length,
            seconds=seconds,
            flops=passes * model.forward_flops(tokens, length),
            units=tokens * model.layers * model.hidden,
            scores=tokens * model.layers * model.heads * length,
            layers=model.layers,
            weights=model.body_parameters,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the point as plain data."""
        return asdict(self)


def rate_of(points: Sequence[Point]) -> float:
    """Return 10^9 operations a second over all points together."""
    return sum(point.flops for point in points) / sum(point.seconds for point in points) / 1e9
