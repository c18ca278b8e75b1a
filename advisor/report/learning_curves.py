"""Learning curves and regrets as coordinates, for a template to draw as SVG."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from advisor.benchmark.curves import Curve
from advisor.benchmark.regret import Bounds, Standing
from advisor.report.frame import LETTER, Frame, Scale, Tick

FRAME = Frame(width=520, height=300, left=46, right=388, top=12, bottom=254)
BAR_WIDTH, BAR_LEFT, BAR_RIGHT, BAR_ROW = 720, 236, 96, 34
_LINE_HEIGHT = 14
_STEPS = (0.02, 0.05, 0.1, 0.2)
_MOST_Y_TICKS = 7
_REGRET_STEPS = (1, 2, 5, 10, 20, 50)


class Mark(NamedTuple):
    """A point of a curve, in pixels, with the least and the greatest draw, and in words."""

    x: float
    y: float
    y_low: float
    y_high: float
    words: str


class Line(NamedTuple):
    """A strategy's curve; its name stands at ``label_y`` beside the last point."""

    strategy: str
    path: str
    marks: list[Mark]
    label_y: float


class CurvePlot(NamedTuple):
    """The curves of one data set; labels across in a logarithm, the measure up."""

    data: str
    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    frame: Frame = FRAME


class Bar(NamedTuple):
    """A policy's mean regret with its interval, and its worst, in pixels."""

    standing: Standing
    y: float
    x: float
    x_low: float
    x_high: float
    x_worst: float


class RegretPlot(NamedTuple):
    """Mean and worst regret of every policy, in points across."""

    bars: list[Bar]
    ticks: list[Tick]
    height: int
    width: int = BAR_WIDTH
    left: int = BAR_LEFT
    right: int = BAR_WIDTH - BAR_RIGHT


def curve_plots(curves: Iterable[Curve]) -> list[CurvePlot]:
    """Lay out one plot for every data set with two or more numbers of labels."""
    by_data: dict[str, list[Curve]] = {}
    for curve in curves:
        by_data.setdefault(curve.data, []).append(curve)
    plots = (_curve_plot(data, found) for data, found in by_data.items())
    return [plot for plot in plots if plot]


def regret_plot(standings: Sequence[Standing]) -> RegretPlot:
    """Lay out regrets, one policy a row; the axis begins at no regret."""
    most = max((one.worst.value for one in standings), default=1.0) or 1.0
    step = next((step for step in _REGRET_STEPS if most / step <= _MOST_Y_TICKS), _REGRET_STEPS[-1])
    end = math.ceil(most / step) * step

    def across(points: float) -> float:
        return BAR_LEFT + (BAR_WIDTH - BAR_RIGHT - BAR_LEFT) * min(max(points, 0.0), end) / end

    bars = [
        Bar(
            one,
            y=FRAME.top + (number + 0.5) * BAR_ROW,
            x=across(one.regret.value),
            x_low=across(one.regret.low),
            x_high=across(one.regret.high),
            x_worst=across(one.worst.value),
        )
        for number, one in enumerate(standings)
    ]
    ticks = [Tick(across(points), f"{points}") for points in range(0, end + 1, step)]
    return RegretPlot(bars, ticks, FRAME.top + len(bars) * BAR_ROW + FRAME.height - FRAME.bottom)


def in_points(bounds: Bounds | None) -> str:
    """Return points with their interval in words; nothing where there are none."""
    return f"{bounds.value:.1f} [{bounds.low:.1f}–{bounds.high:.1f}]" if bounds else ""


def _curve_plot(data: str, curves: list[Curve]) -> CurvePlot | None:
    labels = sorted({point.labelled for curve in curves for point in curve.points})
    if len(labels) < 2:
        return None
    start, stop = math.log(labels[0]), math.log(labels[-1])
    values = [value for curve in curves for p in curve.points for value in (p.low, p.high)]
    step = next((s for s in _STEPS if (max(values) - min(values)) / s <= _MOST_Y_TICKS), _STEPS[-1])
    lowest, highest = math.floor(min(values) / step) * step, math.ceil(max(values) / step) * step

    def across(labelled: float) -> float:
        return FRAME.left + 8 + (FRAME.right - FRAME.left - 16) * (math.log(labelled) - start) / (stop - start)

    up, y_ticks = FRAME.upwards(lowest, highest, step)
    lines = [_line(curve, across, up) for curve in curves]
    return CurvePlot(
        data=data,
        lines=_apart(lines),
        x_ticks=_thinned([Tick(across(value), f"{value:,.0f}") for value in labels]),
        y_ticks=y_ticks,
    )


def _line(curve: Curve, across: Scale, up: Scale) -> Line:
    marks = [
        Mark(
            across(p.labelled),
            up(p.value),
            up(p.low),
            up(p.high),
            f"{curve.strategy}: {p.value:.3f} with {p.labelled:,.0f} labels, {len(p.by_seed)} draws",
        )
        for p in curve.points
    ]
    path = "M" + "L".join(f"{mark.x:.1f} {mark.y:.1f}" for mark in marks)
    return Line(curve.strategy, path, marks, marks[-1].y + 4)


def _apart(lines: list[Line]) -> list[Line]:
    """Move names apart that would stand on each other, the highest curve's first, and back up from the bottom."""
    placed: list[Line] = []
    for line in sorted(lines, key=lambda line: line.label_y):
        lowest = placed[-1].label_y + _LINE_HEIGHT if placed else line.label_y
        placed.append(line._replace(label_y=max(line.label_y, lowest)))
    bottom: float = FRAME.bottom + _LINE_HEIGHT
    for number in reversed(range(len(placed))):
        placed[number] = placed[number]._replace(label_y=min(placed[number].label_y, bottom))
        bottom = placed[number].label_y - _LINE_HEIGHT
    return placed


def _thinned(ticks: list[Tick]) -> list[Tick]:
    """Leave out ticks whose text would touch the one before."""
    kept: list[Tick] = []
    for tick in ticks:
        room = LETTER * (len(tick.text) + len(kept[-1].text) + 2) / 2 if kept else 0.0
        if not kept or tick.at - kept[-1].at >= room:
            kept.append(tick)
    return kept
