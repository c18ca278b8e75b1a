"""Stability: how often a verdict keeps when every threshold is drawn from the range that the evidence leaves open."""

import random
from functools import lru_cache
from math import exp, log

from advisor.decision.decide import Decision
from advisor.knowledge.conditions import Condition, Values
from advisor.settings import load_settings

Ranges = tuple[tuple[str, float, float], ...]


def stability(decision: Decision, seed: int = 0) -> float:
    """Return the share of draws of all thresholds, within their ranges, that keep the recommended strategy.

    Thresholds are drawn independently: uniformly, or log-uniformly where the range spans more than ``wide_range``.
    """
    facts, base, wanted = decision.facts.values, decision.base, decision.winner.strategy.id
    rivals = _rivals(decision)
    ranges = tuple((name, *threshold.range) for name, threshold in base.thresholds.items())
    draws = _draws(ranges, seed)
    kept = 0
    for limits in draws:
        for condition, strategy, feasible in rivals:
            if condition is not None and not condition.evaluate(facts, limits):
                continue
            if feasible or (feasible is None and _feasible(decision, strategy, limits)):
                kept += strategy == wanted
                break
    return kept / len(draws)


def _rivals(decision: Decision) -> list[tuple[Condition | None, str, bool | None]]:
    """Return the rows that may decide: condition, strategy and feasibility.

    A condition is None where the row holds in every draw, feasibility where it depends on the draw.
    """
    rivals: list[tuple[Condition | None, str, bool | None]] = []
    drawn = {name for name, threshold in decision.base.thresholds.items() if threshold.range[0] < threshold.range[1]}
    fixed = {name: limit for name, limit in decision.base.limits.items() if name not in drawn}
    for rule in decision.base.rules:
        held = rule.condition.evaluate(decision.facts.values, fixed)
        if held is False:
            continue
        feasible = None
        if all(need.condition.names.isdisjoint(drawn) for need in decision.base.requirements[rule.recommend]):
            feasible = _feasible(decision, rule.recommend, decision.base.limits)
        if feasible is not False:
            rivals.append((None if held else rule.condition, rule.recommend, feasible))
        if held and feasible:
            break
    return rivals


def _feasible(decision: Decision, strategy: str, limits: Values) -> bool:
    return any(c.meets_needs(c.facts, limits) for c in decision.candidates if c.strategy.id == strategy)


@lru_cache(maxsize=8)
def _draws(ranges: Ranges, seed: int) -> list[dict[str, float]]:
    settings, generator = load_settings("explanation.yaml"), random.Random(seed)
    wide = settings["wide_range"]
    return [
        {name: _drawn_from(low, high, wide, generator) for name, low, high in ranges}
        for _ in range(settings["stability_draws"])
    ]


def _drawn_from(low: float, high: float, wide: float, generator: random.Random) -> float:
    if low > 0 and high / low > wide:
        return exp(generator.uniform(log(low), log(high)))
    return generator.uniform(low, high)
