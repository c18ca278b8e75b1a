"""The account: how far off forecasts were, quantity by quantity."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from advisor.ledger.book import runs
from advisor.ledger.entry import Entry

QUANTITIES = (
    "quality", "train_seconds", "train_memory_bytes", "latency_ms_p50", "latency_ms_p95", "usd_per_1000", "tokens_in",
    "tokens_out",
)  # fmt: skip
_P90 = 0.9


@dataclass(frozen=True)
class Accuracy:
    """How forecasts of one quantity fared.

    Attributes:
        runs: with a forecast and a measurement of it.
        median, p90: of the distance between point and measurement, as a share of the measurement; of quality, whose
            unit is accuracy, the distance itself.
        ratio: median of measurement over point; None for quality and where points were 0.
        coverage: share of measurements within the interval.
    """

    quantity: str
    runs: int
    median: float
    p90: float
    ratio: float | None
    coverage: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def account(entries: Iterable[Entry]) -> list[Accuracy]:
    """Return how forecasts fared, as they were told; quantities without a measured forecast are left out."""
    every = runs(entries)
    return [found for found in (_accuracy(quantity, every) for quantity in QUANTITIES) if found]


def _accuracy(quantity: str, entries: Iterable[Entry]) -> Accuracy | None:
    pairs = [
        (told, measured)
        for entry in entries
        if (told := entry.told(quantity)) is not None and (measured := entry.found(quantity)) is not None
    ]
    absolute = quantity == "quality"
    if not absolute:
        pairs = [(told, measured) for told, measured in pairs if measured > 0]
    if not pairs:
        return None
    errors = sorted(abs(told.point - measured) / (1.0 if absolute else measured) for told, measured in pairs)
    ratios = [measured / told.point for told, measured in pairs if told.point > 0]
    return Accuracy(
        quantity,
        len(pairs),
        median(errors),
        _quantile(errors, _P90),
        None if absolute or not ratios else median(ratios),
        sum(told.low <= measured <= told.high for told, measured in pairs) / len(pairs),
    )


def _quantile(ascending: Sequence[float], share: float) -> float:
    """Return a quantile, linear between the values beside it."""
    place = share * (len(ascending) - 1)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (place - below) * (ascending[above] - ascending[below])
