"""The decision map as coordinates, for a template to draw: every region of a verdict with its name or a letter."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from advisor.report.charts import FRAME
from advisor.report.frame import LETTER, Tick
from advisor.report.units import spoken

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST_TICKS = 7
_FEW_ROWS = 3
_TITLES = {"data.labelled": "labelled texts"}


@dataclass
class Area:
    """Neighbouring cells of one verdict in a row of the map, in pixels; ``name`` is what is written on it, if anything.

    ``region`` is the same for areas of one verdict that touch.
    """

    strategy: str | None
    x: float
    y: float
    width: float
    height: float
    region: int
    name: str = ""


@dataclass(frozen=True)
class Map:
    """The decision map; ``letters`` stand for verdicts, by letter, in regions without room for the name."""

    areas: list[Area]
    letters: dict[str, str]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    x_title: str
    y_title: str
    here_x: float | None
    here_y: float | None
    left: int
    bottom: float
    height: float
    width: int = FRAME.width


def lay_out_map(found: dict[str, Any]) -> Map:
    """Lay out what `decision_map` found; each region is named once, in its longest row."""
    x, rows = found["x"], found["rows"]
    left, cell_height = (92 if found["y"] else 16), (21 if len(rows) > _FEW_ROWS else 46)
    cell = (FRAME.right - left) / len(x)
    column, row_number = found["here"]
    here_x = None if column is None else left + (column + 0.5) * cell
    here_y = None if row_number is None else FRAME.top + (row_number + 0.5) * cell_height
    areas = _areas(rows, left, cell, cell_height)
    bottom = FRAME.top + len(rows) * cell_height
    y_ticks = [
        Tick(FRAME.top + (number + 0.5) * cell_height, spoken(found["y_input"], value))
        for number, value in enumerate(found["y"] or ())
        if number % 2 == 0 or not isinstance(value, float)
    ]
    return Map(
        areas=areas,
        letters=_name(areas, None if here_x is None or here_y is None else (here_x, here_y)),
        x_ticks=[Tick(left + (place + 0.5) * cell, text) for place, text in _across(found["x_input"], x)],
        y_ticks=y_ticks,
        x_title=_TITLES.get(found["x_input"], found["x_input"]),
        y_title=found["y_input"] or "",
        here_x=here_x,
        here_y=here_y,
        left=left,
        bottom=bottom,
        height=bottom + FRAME.height - FRAME.bottom,
    )


def _areas(rows: Sequence[Sequence[str | None]], left: float, cell: float, cell_height: float) -> list[Area]:
    """Return the areas row by row; one that touches others of its verdict in the row above joins their region."""
    areas: list[Area] = []
    above: list[Area] = []
    for number, row in enumerate(rows):
        column = 0
        current: list[Area] = []
        for strategy, group in groupby(row):
            span = len(list(group))
            x, width = left + column * cell, span * cell
            touching = [a for a in above if a.strategy == strategy and a.x < x + width - 1 and a.x + a.width > x + 1]
            region = min((area.region for area in touching), default=len(areas) + len(current))
            joined = {area.region for area in touching}
            for area in (*areas, *current):
                area.region = region if area.region in joined else area.region
            current.append(Area(strategy, x, FRAME.top + number * cell_height, width, cell_height, region))
            column += span
        areas += current
        above = current
    return areas


def _name(areas: list[Area], here: tuple[float, float] | None) -> dict[str, str]:
    """Write a name, or a letter where that is too long, on the longest row of every region, off the project's dot."""
    letters: dict[str, str] = {}
    for region in dict.fromkeys(area.region for area in areas if area.strategy):
        own = [area for area in areas if area.region == region]
        free = [area for area in own if not _under(area, here)] or own
        widest = max(area.width for area in free)
        longest = [area for area in free if area.width == widest]
        area = longest[len(longest) // 2]
        strategy = str(area.strategy)
        fits = len(strategy) * LETTER + 8 < area.width
        area.name = strategy if fits else letters.setdefault(strategy, _LETTERS[len(letters)])
    return {letter: strategy for strategy, letter in letters.items()}


def _under(area: Area, here: tuple[float, float] | None) -> bool:
    """Return whether the middle of an area, where its name stands, is about the project's dot."""
    if here is None or not area.y <= here[1] <= area.y + area.height:
        return False
    reach = min(len(area.strategy or "") * LETTER, area.width) / 2 + LETTER
    return abs(area.x + area.width / 2 - here[0]) < reach


def _across(name: str, values: Sequence[Any]) -> list[tuple[int, str]]:
    """Return places and texts below the map: every word, powers of ten over wide ranges, else some numbers."""
    if not isinstance(values[0], int | float) or isinstance(values[0], bool):
        return [(place, spoken(name, value)) for place, value in enumerate(values)]
    decades = [10**power for power in range(-3, 13) if values[0] <= 10**power <= values[-1]]
    if len(decades) > 2 and values[0] > 0:
        logs = [math.log10(value) for value in values]
        nearest = (min(range(len(logs)), key=lambda n: abs(logs[n] - math.log10(decade))) for decade in decades)
        return [(place, spoken(name, decade)) for place, decade in zip(nearest, decades, strict=True)]
    step = max(1, math.ceil(len(values) / _MOST_TICKS))
    return [(place, spoken(name, values[place])) for place in range(0, len(values), step)]
