"""Learning curves: what each strategy reached at each number of labels, and where one passes another."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp, log, nan
from typing import Any, NamedTuple

from advisor.benchmark.cells import Cell
from advisor.strategies import STRATEGIES


class Point(NamedTuple):
    """Draws of one size: mean rows, and the mean, least and greatest of what was reached, with each by its seed."""

    labelled: float
    value: float
    low: float
    high: float
    by_seed: dict[int, float]


class Curve(NamedTuple):
    """A strategy on a data set, by rising numbers of labels."""

    data: str
    strategy: str
    points: list[Point]


class Crossing(NamedTuple):
    """Where another strategy takes the lead.

    Attributes:
        before, after: the best on average below and above.
        labels: where straight lines over the logarithm of labels cross.
        low, high: the two measured numbers of labels between which that lies.
        sure: whether every seed agrees at both of them.
    """

    data: str
    before: str
    after: str
    labels: float
    low: float
    high: float
    sure: bool


def curves_of(cells: Iterable[Cell]) -> list[Curve]:
    """Return a curve for every data set and strategy, in the order of data and strategies."""
    sizes: dict[str, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for cell in cells:
        sizes[cell.situation.data][cell.situation.size].append(cell)
    found = []
    for data, by_size in sorted(sizes.items()):
        rising = sorted(by_size.values(), key=_mean_labelled)
        for strategy in STRATEGIES:
            points = [_point(strategy, drawn) for drawn in rising]
            measured = [point for point in points if point.by_seed]
            if measured:
                found.append(Curve(data, strategy, measured))
    return found


def crossings_of(curves: Sequence[Curve]) -> list[Crossing]:
    """Return where the lead changes from one measured number of labels to the next, for strategies measured at both."""
    found = []
    for data in dict.fromkeys(curve.data for curve in curves):
        at: dict[float, dict[str, Point]] = defaultdict(dict)
        for curve in curves:
            for point in curve.points if curve.data == data else ():
                at[point.labelled][curve.strategy] = point
        for low, high in pairwise(sorted(at)):
            shared = at[low].keys() & at[high].keys()
            crossing = _crossing(
                data,
                low,
                high,
                {name: at[low][name] for name in STRATEGIES if name in shared},
                {name: at[high][name] for name in STRATEGIES if name in shared},
            )
            if crossing:
                found.append(crossing)
    return found


def as_data(curves: Iterable[Curve]) -> list[dict[str, Any]]:
    """Return curves as plain data, without the single draws."""
    return [
        {
            "data": curve.data,
            "strategy": curve.strategy,
            "points": [
                {"labelled": p.labelled, "value": p.value, "low": p.low, "high": p.high, "seeds": len(p.by_seed)}
                for p in curve.points
            ],
        }
        for curve in curves
    ]


def _mean_labelled(cells: Sequence[Cell]) -> float:
    return sum(cell.situation.labelled for cell in cells) / len(cells)


def _point(strategy: str, cells: Sequence[Cell]) -> Point:
    values = {cell.situation.seed: cell.values[strategy] for cell in cells if strategy in cell.values}
    every = list(values.values()) or [nan]
    return Point(_mean_labelled(cells), sum(every) / len(every), min(every), max(every), values)


def _crossing(data: str, low: float, high: float, below: dict[str, Point], above: dict[str, Point]) -> Crossing | None:
    if not below:
        return None
    before = max(below, key=lambda name: below[name].value)
    after = max(above, key=lambda name: above[name].value)
    if before == after:
        return None
    ahead = below[before].value - below[after].value
    behind = above[after].value - above[before].value
    share = ahead / (ahead + behind) if ahead + behind else 0.5
    labels = exp(log(low) + share * (log(high) - log(low)))
    sure = _always(below[before], below[after]) and _always(above[after], above[before])
    return Crossing(data, before, after, labels, low, high, sure)


def _always(better: Point, worse: Point) -> bool:
    """Return whether one was ahead in every draw that both were measured on."""
    seeds = better.by_seed.keys() & worse.by_seed.keys()
    return bool(seeds) and all(better.by_seed[seed] > worse.by_seed[seed] for seed in seeds)
