"""Regret: how much worse than the best strategy in hindsight a policy's choices are, and what they cost."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from advisor.benchmark.cells import Cell, complete_cells
from advisor.benchmark.policies import Choice, Policy
from advisor.benchmark.results import Situation
from advisor.settings import load_settings

POINTS = 100.0


class Judged(NamedTuple):
    """One choice in hindsight.

    Attributes:
        regret: points of the leading measure below the best of the field.
        cost: processor seconds of choosing and of fitting what was chosen, as a share of fitting the whole field.
    """

    situation: Situation
    choice: Choice
    regret: float
    cost: float


class Bounds(NamedTuple):
    """A figure with its 95 % interval over data sets."""

    value: float
    low: float
    high: float


class Standing(NamedTuple):
    """How a policy did over all draws on which every policy's choice was measured.

    Attributes:
        regret: mean points below the best in hindsight; every data set weighs the same.
        worst: most points below the best, and ``worst_at`` the draw where that was.
        behind: mean regret less that of the first policy; None for the first itself.
        cost: mean share of what trying the whole field costs.
        chosen: how often each strategy was taken.
        error: root mean squared error of the predictions in points, and ``covered`` the share of their 90 % intervals
            that hold what was measured; None where nothing was predicted.
    """

    policy: str
    title: str
    regret: Bounds
    worst: Bounds
    worst_at: Situation
    behind: Bounds | None
    cost: Bounds
    chosen: dict[str, int]
    error: float | None
    covered: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            name: value._asdict() if isinstance(value, Bounds | Situation) else value
            for name, value in self._asdict().items()
        }


class Foresight(NamedTuple):
    """What is left to someone who knows the other draws of a data set and size, and takes what was best on them.

    That is about what chance in draws, fits and test rows costs whoever chooses before this draw is measured.

    Attributes:
        regret: mean points below the best in hindsight, as a policy's.
        error: root mean square of what the mean over the other draws is off by, in points.
        draws: that have another one to go by.
    """

    regret: Bounds
    error: float
    draws: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self._asdict(), "regret": self.regret._asdict()}


class Comparison(NamedTuple):
    """Policies on common ground.

    Attributes:
        field: the strategies that the best in hindsight is the best of.
        cells: draws that count; ``left_out`` are those where a part of the field was not measured, or what the first
            policy chose, or where a policy has not chosen.
        standings: in the order of the policies.
        set_aside: titles of policies that choose what was not measured.
        foresight: what choosing by other draws would leave; None where no draw has another of its data set and size.
    """

    field: list[str]
    cells: int
    left_out: int
    data: list[str]
    standings: list[Standing]
    set_aside: list[str]
    foresight: Foresight | None


def compare(cells: Sequence[Cell], policies: Mapping[str, Policy], field: Sequence[str]) -> Comparison:
    """Judge policies by the same draws, on which all of the field was measured.

    Args:
        cells: draws, complete or not.
        policies: by id; the others are set against the first.
        field: strategies to choose from.
    """
    first = next(iter(policies))
    ground: list[tuple[Cell, dict[str, Choice]]] = []
    for cell in complete_cells(cells, field):
        made = {name: policy.choose(cell.situation) for name, policy in policies.items()}
        choices = {name: choice for name, choice in made.items() if choice}
        if len(choices) == len(policies) and choices[first].strategy in cell.values:
            ground.append((cell, choices))
    aside = {name for cell, choices in ground for name, choice in choices.items() if choice.strategy not in cell.values}
    judged = {
        name: [_judge(cell, made[name], field) for cell, made in ground] for name in policies if name not in aside
    }
    values = {cell.situation: cell.values for cell, _ in ground}
    return Comparison(
        field=list(field),
        cells=len(ground),
        left_out=len(cells) - len(ground),
        data=sorted({cell.situation.data for cell, _ in ground}),
        standings=[
            _standing(name, policies[name].title, found, judged[first] if name != first else None, values)
            for name, found in judged.items()
            if found
        ],
        set_aside=[policies[name].title for name in policies if name in aside],
        foresight=foresight([cell for cell, _ in ground], field),
    )


def foresight(cells: Sequence[Cell], field: Collection[str]) -> Foresight | None:
    """Return what choosing of the field, and predicting, by the other draws of the same data and size would leave.

    Args:
        cells: complete draws.
        field: strategies to choose from.
    """
    alike: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        alike[cell.situation.data, cell.situation.size].append(cell)
    regrets: dict[str, list[float]] = defaultdict(list)
    errors: list[float] = []
    for draws in alike.values():
        able = [name for name in field if all(name in cell.values for cell in draws)]
        for cell in draws if able and len(draws) > 1 else ():
            others = [one.values for one in draws if one is not cell]
            means = {name: math.fsum(values[name] for values in others) / len(others) for name in able}
            chosen = max(able, key=lambda name: means[name])
            regrets[cell.situation.data].append(POINTS * (cell.best - cell.values[chosen]))
            errors += [POINTS * (means[name] - cell.values[name]) for name in able]
    if not regrets:
        return None
    error = math.hypot(*errors) / math.sqrt(len(errors))
    return Foresight(_bounds(regrets, _mean_of_means), error, sum(map(len, regrets.values())))


def judge(cells: Sequence[Cell], policy: Policy, field: Collection[str]) -> list[Judged]:
    """Return one policy's choices in hindsight, on every complete draw where its choice was measured."""
    made = ((cell, policy.choose(cell.situation)) for cell in complete_cells(cells, field))
    return [_judge(cell, choice, field) for cell, choice in made if choice and choice.strategy in cell.values]


def mean_over_data(judged: Sequence[Judged], figure: Callable[[Judged], float]) -> float:
    """Return the mean over data sets of the mean over their draws."""
    means = [sum(values) / len(values) for values in _by_data(judged, figure).values()]
    return sum(means) / len(means)


def _judge(cell: Cell, choice: Choice, field: Collection[str]) -> Judged:
    regret = POINTS * (cell.best - cell.values[choice.strategy])
    everything = math.fsum(seconds for name, seconds in cell.seconds.items() if name in field) or 1.0
    cost = (choice.spent + cell.seconds[choice.strategy]) / everything
    return Judged(cell.situation, choice, regret, cost)


def _standing(
    name: str,
    title: str,
    judged: list[Judged],
    first: list[Judged] | None,
    values: Mapping[Situation, Mapping[str, float]],
) -> Standing:
    worst = max(judged, key=lambda one: one.regret)
    error, covered = _prediction(judged, values)
    return Standing(
        policy=name,
        title=title,
        regret=_bounds(_by_data(judged, lambda one: one.regret), _mean_of_means),
        worst=_bounds(_by_data(judged, lambda one: one.regret), lambda groups: max(map(max, groups))),
        worst_at=worst.situation,
        behind=_behind(judged, first) if first else None,
        cost=_bounds(_by_data(judged, lambda one: one.cost), _mean_of_means),
        chosen=_counts(judged),
        error=error,
        covered=covered,
    )


def _behind(judged: list[Judged], first: list[Judged]) -> Bounds:
    less: dict[str, list[float]] = defaultdict(list)
    for own, other in zip(judged, first, strict=True):
        less[own.situation.data].append(own.regret - other.regret)
    return _bounds(less, _mean_of_means)


def _prediction(
    judged: list[Judged], values: Mapping[Situation, Mapping[str, float]]
) -> tuple[float | None, float | None]:
    """Return RMSE in points and coverage of what was predicted of strategies that were measured."""
    pairs = [
        (bounds, values[one.situation][strategy])
        for one in judged
        for strategy, bounds in one.choice.predicted.items()
        if strategy in values[one.situation]
    ]
    if not pairs:
        return None, None
    error = (sum((bounds.point - value) ** 2 for bounds, value in pairs) / len(pairs)) ** 0.5
    return POINTS * error, sum(bounds.low <= value <= bounds.high for bounds, value in pairs) / len(pairs)


def _counts(judged: list[Judged]) -> dict[str, int]:
    chosen: dict[str, int] = defaultdict(int)
    for one in judged:
        chosen[one.choice.strategy] += 1
    return dict(sorted(chosen.items(), key=lambda item: -item[1]))


def _by_data(judged: Sequence[Judged], figure: Callable[[Judged], float]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = defaultdict(list)
    for one in judged:
        groups[one.situation.data].append(figure(one))
    return groups


def _mean_of_means(groups: Sequence[Sequence[float]]) -> float:
    return sum(sum(group) / len(group) for group in groups) / len(groups)


def _bounds(by_data: Mapping[str, Sequence[float]], statistic: Callable[[Sequence[Sequence[float]]], float]) -> Bounds:
    """Bootstrap over data sets, which are the sample (percentiles; Efron and Tibshirani 1993, chapter 13)."""
    groups = list(by_data.values())
    chance = random.Random(0)
    draws = int(load_settings("evaluation.yaml")["bootstrap_draws"])
    found = sorted(statistic(chance.choices(groups, k=len(groups))) for _ in range(draws))
    return Bounds(statistic(groups), found[int(0.025 * draws)], found[int(0.975 * draws) - 1])
