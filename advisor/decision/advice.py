"""Advice: a decision as people and programs read it - verdict, reasons, alternatives, what would change it."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from advisor import __version__
from advisor.correction import Correction
from advisor.decision.alternatives import Alternative, alternatives_of
from advisor.decision.audit import audit, audited_inputs
from advisor.decision.base_model import BaseModelAdvice, base_model
from advisor.decision.candidates import Candidate
from advisor.decision.decide import Decision, decide
from advisor.decision.experiment import Experiment, settling_experiment
from advisor.decision.flips import Flip, flips
from advisor.decision.modifiers import modifiers
from advisor.decision.nearby import Nearby
from advisor.decision.next_labels import NextLabels, next_labels
from advisor.decision.questions import Question, open_questions
from advisor.decision.stability import stability
from advisor.decision.standing import expected_quality, measured_winner, order_of, why_beaten
from advisor.estimates.correcting import corrections_of
from advisor.estimates.here import machine_here
from advisor.knowledge.rows import Modifier, Rule
from advisor.knowledge.rulebase import RuleBase, load_rulebase
from advisor.ledger.book import latest_entries
from advisor.ledger.past import PastRun, past_runs
from advisor.machine import Machine
from advisor.profile import INPUTS, Profile
from advisor.settings import load_settings

if TYPE_CHECKING:
    from advisor.decision.finding import Finding

ADVICE_SCHEMA = 1


@dataclass(frozen=True)
class Advice:
    """A decision with its explanation; `as_dict` is the contract that ``advisor recommend --json`` prints.

    Attributes:
        decision: by the rules alone.
        finding: what a pilot found; the verdict is its own where it decides.
        past_runs: the user's own runs of the same task, those most like the project first; `as_dict` has the nearest.
    """

    profile: Profile
    decision: Decision
    alternatives: tuple[Alternative, ...]
    flips: tuple[Flip, ...]
    questions: tuple[Question, ...]
    stability: float
    modifiers: tuple[Modifier, ...]
    base_model: BaseModelAdvice
    experiment: Experiment | None
    next_labels: NextLabels | None
    finding: "Finding | None" = None
    past_runs: tuple[PastRun, ...] = ()

    @property
    def winner(self) -> Candidate:
        """The recommended candidate."""
        return measured_winner(self.decision, self.finding) or self.decision.winner

    @property
    def measured(self) -> bool:
        """Whether the verdict is a pilot's."""
        return self.finding is not None and self.finding.decides

    @property
    def strength(self) -> str:
        """How much depends on the verdict being followed."""
        if self.finding is None or not self.measured:
            return self.decision.rule.strength
        return "strong" if self.finding.sure else "conditional"

    @property
    def certainty(self) -> str:
        """How sure the verdict is."""
        if self.finding is None or not self.measured:
            return self.decision.rule.certainty
        return "high" if self.finding.sure else "moderate"

    @property
    def contested(self) -> bool:
        """Whether evidence disagrees, and nothing measured has settled it."""
        return self.decision.contested and not self.measured

    @property
    def because(self) -> list[str]:
        """The reasons of the verdict in words, then those against it."""
        rule, facts = self.decision.rule, self.decision.facts.values
        against = [objection.reason(facts) for objection in self.decision.objections]
        return [self.finding.because] if self.finding and self.measured else [rule.reason(facts), *against]

    def with_finding(self, finding: "Finding | None") -> "Advice":
        """Return the advice as a pilot leaves it: its contender first where it decides, the others with why not."""
        winner = measured_winner(self.decision, finding)
        if finding is None or winner is None:
            return replace(self, finding=finding)
        others = [c for c in self.decision.candidates if c.feasible and c is not winner]
        others.sort(key=lambda candidate: order_of(candidate, finding))
        alternatives = tuple(Alternative(c, (why_beaten(c, finding),), None) for c in others)
        return replace(self, finding=finding, alternatives=alternatives, experiment=None)

    @property
    def adjusted(self) -> dict[str, Correction]:
        """What past runs on this machine have adjusted in the recommended candidate's forecast, by quantity."""
        decision, winner = self.decision, self.winner
        return corrections_of(winner.strategy, winner.engine, decision.facts.values, decision.machine)

    def as_dict(self) -> dict[str, Any]:
        """Return the advice as plain data."""
        decision, winner = self.decision, self.winner
        return {
            "schema": ADVICE_SCHEMA,
            "project": self.profile.name,
            "verdict": {
                "strategy": winner.strategy.id,
                "family": winner.strategy.family,
                "engine": winner.engine,
                "model": winner.model,
                "strength": self.strength,
                "certainty": self.certainty,
                "contested": self.contested,
                "modifiers": [row.adds for row in self.modifiers],
                "note": None if self.measured else decision.rule.note,
                "expected": self.expected(winner),
            },
            "pilot": self.finding.as_dict() if self.finding else None,
            "reasons": self._reasons(),
            "modifiers": [
                {
                    "adds": row.adds,
                    "rule": row.id,
                    "because": row.reason(decision.facts.values),
                    "evidence": row.evidence,
                }
                for row in self.modifiers
            ],
            "base_model": self.base_model.as_dict(),
            "experiment": self.experiment.as_dict() if self.experiment else None,
            "alternatives": [self._alternative(alternative) for alternative in self.alternatives],
            "excluded": [_excluded(candidate) for candidate in decision.excluded],
            "excluded_engines": [_excluded(c) for c in decision.ruled_out if c not in decision.excluded],
            "flips": [
                {"input": flip.input, "from": flip.before, "to": flip.after, "strategy": flip.strategy}
                for flip in self.flips
            ],
            "stability": self.stability,
            "next_labels": self.next_labels.as_dict() if self.next_labels else None,
            "past_runs": [
                run.as_dict() for run in self.past_runs[: int(load_settings("ledger.yaml")["past_runs_shown"])]
            ],
            "adjusted": [asdict(correction) for correction in self.adjusted.values()],
            "questions": [
                {
                    "input": question.input,
                    "question": INPUTS[question.input].question,
                    "assumed": question.assumed,
                    "could_become": list(question.strategies),
                }
                for question in self.questions
            ],
            "assumed": {name: decision.facts.values[name] for name in sorted(decision.facts.assumed)},
            "rules": {"version": decision.base.version, "sha256": decision.base.digest},
            "advisor": __version__,
            "inputs": audited_inputs(self.profile),
            "audit": audit(decision, self.modifiers, self.base_model),
        } | ({"rules_verdict": replace(self, finding=None).as_dict()["verdict"]} if self.measured else {})

    def expected(self, candidate: Candidate) -> dict[str, Any]:
        """Return the contract's quantities of a forecast, low, point and high each, or None.

        Quality is what a pilot expects where one decides, and by the same measure.
        """
        quality = expected_quality(candidate, self.finding)
        return _expected(candidate) | ({"quality": quality.as_dict()} if quality else {})

    def _reasons(self) -> list[dict[str, Any]]:
        """Return what speaks for the verdict, then what against it: a pilot's word comes before the rules'."""
        decision = self.decision
        own = _reason(decision, decision.rule)
        if not self.finding or not self.measured:
            return [own, *map(self._objection, decision.objections)]
        first: dict[str, Any] = {"rule": "pilot", "because": self.finding.because, "evidence": [], "tests": []}
        return [first, own | ({"favours": decision.rule.recommend} if self.finding.overrides else {})]

    def _objection(self, objection: Any) -> dict[str, Any]:
        return {
            "rule": objection.id,
            "because": objection.reason(self.decision.facts.values),
            "evidence": objection.evidence,
            "favours": objection.favours,
        }

    def _alternative(self, alternative: Alternative) -> dict[str, Any]:
        candidate = alternative.candidate
        return {
            "strategy": candidate.strategy.id,
            "family": candidate.strategy.family,
            "engine": candidate.engine,
            "model": candidate.model,
            "expected": self.expected(candidate),
            "why_not": list(alternative.why_not),
            "dominated_by": alternative.dominated_by,
        }


def recommend(profile: Profile, *, base: RuleBase | None = None, machine: Machine | None = None) -> Advice:
    """Advise on a profile.

    Args:
        profile: what is known of the project.
        base: the rule base; the shipped one if left out.
        machine: what training and serving on a processor are forecast for; this one if left out, and then the user's
            past runs, too, tell about it and about the task.

    Raises:
        NoFeasibleStrategy: every strategy is ruled out.
        Undecided: answers are missing without which nothing can be said.
    """
    entries = () if machine else latest_entries()
    decision = decide(profile, base or load_rulebase(), machine or machine_here(entries))
    nearby = Nearby(decision.answers, decision.base, decision.machine)
    found = tuple(flips(decision, nearby))
    return Advice(
        profile=profile,
        decision=decision,
        alternatives=tuple(alternatives_of(decision)),
        flips=found,
        questions=tuple(open_questions(decision, nearby)),
        stability=stability(decision),
        modifiers=tuple(modifiers(decision)),
        base_model=base_model(decision),
        experiment=settling_experiment(decision),
        next_labels=next_labels(decision, found),
        past_runs=tuple(past_runs(decision.facts.values, entries)),
    )


def _reason(decision: Decision, rule: Rule) -> dict[str, Any]:
    facts, limits = decision.facts.values, decision.base.limits
    return {
        "rule": rule.id,
        "because": rule.reason(facts),
        "evidence": rule.evidence,
        "tests": [
            {"test": outcome.text, "held": outcome.held, "value": outcome.value}
            for outcome in rule.condition.trace(facts, limits)
        ],
    }


def _excluded(candidate: Candidate) -> dict[str, Any]:
    return {
        "strategy": candidate.strategy.id,
        "engine": candidate.engine,
        "model": candidate.model,
        "because": [veto.because for veto in candidate.vetoes],
        "remedies": [remedy.as_dict() for remedy in candidate.remedies],
    }


def _expected(candidate: Candidate) -> dict[str, Any]:
    """Return the contract's five quantities of a forecast, each with low, point and high, or None."""
    forecast = candidate.forecast
    if forecast is None:
        return dict.fromkeys(("quality", "train_seconds", "train_memory_bytes", "latency_ms", "usd"))
    named = {
        "quality": forecast.quality,
        "train_seconds": forecast.train_seconds,
        "train_memory_bytes": forecast.train_memory_bytes,
        "latency_ms": forecast.latency_ms_p95,
        "usd": forecast.train_usd,
        "usd_per_1000": forecast.usd_per_1000,
        "room_bytes": forecast.room_bytes,
        "host_memory_bytes": forecast.host_memory_bytes,
        "disk_bytes": forecast.disk_bytes,
    }
    found: dict[str, Any] = {name: interval.as_dict() if interval else None for name, interval in named.items()}
    return {**found, "fits": forecast.fits, "terms": forecast.terms_as_dict()}
