"""Standing: how a candidate of a decision comes out of a pilot."""

from math import inf
from typing import TYPE_CHECKING

from advisor.decision.candidates import Candidate
from advisor.decision.decide import Decision
from advisor.tasks import TASKS

if TYPE_CHECKING:
    from advisor.decision.finding import Finding, Standing
    from advisor.knowledge.interval import Interval


def measured_winner(decision: Decision, finding: "Finding | None") -> Candidate | None:
    """Return the candidate that a pilot settles on; None where none is measured, or it does not decide."""
    if finding is None or not finding.decides:
        return None
    wanted = (finding.strategy, "encoder")
    return next((c for c in decision.candidates if c.feasible and (c.strategy.id, c.engine) == wanted), None)


def standing_of(candidate: Candidate, finding: "Finding | None") -> "Standing | None":
    """Return how a candidate stands; None where it did not race."""
    return finding.standing(candidate.strategy.id) if finding and candidate.engine == "encoder" else None


def expected_quality(candidate: Candidate, finding: "Finding | None") -> "Interval | None":
    """Return the quality that a pilot expects of a candidate with all labels, in the measure of forecasts of quality.

    It is None where the candidate did not race, the pilot does not decide, or another measure led it.
    """
    task = TASKS.get(str(candidate.project.values.get("task.type")))
    stands = standing_of(candidate, finding)
    if finding is None or not finding.decides or stands is None or task is None:
        return None
    leading = next((measure for measure in task.measures if measure.key == finding.measure), task.measures[0])
    return stands.expected if task.forecast_measure(leading).key == finding.measure else None


def order_of(candidate: Candidate, finding: "Finding") -> float:
    """Return what candidates are ordered by: the expected loss; what did not race comes last."""
    stands = standing_of(candidate, finding)
    return stands.loss if stands else inf


def why_beaten(candidate: Candidate, finding: "Finding") -> str:
    """Return why a candidate is not the one that a pilot settles on."""
    stands = standing_of(candidate, finding)
    if stands is None:
        return "the pilot cannot measure it"
    behind = f"expected to lose {100 * stands.loss:.1f} points against the best in hindsight"
    near = f"{behind}, dearer" if stands.loss <= finding.margin else behind
    return f"{near}; best with probability {stands.best:.2f}"
