"""The outlook: what each strategy would reach at any number of labels, given all that was measured so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from advisor.knowledge.interval import Interval
from advisor.pilot.cells import HERE, Cell, evidence
from advisor.pilot.prior import (
    SHAPES,
    Array,
    Places,
    Points,
    Prior,
    covariance,
    fit_variance,
    load_prior,
    log_odds,
    noise,
)

_QUANTILES = np.array([NormalDist().inv_cdf((i + 0.5) / 401) for i in range(401)])
_DRAWS = np.random.default_rng(0).standard_normal((1024, 64))
_OUTCOMES, _CHANCES = np.polynomial.hermite_e.hermegauss(15)
_CHANCES = _CHANCES / _CHANCES.sum()
_LABELS = np.exp2(np.linspace(1, 13, 73)) - 1


class Measured(NamedTuple):
    """The mean of the leading measure over ``judged`` held-out rows, at a training size of the data at hand."""

    strategy: str
    rows: float
    per_class: float
    value: float
    judged: int


class Candidate(NamedTuple):
    """A measurement that could be made."""

    strategy: str
    per_class: float
    judged: int


class _Belief(NamedTuple):
    """Curves along one shape: its weight, and what conditions on the cells."""

    shape: str
    weight: float
    factor: Array
    pull: Array


@dataclass(frozen=True)
class Outlook:
    """Curves of strategies on the data at hand, as a mixture of Gaussian processes, one a shape of curve.

    Attributes:
        strategies: contenders.
        classes: of the data at hand.
        label_free: strategies that take no labels; their curves are level.
        cells: everything measured: on other data and on these.
        task: id of the task.
        equal_shares: whether the rows at hand hold every class alike.
    """

    strategies: tuple[str, ...]
    classes: int
    label_free: frozenset[str]
    cells: tuple[Cell, ...]
    sizes: Prior
    task: str = "text-classification"
    equal_shares: bool = False

    @classmethod
    def prior(
        cls,
        strategies: Sequence[str],
        classes: int,
        *,
        label_free: Sequence[str] = ("zero-shot",),
        known: Sequence[Cell] | None = None,
        sizes: Prior | None = None,
        task: str = "text-classification",
        equal_shares: bool = False,
    ) -> "Outlook":
        """Return what is known before anything is measured here.

        Args:
            strategies: contenders.
            classes: of the data at hand.
            label_free: strategies that take no labels.
            known: measurements on other data; those that are shipped if left out.
            sizes: of the prior's parts; the fitted ones if left out.
            task: id of the task.
            equal_shares: whether the rows at hand hold every class alike.
        """
        cells = tuple(evidence() if known is None else known)
        return cls(tuple(strategies), classes, frozenset(label_free), cells, sizes or load_prior(), task, equal_shares)

    def after(self, measured: Sequence[Measured]) -> "Outlook":
        """Return the outlook that takes these measurements into account as well."""
        new = (self._cell(one.strategy, one.per_class, one.value, one.judged) for one in measured)
        return replace(self, cells=(*self.cells, *new))

    def expected(self, strategy: str, per_class: float) -> float:
        """Return the expected measure."""
        return float(self._means(per_class)[self.strategies.index(strategy)])

    def at(self, strategy: str, per_class: float) -> Interval:
        """Return the 5 %, 50 % and 95 % quantile of what one fit would reach on new rows at so many labels a class."""
        points, found = self._points([(strategy, per_class)]), []
        noise = self.sizes.noise
        spread = (noise.shift_of_equal_shares if self.equal_shares else noise.shift) ** 2
        spread += 0.0 if strategy in self.label_free else fit_variance(self.sizes, per_class)
        for belief in self._beliefs:
            mean, variance = self._posterior(belief, points)
            values = _share(mean[0] + _QUANTILES * np.sqrt(variance[0, 0] + spread))
            found.append((values, np.full(len(values), belief.weight)))
        return _quantiles(*(np.concatenate(part) for part in zip(*found, strict=True)))

    def best(self, per_class: float) -> dict[str, float]:
        """Return each contender's probability of being best."""
        values, weights = self._sampled(per_class)
        winners = values.argmax(axis=1)
        return {name: float(weights[winners == i].sum()) for i, name in enumerate(self.strategies)}

    def loss(self, strategy: str, per_class: float) -> float:
        """Return by how much the best is expected to be better."""
        values, weights = self._sampled(per_class)
        return float(weights @ (values.max(axis=1) - values[:, self.strategies.index(strategy)]))

    def within(self, strategy: str, per_class: float, margin: float) -> float:
        """Return the probability that no contender is better by more than ``margin``."""
        values, weights = self._sampled(per_class)
        close = values.max(axis=1) - values[:, self.strategies.index(strategy)] <= margin
        return float(weights[close].sum())

    def worth(self, candidates: Sequence[Candidate], per_class: float) -> list[float]:
        """Return by how much each measurement would raise what the then best-looking contender is expected to reach.

        That is the knowledge gradient (Frazier, Powell and Dayanik 2008): the mean over outcomes of the highest
        expectation afterwards, less the highest now; an outcome shifts every curve by its covariance with the point
        measured.
        """
        wanted = [(name, per_class) for name in self.strategies]
        points = self._points([*wanted, *((one.strategy, one.per_class) for one in candidates)])
        count, total = len(wanted), np.zeros(len(candidates))
        for belief in self._beliefs:
            mean, variance = self._posterior(belief, points)
            # Both expectations come from the same outcomes: the mean of a share is approximated, and errors that differ
            # before and after would hide what a measurement is worth.
            at, left = mean[:count], variance.diagonal()[:count]
            for number, one in enumerate(candidates):
                place = count + number
                guess = float(np.clip(_share(mean[place : place + 1])[0], 0.02, 0.98))
                spread = 0.0 if one.strategy in self.label_free else fit_variance(self.sizes, one.per_class)
                doubt = variance[place, place] + spread + 1 / (one.judged * guess * (1 - guess))
                shift = variance[:count, place] / np.sqrt(doubt)
                rest = np.maximum(left - shift**2, 0)
                after = _mean_share(at[None, :] + np.outer(_OUTCOMES, shift), rest[None, :])
                total[number] += belief.weight * (_CHANCES @ after.max(axis=1) - (_CHANCES @ after).max())
        return [max(float(value), 0.0) for value in total]

    def labels_for(self, target: float, strategy: str) -> Interval | None:
        """Return how many labelled rows the target takes: 5 %, 50 % and 95 %; None if half the curves never get there.

        Curves that fall from the first point looked at, one label a class, to the last, 8,191, are none of learning and
        do not count. A quantile beyond the last point is infinite.
        """
        points, found = self._points([(strategy, float(count)) for count in _LABELS]), []
        for belief in self._beliefs:
            mean, variance = self._posterior(belief, points)
            curves = mean + _DRAWS[:, : min(64, len(mean))] @ _root(variance, 64)
            reached = _share(curves[curves[:, -1] >= curves[:, 0]]) >= target
            rows = np.where(reached.any(axis=1), _LABELS[reached.argmax(axis=1)] * self.classes, np.inf)
            found.append((rows, np.full(len(rows), belief.weight)))
        values, weights = (np.concatenate(part) for part in zip(*found, strict=True))
        needed = _quantiles(values, weights) if len(values) else None
        return needed if needed and np.isfinite(needed.point) else None

    def leaders(self, most: float) -> list[tuple[float, str]]:
        """Return from how many labels a class on which contender is expected to be best, up to ``most``."""
        found: list[tuple[float, str]] = []
        for count in (*(labels for labels in _LABELS.tolist() if labels < most), most):
            name = self.strategies[int(self._means(count).argmax())]
            if not found or found[-1][1] != name:
                found.append((float(count), name))
        return found

    @cached_property
    def shapes(self) -> dict[str, float]:
        """The weight of each shape of curve."""
        return {belief.shape: belief.weight for belief in self._beliefs}

    @property
    def evidence_log_likelihood(self) -> float:
        """How well the prior explains all that was measured, over the shapes."""
        return float(np.logaddexp.reduce([found[0] for found in self._conditioned]) - np.log(len(SHAPES)))

    @cached_property
    def _places(self) -> Places:
        return Places(self.sizes, sorted(self.label_free))

    @cached_property
    def _known(self) -> Points:
        return self._places.points(self.cells)

    @cached_property
    def _conditioned(self) -> list[tuple[float, str, Array, Array]]:
        values, disturbed, found = log_odds(self.cells), noise(self.sizes, self.cells, self._known), []
        for shape in SHAPES:
            joint = covariance(self.sizes, shape, self._known, self._known) + disturbed
            factor = np.asarray(np.linalg.cholesky(joint), dtype=np.float64)
            inner = _solve(factor, values)
            likelihood = -0.5 * inner @ inner - np.log(factor.diagonal()).sum() - 0.5 * len(values) * np.log(2 * np.pi)
            found.append((float(likelihood), shape, factor, inner))
        return found

    @cached_property
    def _beliefs(self) -> list[_Belief]:
        likelihoods = np.array([found[0] for found in self._conditioned])
        weights = np.exp(likelihoods - np.logaddexp.reduce(likelihoods))
        return [
            _Belief(shape, float(weight), factor, inner)
            for weight, (_, shape, factor, inner) in zip(weights, self._conditioned, strict=True)
            if weight > 1e-3
        ]

    def _points(self, wanted: Sequence[tuple[str, float]]) -> Points:
        return self._places.points([self._cell(name, count) for name, count in wanted])

    def _cell(self, strategy: str, per_class: float, value: float = 0.5, judged: int = 1) -> Cell:
        return Cell(HERE, strategy, per_class, self.classes, value, judged, task=self.task)

    def _posterior(self, belief: _Belief, points: Points) -> tuple[Array, Array]:
        known = _solve(belief.factor, covariance(self.sizes, belief.shape, self._known, points))
        variance = covariance(self.sizes, belief.shape, points, points) - known.T @ known
        return known.T @ belief.pull, variance

    def _means(self, per_class: float) -> Array:
        points, total = self._points([(name, per_class) for name in self.strategies]), np.zeros(len(self.strategies))
        for belief in self._beliefs:
            mean, variance = self._posterior(belief, points)
            total += belief.weight * _mean_share(mean, variance.diagonal())
        return total

    def _sampled(self, per_class: float) -> tuple[Array, Array]:
        """Return draws of what every contender reaches (draws, contenders), and their weights."""
        points, values, weights = self._points([(name, per_class) for name in self.strategies]), [], []
        for belief in self._beliefs:
            mean, variance = self._posterior(belief, points)
            values.append(_share(mean + _DRAWS[:, : len(mean)] @ _root(variance, len(mean))))
            weights.append(np.full(len(_DRAWS), belief.weight / len(_DRAWS)))
        found = np.concatenate(weights)
        return np.concatenate(values), found / found.sum()


def _solve(factor: Array, right: Array) -> Array:
    from scipy.linalg import solve_triangular

    found: Array = solve_triangular(factor, right, lower=True, check_finite=False)
    return found


def _share(odds: Array) -> Array:
    found: Array = 1 / (1 + np.exp(-odds))
    return found


def _mean_share(mean: Array, variance: Array) -> Array:
    """Return the expectation of a share whose log-odds are normal (MacKay 1992, the evidence framework, section 2)."""
    return _share(mean / np.sqrt(1 + np.pi * variance / 8))


def _root(variance: Array, most: int) -> Array:
    """Return a matrix R (at most ``most`` rows) with R.T @ R the covariance, its smallest directions left out."""
    values, vectors = np.linalg.eigh(variance)
    found: Array = (vectors * np.sqrt(np.maximum(values, 0))).T[::-1][:most]
    return found


def _quantiles(values: Array, weights: Array) -> Interval:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order]) / weights.sum()
    low, point, high = (
        float(values[order[min(int(np.searchsorted(passed, share)), len(values) - 1)]]) for share in (0.05, 0.5, 0.95)
    )
    return Interval(low, point, high)
