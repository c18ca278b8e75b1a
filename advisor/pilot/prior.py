"""The prior over learning curves: how strategies, data sets and label counts go together, as a Gaussian process.

A curve is the log-odds of the leading measure over the number of labels a class. It is the sum of what strategies
have in common over data sets, of what the task adds and of what this data set adds: each of them in three parts - of
all strategies, of those that train the encoder or leave it as it is, and of the strategy alone - and each part as a
level and, but for the task, a slope. The slope runs along one of several shapes (a logarithm, power laws, an
exponential), and which shape the data follow is weighed by how well each explains all there is: no one family fits all
curves (Viering and Loog 2021, arXiv 2103.10948).
The sizes of the parts are estimated from measurements, see ``rules/outlook.yaml``.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.pilot.cells import Cell

Array = NDArray[np.float64]
_SAME_ROWS = 0.1
"""Doublings of labels, within which fits on a data set learn from the same rows."""

Shape = Callable[[Array], Array]

_CENTRE, _SPREAD = 5.0, 2.5
"""Mean and deviation of log2(1 + labels a class) that shapes are scaled by, a unit alone: sizes are fitted in it."""


class Parts(BaseModel):
    """Standard deviations in log-odds: of all strategies together, of a group, of a strategy on its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    together: float = Field(ge=0)
    group: float = Field(ge=0)
    own: float = Field(ge=0)


class Noise(BaseModel):
    """How much repeated fits differ: ``fit / (1 + labels a class) ** decay`` in log-odds, each on its own.

    ``draw``, with the same decay, is how much other rows move all strategies that learn from the same ones. ``shared``
    is the share of the variance of judging on few rows that strategies judged on the same rows share. ``shift`` is how
    much rows that come later differ from those at hand, for all strategies alike; ``shift_of_equal_shares`` where those
    at hand hold every class alike, as rows that were chosen do, and those that come later hold them as they come.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fit: float = Field(ge=0)
    draw: float = Field(ge=0)
    decay: float = Field(ge=0)
    shared: float = Field(ge=0, le=1)
    shift: float = Field(ge=0)
    shift_of_equal_shares: float = Field(ge=0)


class Prior(BaseModel):
    """The prior's sizes; see the module.

    Attributes:
        groups: of strategies that behave alike.
        everywhere: levels and slopes that hold on every data set.
        classes: change of the level for a doubling of the classes.
        task_level: levels that a task adds.
        here: levels and slopes that a data set adds.
        bend: what a strategy's curve on a data set departs from its shape, at points ``reach`` doublings apart.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: dict[str, str]
    everywhere_level: Parts
    everywhere_slope: Parts
    classes: float = Field(ge=0)
    task_level: Parts
    here_level: Parts
    here_slope: Parts
    bend: float = Field(ge=0)
    reach: float = Field(gt=0)
    noise: Noise


@cache
def load_prior() -> Prior:
    """Return the fitted prior.

    Raises:
        RuleBaseError: the file breaks its schema.
    """
    return read_document(asset("rules", "outlook.yaml"), kind=RuleBaseError).validate(
        Prior, kind=RuleBaseError, at=("prior",)
    )


def _logarithm(doublings: Array) -> Array:
    return doublings


def _power(exponent: float) -> Shape:
    return lambda doublings: -np.exp2(-exponent * doublings)


def _exponential(doublings: Array) -> Array:
    return -np.exp(-(np.exp2(doublings) - 1) / 2**_CENTRE)


def _scaled(shape: Shape) -> Shape:
    grid = np.linspace(_CENTRE - 1.5 * _SPREAD, _CENTRE + 1.5 * _SPREAD, 31)
    mean, deviation = shape(grid).mean(), shape(grid).std()
    return lambda doublings: (shape(doublings) - mean) / deviation


SHAPES = {
    "logarithm": _scaled(_logarithm),
    "square root": _scaled(_power(0.5)),
    "inverse": _scaled(_power(1.0)),
    "exponential": _scaled(_exponential),
}
"""How a curve rises with log2(1 + labels a class), scaled to mean 0 and deviation 1 over the usual range."""


class Points(NamedTuple):
    """Where curves are looked at: numbers of data sets, tasks, strategies, groups; doublings of labels and classes."""

    data: Array
    task: Array
    strategy: Array
    group: Array
    doublings: Array
    slopes: Array
    classes: Array


class Places:
    """Numbers data sets and strategies, so that points can be compared by arrays."""

    def __init__(self, prior: Prior, label_free: Sequence[str]) -> None:
        self.prior, self.label_free = prior, frozenset(label_free)
        self.numbers: dict[tuple[str, object], int] = {}

    def points(self, cells: Sequence[Cell]) -> Points:
        """Return where the cells lie; a strategy that takes no labels has no slope."""
        groups = self.prior.groups
        return Points(
            self._numbered("data", [(cell.data, cell.natural) for cell in cells]),
            self._numbered("task", [cell.task for cell in cells]),
            self._numbered("strategy", [cell.strategy for cell in cells]),
            self._numbered("group", [groups.get(cell.strategy, cell.strategy) for cell in cells]),
            np.array([np.log2(1 + cell.per_class) for cell in cells]),
            np.array([float(cell.strategy not in self.label_free) for cell in cells]),
            np.array([np.log2(cell.classes) for cell in cells]),
        )

    def _numbered(self, kind: str, names: Sequence[object]) -> Array:
        return np.array([self.numbers.setdefault((kind, name), len(self.numbers)) for name in names], dtype=np.float64)


def covariance(prior: Prior, shape: str, one: Points, other: Points) -> Array:
    """Return the prior covariance (points, points) of log-odds on curves of a shape."""
    same_data, same_task, same_group, same = (
        (getattr(one, name)[:, None] == getattr(other, name)[None, :]).astype(np.float64)
        for name in ("data", "task", "group", "strategy")
    )

    def parts(sizes: Parts) -> Array:
        found: Array = sizes.together**2 + sizes.group**2 * same_group + sizes.own**2 * same
        return found

    labels = np.outer(one.slopes, other.slopes)
    along = {name: labels * np.outer(rise(one.doublings), rise(other.doublings)) for name, rise in SHAPES.items()}
    far = (one.doublings[:, None] - other.doublings[None, :]) / prior.reach
    near = np.exp(-0.5 * far**2) * labels
    everywhere = parts(prior.everywhere_level) + parts(prior.everywhere_slope) * sum(along.values()) / len(along)
    of_classes = prior.classes**2 * np.outer(one.classes - 2, other.classes - 2)
    of_task = parts(prior.task_level) * same_task
    here = parts(prior.here_level) + parts(prior.here_slope) * along[shape] + prior.bend**2 * same * near
    total: Array = everywhere + of_classes + of_task + same_data * here
    return total


def noise(prior: Prior, cells: Sequence[Cell], points: Points) -> Array:
    """Return the covariance (cells, cells) of what was measured about its curve: of fits, and of judging on few rows.

    Judging k rows has the variance ``1 / (k p (1 - p))`` in log-odds (delta method).
    """
    measured = np.array([_inside(cell) for cell in cells])
    judged = np.array([float(cell.judged) for cell in cells])
    chance = 1 / np.sqrt(judged * measured * (1 - measured))
    overlap = np.sqrt(np.minimum.outer(judged, judged) / np.maximum.outer(judged, judged))
    same_data = points.data[:, None] == points.data[None, :]
    found: Array = prior.noise.shared * np.outer(chance, chance) * same_data * overlap
    learns = (points.slopes > 0) / np.array([np.sqrt(cell.fits) for cell in cells])
    fading = learns * np.exp2(-prior.noise.decay * points.doublings)
    moved, fits = prior.noise.draw * fading, (prior.noise.fit * fading) ** 2
    same_rows = same_data & (np.abs(points.doublings[:, None] - points.doublings[None, :]) < _SAME_ROWS)
    found += np.outer(moved, moved) * same_rows + np.diag((1 - prior.noise.shared) * chance**2 + fits)
    return found


def fit_variance(prior: Prior, per_class: float) -> float:
    """Return the variance in log-odds between fits on other rows and with other seeds."""
    both = prior.noise.fit**2 + prior.noise.draw**2
    return float(both / (1 + per_class) ** (2 * prior.noise.decay))


def log_odds(cells: Sequence[Cell]) -> Array:
    """Return the log-odds of what was measured, drawn in from 0 and 1 by half a row."""
    value = np.array([_inside(cell) for cell in cells])
    found: Array = np.log(value / (1 - value))
    return found


def _inside(cell: Cell) -> float:
    return (cell.value * cell.judged + 0.5) / (cell.judged + 1)
