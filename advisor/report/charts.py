"""The quality-cost plot as coordinates, for a template to draw as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from advisor.report.frame import LETTER, Frame, Tick
from advisor.report.units import value_of

FRAME = Frame(width=720, height=330, left=46, right=704, top=14, bottom=284)
_NO_TRAINING = 46
_LABEL_HEIGHT = 17
_DODGE = 9
_TIMES = {
    1: "1 s", 3: "3 s", 10: "10 s", 30: "30 s", 60: "1 min", 180: "3 min", 600: "10 min", 1800: "30 min",
    3600: "1 h", 10_800: "3 h", 36_000: "10 h", 86_400: "1 day", 259_200: "3 days", 864_000: "10 days",
}  # fmt: skip
_NEAREST_TICKS = 44


@dataclass(frozen=True)
class Option:
    """An option of the plot: expected or measured quality and training seconds, as low, point, high."""

    strategy: str
    engine: str
    quality: dict[str, float]
    seconds: dict[str, float]
    kind: str

    @property
    def name(self) -> str:
        """What stands beside the dot."""
        detail = "measured" if self.kind == "measured" else "" if self.engine == "encoder" else "language model"
        return f"{self.strategy} ({detail})" if detail else self.strategy


@dataclass
class Dot:
    """A dot with its bars and label, in pixels; ``kind`` is ``first``, ``other`` or ``measured``."""

    option: Option
    x: float
    y: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    label_x: float = 0.0
    label_y: float = 0.0
    anchor: str = "start"


@dataclass(frozen=True)
class Plot:
    """The quality-cost plot."""

    dots: list[Dot]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    frame: Frame = FRAME


def quality_cost_plot(options: Sequence[Option]) -> Plot | None:
    """Lay out options by training time (logarithmic) and quality; None where fewer than two have both."""
    if len(options) < 2:
        return None
    times = [v for o in options for v in o.seconds.values() if v > 0] or [1.0]
    start, stop = min(times) / 1.5, max(times) * 1.5
    untrained = any(option.seconds["point"] <= 0 for option in options)
    left = FRAME.left + (_NO_TRAINING if untrained else 12)

    def across(seconds: float) -> float:
        if seconds <= 0:
            return FRAME.left + _NO_TRAINING / 2
        return left + (FRAME.right - left) * math.log(seconds / start) / math.log(stop / start)

    step = 0.1 if _span(options) > 0.25 else 0.05
    lowest = max(0.0, math.floor(min(o.quality["low"] for o in options) / step) * step)
    highest = min(1.0, math.ceil(max(o.quality["high"] for o in options) / step) * step)

    up, y_ticks = FRAME.upwards(lowest, highest, step)
    dots = [
        Dot(
            option,
            x=across(option.seconds["point"]),
            y=up(option.quality["point"]),
            x_low=across(option.seconds["low"]),
            x_high=across(option.seconds["high"]),
            y_low=up(option.quality["low"]),
            y_high=up(option.quality["high"]),
        )
        for option in options
    ]
    _dodge(dots)
    _label(dots)
    x_ticks = [Tick(across(0), "none")] if untrained else []
    for seconds, text in _TIMES.items():
        at = across(seconds)
        if start <= seconds <= stop and (not x_ticks or at - x_ticks[-1].at >= _NEAREST_TICKS):
            x_ticks.append(Tick(at, text))
    return Plot(dots, x_ticks, y_ticks)


def _span(options: Sequence[Option]) -> float:
    return max(o.quality["high"] for o in options) - min(o.quality["low"] for o in options)


def _dodge(dots: list[Dot]) -> None:
    """Move dots apart that would hide each other's bars."""
    placed: list[float] = []
    for dot in sorted(dots, key=lambda dot: dot.x):
        if placed and dot.x < placed[-1] + _DODGE:
            dot.x = placed[-1] + _DODGE
        placed.append(dot.x)


def _label(dots: list[Dot]) -> None:
    """Put every name beside its dot, on the side where it covers least of other names and dots."""
    taken = [(dot.x - 8, dot.x + 8, dot.y) for dot in dots]
    for dot in sorted(dots, key=lambda dot: (dot.option.kind == "other", dot.y)):
        width = len(dot.option.name) * LETTER
        places = [
            (dot.x + side * 12 - (width if side < 0 else 0), dot.y + lift)
            for lift in (-9, 18, -24, 33)
            for side in (1, -1)
        ]
        inside = [(x, y) for x, y in places if x >= FRAME.left and x + width <= FRAME.right] or places
        x, y = min(inside, key=lambda place: _covered(place, width, taken))
        dot.anchor = "start" if x > dot.x else "end"
        dot.label_x, dot.label_y = (x if x > dot.x else x + width), y
        taken.append((x, x + width, y - 4))


def _covered(place: tuple[float, float], width: float, taken: list[tuple[float, float, float]]) -> int:
    """Count what a name at this place would cover."""
    x, y = place[0], place[1] - 4
    return sum(x < right and x + width > left and abs(y - at) < _LABEL_HEIGHT for left, right, at in taken)


def option_of(strategy: str, engine: str, expected: dict[str, Any], kind: str) -> Option | None:
    """Return an option of the plot, or None where its quality or time is not known."""
    quality, seconds = expected.get("quality"), expected.get("train_seconds")
    return Option(strategy, engine, quality, seconds, kind) if quality and seconds else None


def describe(option: Option, measure: str) -> str:
    """Return a dot in words, for its tooltip and for readers of the page by ear; ``measure`` is what quality is of."""
    quality = value_of("quality", option.quality["point"])
    seconds = value_of("train_seconds", option.seconds["point"])
    return f"{option.name}: {measure} {quality}, training {seconds}"
