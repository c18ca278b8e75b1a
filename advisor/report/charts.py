"""Charts as coordinates: the quality-cost plot and the decision map, for a template to draw as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from advisor.report.record import spoken
from advisor.report.units import value_of

WIDTH, HEIGHT = 720, 330
LEFT, RIGHT, TOP, BOTTOM = 46, 16, 14, 46
_NO_TRAINING = 46
_LABEL_HEIGHT, _LETTER = 17, 7.2
_DODGE = 9
_TIMES = (1, 10, 60, 600, 3600, 36_000, 86_400, 864_000)
_TIME_NAMES = ("1 s", "10 s", "1 min", "10 min", "1 h", "10 h", "1 day", "10 days")


@dataclass(frozen=True)
class Option:
    """What the plot shows of an option: expected or measured accuracy and training seconds, as low, point, high."""

    name: str
    family: str
    quality: dict[str, float]
    seconds: dict[str, float]
    kind: str


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
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True)
class Tick:
    """A tick: its place in pixels and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Plot:
    """The quality-cost plot."""

    dots: list[Dot]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def quality_cost_plot(options: Sequence[Option]) -> Plot | None:
    """Lay out options by training time (logarithmic) and accuracy; None where fewer than two have both."""
    if len(options) < 2:
        return None
    times = [v for o in options for v in o.seconds.values() if v > 0] or [1.0]
    start, stop = min(times) / 1.5, max(times) * 1.5
    untrained = any(option.seconds["point"] <= 0 for option in options)
    left = LEFT + (_NO_TRAINING if untrained else 12)

    def across(seconds: float) -> float:
        if seconds <= 0:
            return LEFT + _NO_TRAINING / 2
        return left + (WIDTH - RIGHT - left) * math.log(seconds / start) / math.log(stop / start)

    step = 0.1 if _span(options) > 0.25 else 0.05
    lowest = max(0.0, math.floor(min(o.quality["low"] for o in options) / step) * step)
    highest = min(1.0, math.ceil(max(o.quality["high"] for o in options) / step) * step)

    def up(quality: float) -> float:
        return TOP + (HEIGHT - BOTTOM - TOP) * (highest - quality) / max(highest - lowest, step)

    dots = [
        Dot(
            option,
            *(across(option.seconds["point"]), up(option.quality["point"])),
            *(across(option.seconds["low"]), across(option.seconds["high"])),
            *(up(option.quality["low"]), up(option.quality["high"])),
            *(0.0, 0.0, "start"),
        )
        for option in options
    ]
    _dodge(dots)
    _label(dots)
    x_ticks = [Tick(across(t), n) for t, n in zip(_TIMES, _TIME_NAMES, strict=True) if start <= t <= stop]
    if untrained:
        x_ticks.insert(0, Tick(across(0), "none"))
    count = round((highest - lowest) / step)
    y_ticks = [Tick(up(lowest + n * step), f"{lowest + n * step:.2f}") for n in range(count + 1)]
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
    """Put every name beside its dot, lower where it would cover another."""
    boxes: list[tuple[float, float, float]] = []
    for dot in sorted(dots, key=lambda dot: dot.y):
        width = len(_text(dot)) * _LETTER
        dot.anchor = "start" if dot.x + 12 + width < WIDTH - RIGHT else "end"
        dot.label_x = dot.x + 11 if dot.anchor == "start" else dot.x - 11
        near = dot.label_x if dot.anchor == "start" else dot.label_x - width
        dot.label_y = dot.y - 8
        while any(
            near < right and near + width > left and abs(dot.label_y - y) < _LABEL_HEIGHT for left, right, y in boxes
        ):
            dot.label_y += _LABEL_HEIGHT / 2
        boxes.append((near, near + width, dot.label_y))


def _text(dot: Dot) -> str:
    return f"{dot.option.name}{' (measured)' if dot.option.kind == 'measured' else ''}"


@dataclass(frozen=True)
class Area:
    """Neighbouring cells of one verdict in a row of the map, in pixels; ``name`` where there is room for it."""

    strategy: str | None
    x: float
    y: float
    width: float
    height: float
    name: str


@dataclass(frozen=True)
class Map:
    """The decision map."""

    areas: list[Area]
    strategies: list[str]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    y_title: str
    here_x: float
    here_y: float
    left: int
    bottom: float
    height: float
    width: int = WIDTH


def lay_out_map(found: dict[str, Any], y_title: str) -> Map:
    """Lay out what `decision_map` found; each verdict is named once, in its longest row."""
    x, rows = found["x"], found["rows"]
    left, cell_height = (92, 21) if found["y"] else (16, 46)
    cell = (WIDTH - RIGHT - left) / len(x)
    areas: list[Area] = []
    for number, row in enumerate(rows):
        column = 0
        for strategy, group in groupby(row):
            span = len(list(group))
            areas.append(
                Area(strategy, left + column * cell, TOP + number * cell_height, span * cell, cell_height, "")
            )
            column += span
    strategies = list(dict.fromkeys(area.strategy for area in areas if area.strategy))
    for strategy in strategies:
        own = [place for place, area in enumerate(areas) if area.strategy == strategy]
        widest = max(areas[place].width for place in own)
        rows_of = [place for place in own if areas[place].width == widest]
        place = rows_of[len(rows_of) // 2]
        if len(strategy) * _LETTER + 8 < widest:
            areas[place] = Area(**{**vars(areas[place]), "name": strategy})
    bottom = TOP + len(rows) * cell_height
    decades = [10**power for power in range(7) if x[0] <= 10**power <= x[-1]]
    y_ticks = [
        Tick(TOP + (number + 0.5) * cell_height, spoken(found["y_input"], value))
        for number, value in enumerate(found["y"] or ())
        if number % 2 == 0
    ]
    column, row_number = found["here"]
    return Map(
        areas=areas,
        strategies=strategies,
        x_ticks=[Tick(_between(x, count, left, cell), f"{count:,}") for count in decades],
        y_ticks=y_ticks,
        y_title=y_title,
        here_x=left + (column + 0.5) * cell,
        here_y=TOP + (row_number + 0.5) * cell_height,
        left=left,
        bottom=bottom,
        height=bottom + BOTTOM,
    )


def _between(x: Sequence[int], wanted: int, left: float, cell: float) -> float:
    place = min(range(len(x)), key=lambda place: abs(math.log(x[place] / wanted)))
    return left + (place + 0.5) * cell


def option_of(name: str, family: str, expected: dict[str, Any], kind: str) -> Option | None:
    """Return an option of the plot, or None where its quality or time is not known."""
    quality, seconds = expected.get("quality"), expected.get("train_seconds")
    return Option(name, family, quality, seconds, kind) if quality and seconds else None


def describe(option: Option) -> str:
    """Return a dot in words, for its tooltip and for readers of the page by ear."""
    quality, seconds = value_of("quality", option.quality["point"]), value_of("train_seconds", option.seconds["point"])
    return f"{option.name}: {'measured' if option.kind == 'measured' else 'expected'} accuracy {quality}, training {seconds}"
