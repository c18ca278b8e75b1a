"""Flips: the nearest change of each actionable input that changes the recommended strategy."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from advisor.decision.decide import Decision
from advisor.decision.nearby import Nearby
from advisor.decision.sweep import LABELS, Sweep
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import INPUTS
from advisor.settings import load_settings


class Flip(NamedTuple):
    """A change of one input that changes the verdict."""

    input: str
    before: Value
    after: Value
    strategy: str


def flips(decision: Decision, nearby: Nearby) -> list[Flip]:
    """Return the nearest flips of every actionable input that has a value.

    Numbers are moved down and up, labels only up and no further than ``farthest_label_flip``, in the steps of `Steps`;
    of each direction the nearest flip is returned. Of words every other strategy's first is.
    """
    now = decision.winner.strategy.id
    found = []
    for name, asked in INPUTS.items():
        if asked.actionable and name in FACTS and decision.facts.values.get(name) is not None:
            found += flips_of(decision, Sweep(nearby, decision.candidates, name), lambda strategy: strategy != now)
    return found


def flips_of(decision: Decision, sweep: Sweep, wanted: Callable[[str], bool]) -> list[Flip]:
    """Return one input's nearest changes to wanted strategies, downwards first."""
    now = decision.facts.values[sweep.name]
    if not sweep.matters or now is None:
        return []
    if isinstance(now, str | bool):
        reached: dict[str, Value] = {}
        for value, verdict in sweep.others():
            if verdict and wanted(verdict.strategy):
                reached.setdefault(verdict.strategy, value)
        return [Flip(sweep.name, now, value, strategy) for strategy, value in reached.items()]
    found = (
        next((Flip(sweep.name, now, value, strategy) for value, strategy in way if wanted(strategy)), None)
        for way in _ways(sweep, float(now))
    )
    return [flip for flip in found if flip]


def _ways(sweep: Sweep, now: float) -> list[Iterator[tuple[Value, str]]]:
    """Return value and strategy wherever the verdict changes, going down from a number, and going up."""
    steps = sweep.steps
    up, last = steps.upwards(now), steps.last
    if sweep.name == LABELS:
        farthest = now * load_settings("explanation.yaml")["farthest_label_flip"]
        return [_strategies(sweep, up, min(last, steps.at_most(farthest)))] if farthest > now else []
    return [_strategies(sweep, min(steps.downwards(now), last), steps.first), _strategies(sweep, up, last)]


def _strategies(sweep: Sweep, start: int, stop: int) -> Iterator[tuple[Value, str]]:
    for value, verdict in sweep.along(start, stop):
        if verdict:
            yield value, verdict.strategy
