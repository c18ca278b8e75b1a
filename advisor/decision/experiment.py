"""The experiment that would settle a contested verdict: both sides on the same labelled data, with what it costs."""

from typing import Any, NamedTuple

from advisor.decision.candidates import Candidate
from advisor.decision.decide import Decision
from advisor.knowledge.interval import Interval


class Experiment(NamedTuple):
    """Strategies to run on the same rows; ``train_seconds`` for all of them, None where it cannot be forecast."""

    candidates: tuple[Candidate, ...]
    train_seconds: Interval | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "strategies": [candidate.strategy.id for candidate in self.candidates],
            "train_seconds": self.train_seconds.as_dict() if self.train_seconds else None,
        }


def settling_experiment(decision: Decision) -> Experiment | None:
    """Return the cheapest comparison that pits the verdict against what the evidence on the other side favours.

    Of the strategies favoured by objections the one that trains fastest is taken. None where nothing is contested or
    there is no label to measure on.
    """
    favoured = {objection.favours for objection in decision.objections}
    rivals = [c for c in decision.candidates if c.feasible and c.strategy.id in favoured and c.forecast]
    if not rivals or not decision.facts.values.get("data.labelled"):
        return None
    rival = min(rivals, key=_seconds)
    forecasts = [candidate.forecast for candidate in (decision.winner, rival)]
    known = [forecast.train_seconds for forecast in forecasts if forecast]
    return Experiment((decision.winner, rival), known[0].plus(known[1]) if len(known) == len(forecasts) else None)


def _seconds(candidate: Candidate) -> float:
    assert candidate.forecast is not None
    return candidate.forecast.train_seconds.point
