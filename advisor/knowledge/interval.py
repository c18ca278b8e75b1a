"""An interval: a low, a point and a high value of one quantity."""

from collections.abc import Callable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator


class Interval(NamedTuple):
    """A quantity known to lie between ``low`` and ``high``, most likely near ``point``; a list of three in YAML."""

    low: float
    point: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> "Interval":
        """Return an interval without width."""
        return cls(value, value, value)

    def map(self, function: Callable[[float], float]) -> "Interval":
        """Apply a rising function to all three values."""
        return Interval(function(self.low), function(self.point), function(self.high))

    def plus(self, other: "Interval") -> "Interval":
        """Add bound to bound."""
        return Interval(self.low + other.low, self.point + other.point, self.high + other.high)

    def times(self, factor: float) -> "Interval":
        """Scale by a factor that is not negative."""
        return Interval(self.low * factor, self.point * factor, self.high * factor)

    def by(self, other: "Interval") -> "Interval":
        """Multiply bound by bound; neither is negative."""
        return Interval(self.low * other.low, self.point * other.point, self.high * other.high)

    def at_least(self, other: "Interval") -> "Interval":
        """Take the greater of each bound."""
        return Interval(max(self.low, other.low), max(self.point, other.point), max(self.high, other.high))

    def spend(self, amount: float) -> "Interval":
        """Return how long ``amount`` takes at this rate: the highest rate gives the lowest time."""
        return Interval(amount / self.high, amount / self.point, amount / self.low)

    def as_dict(self, digits: int = 4) -> dict[str, float]:
        """Return the three values by name, rounded to significant digits."""
        return {name: float(f"{value:.{digits}g}") for name, value in self._asdict().items()}


def _ordered(value: Interval) -> Interval:
    if not value.low <= value.point <= value.high:
        raise ValueError("an interval goes low, point, high")
    return value


OrderedInterval = Annotated[Interval, AfterValidator(_ordered)]
