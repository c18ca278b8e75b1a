"""Alternatives: feasible candidates that were not recommended, in the order of the rules, each with why not."""

from typing import NamedTuple

from advisor.decision.candidates import Candidate
from advisor.decision.decide import Decision
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import in_words


class Alternative(NamedTuple):
    """A feasible candidate that was not recommended, and why."""

    candidate: Candidate
    why_not: tuple[str, ...]
    dominated_by: str | None


def alternatives_of(decision: Decision) -> list[Alternative]:
    """Return what else is feasible: by the first row that holds for it, then what nothing dominates, the best first."""
    others = [c for c in decision.candidates if c.feasible and c is not decision.winner]
    everyone = [decision.winner, *others]
    found = [Alternative(c, tuple(_why_not(decision, c)), _dominator(c, everyone)) for c in others]
    rank = _ranks(decision)
    last = len(decision.base.rules)
    return sorted(
        found,
        key=lambda a: (rank.get(a.candidate.strategy.id, last), a.dominated_by is not None, -_quality(a.candidate)),
    )


def _ranks(decision: Decision) -> dict[str, int]:
    """Return, by strategy, the place of the first row that holds for it: who would decide were all above ruled out."""
    facts, limits = decision.facts.values, decision.base.limits
    ranks: dict[str, int] = {}
    for place, rule in enumerate(decision.base.rules):
        if rule.recommend not in ranks and rule.condition.evaluate(facts, limits):
            ranks[rule.recommend] = place
    return ranks


def _why_not(decision: Decision, candidate: Candidate) -> list[str]:
    """Say which row would have recommended a candidate and what that row lacks."""
    if candidate.strategy.id == decision.winner.strategy.id:
        return [f"same strategy; {decision.winner.model} comes first"]
    facts, limits = decision.facts.values, decision.base.limits
    rows = [rule for rule in decision.base.rules if rule.recommend == candidate.strategy.id and rule.when]
    for rule in rows:
        if rule.condition.evaluate(facts, limits):
            return [f"{rule.id} holds too, but weighs less"]
    task = str(facts.get("task.type"))
    lacking = [[o for o in rule.condition.trace(facts, limits) if o.held is not True] for rule in rows]
    of_this_task = [tests for tests in lacking if all(o.fact != "task.type" for o in tests)]
    if not of_this_task:
        return [f"no row recommends it for {task}"]
    return [f"needs {o.text}; here {in_words(o.fact, o.value)}" for o in min(of_this_task, key=len)]


def _dominator(candidate: Candidate, everyone: list[Candidate]) -> str | None:
    """Name a candidate that is at least as good in everything forecast and better in something."""
    mine = _scores(candidate)
    for other in everyone:
        theirs = _scores(other)
        if mine and theirs and theirs != mine and all(a >= b for a, b in zip(theirs, mine, strict=True)):
            return other.strategy.id
    return None


def _scores(candidate: Candidate) -> tuple[float, ...] | None:
    """Return quality, and minus each cost, at their points; None where one is unknown."""
    forecast = candidate.forecast
    if forecast is None or forecast.quality is None or forecast.usd_per_1000 is None:
        return None
    costs: tuple[Interval, ...] = (
        forecast.train_seconds, forecast.train_usd, forecast.latency_ms_p95, forecast.usd_per_1000,
    )  # fmt: skip
    return (round(forecast.quality.point, 3), *(-cost.point for cost in costs))


def _quality(candidate: Candidate) -> float:
    return candidate.forecast.quality.point if candidate.forecast and candidate.forecast.quality else 0.0
