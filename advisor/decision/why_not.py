"""Why not: the fewest of a project's own answers that keep a strategy out, and the nearest change that lets it in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, log
from typing import Any

from advisor.decision.candidates import Candidate, candidates_of
from advisor.decision.decide import Decision
from advisor.decision.derived import Answers, derivations
from advisor.decision.facts import Facts, Reads, project_facts
from advisor.decision.flips import Flip, flips_of
from advisor.decision.nearby import Nearby
from advisor.decision.sweep import Sweep
from advisor.knowledge.conditions import Condition, Outcome
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS, Value, in_words
from advisor.profile import INPUTS


@dataclass(frozen=True)
class Obstacle:
    """An answer that keeps a strategy out, and the tests that turn without it, in words."""

    input: str
    value: Value
    tests: tuple[str, ...]


@dataclass(frozen=True)
class WhyNot:
    """Why a strategy is not recommended.

    Attributes:
        status: ``ruled out`` by its needs on everything it could run on, or ``outweighed`` by a row for another.
        because: the needs that fail, or the deciding row's reason.
        rule: the deciding row.
        obstacles: answers that by themselves, the others left open, keep it out in the same way; without any one of
            them they do not.
        assumed: values taken for unanswered inputs that those tests rest on too.
        change: the nearest change of a single input that makes it the verdict.
    """

    strategy: str
    status: str
    because: tuple[str, ...]
    rule: Rule
    obstacles: tuple[Obstacle, ...]
    assumed: dict[str, Value]
    change: Flip | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        change = self.change
        return {
            "strategy": self.strategy,
            "status": self.status,
            "because": list(self.because),
            "rule": self.rule.id,
            "answers": [{"input": o.input, "value": o.value, "tests": list(o.tests)} for o in self.obstacles],
            "assumed": self.assumed,
            "change": {"input": change.input, "from": change.before, "to": change.after} if change else None,
        }


def why_not(decision: Decision, strategy: str, nearby: Nearby) -> WhyNot | None:
    """Return why a strategy is not recommended; None for the one that is.

    Answers are dropped one at a time, those nobody can act on first, as long as the strategy stays out in the same way:
    ruled out with a need failing that fails now, or outweighed by the deciding row or a higher one.
    """
    if strategy == decision.winner.strategy.id:
        return None
    own = [candidate for candidate in decision.candidates if candidate.strategy.id == strategy]
    ruled_out = not any(candidate.feasible for candidate in own)
    case = _RuledOut(decision, strategy) if ruled_out else _Outweighed(decision, strategy, nearby)
    kept = _irreducible(case, decision.answers)
    facts = project_facts(kept, decision.base)
    conditions = case.conditions(kept)
    reads = _inputs_behind((o for o in case.outcomes(conditions, facts) if o.held is case.counts), facts, decision.base)
    return WhyNot(
        strategy=strategy,
        status="ruled out" if ruled_out else "outweighed",
        because=tuple(dict.fromkeys(veto.because for candidate in own for veto in candidate.vetoes))
        if ruled_out
        else (decision.rule.reason(decision.facts.values),),
        rule=decision.rule,
        obstacles=tuple(_obstacles(case, conditions, kept)),
        assumed={n: facts.values[n] for n in sorted(reads & facts.assumed) if n not in decision.answers},
        change=_nearest_change(decision, strategy, nearby),
    )


class _RuledOut:
    """A strategy none of whose candidates is feasible; tests that fail count."""

    counts = False

    def __init__(self, decision: Decision, strategy: str) -> None:
        self.decision, self.strategy = decision, strategy
        self.failing = {veto.requirement for candidate in self._made(decision.facts) for veto in candidate.vetoes}

    def stays(self, answers: Answers) -> bool:
        """Return whether it is still ruled out, each candidate by a need that fails now."""
        made = self._made(project_facts(answers, self.decision.base))
        return all(any(veto.requirement in self.failing for veto in candidate.vetoes) for candidate in made)

    def conditions(self, answers: Answers) -> list[Condition]:
        """Return the needs that fail."""
        made = self._made(project_facts(answers, self.decision.base))
        failing = {veto.requirement for candidate in made for veto in candidate.vetoes}
        return [need.condition for need in self.decision.base.requirements[self.strategy] if need.id in failing]

    def outcomes(self, conditions: list[Condition], facts: Facts) -> list[Outcome]:
        """Return the outcomes of their tests for every candidate."""
        limits = self.decision.base.limits
        return [o for made in self._made(facts) for needed in conditions for o in needed.trace(made.facts, limits)]

    def _made(self, facts: Facts) -> list[Candidate]:
        return candidates_of(self.strategy, facts, self.decision.base, self.decision.machine)


class _Outweighed:
    """A feasible strategy where a row for another decides; tests that hold count."""

    counts = True

    def __init__(self, decision: Decision, strategy: str, nearby: Nearby) -> None:
        self.decision, self.strategy, self.nearby = decision, strategy, nearby
        self.row = decision.base.rules.index(decision.rule)

    def stays(self, answers: Answers) -> bool:
        """Return whether the same row or a higher one decides for another strategy."""
        decided = self.nearby.decided(answers)
        return decided is not None and decided[0] <= self.row and decided[1].strategy != self.strategy

    def conditions(self, answers: Answers) -> list[Condition]:
        """Return the deciding row's."""
        decided = self.nearby.decided(answers)
        return [self.decision.base.rules[decided[0]].condition] if decided else []

    def outcomes(self, conditions: list[Condition], facts: Facts) -> list[Outcome]:
        """Return the outcomes of its tests."""
        limits = self.decision.base.limits
        return [outcome for condition in conditions for outcome in condition.trace(facts.values, limits)]


def _irreducible(case: "_RuledOut | _Outweighed", answers: Answers) -> dict[str, Value]:
    """Return answers with which the case stays, and of which none can be left out."""
    kept = dict(answers)
    droppable = True
    while droppable:
        order = sorted(kept, key=lambda name: name in INPUTS and INPUTS[name].actionable)
        droppable = False
        for name in order:
            without = {other: value for other, value in kept.items() if other != name}
            if case.stays(without):
                kept, droppable = without, True
    return kept


def _obstacles(
    case: "_RuledOut | _Outweighed", conditions: list[Condition], kept: dict[str, Value]
) -> Iterator[Obstacle]:
    base = case.decision.base
    stated = case.outcomes(conditions, project_facts(kept, base))
    for name, value in kept.items():
        facts = project_facts({other: v for other, v in kept.items() if other != name}, base)
        still = {(o.text, o.held) for o in case.outcomes(conditions, facts)}
        turned = (o for o in stated if o.held is case.counts and (o.text, o.held) not in still)
        yield Obstacle(
            name, value, tuple(dict.fromkeys(f"{o.text}; it is {in_words(o.fact, o.value)}" for o in turned))
        )


def _inputs_behind(outcomes: Iterable[Outcome], facts: Facts, base: RuleBase) -> set[str]:
    """Return the inputs that tests mention, directly or through derived facts."""
    names = {outcome.fact for outcome in outcomes}
    for fact, derive in reversed(derivations(base).items()):
        if fact in names:
            reads = Reads(facts.values)
            derive(reads)
            names |= reads.names
    return names & INPUTS.keys()


def _nearest_change(decision: Decision, strategy: str, nearby: Nearby) -> Flip | None:
    """Return the nearest change of one input to this strategy: actionable ones first, numbers by their factor."""
    found: list[Flip] = []
    for name in INPUTS:
        if name in FACTS and decision.facts.values.get(name) is not None:
            sweep = Sweep(nearby, decision.candidates, name)
            found += flips_of(decision, sweep, lambda reached: reached == strategy)
    return min(found, key=lambda flip: (not INPUTS[flip.input].actionable, _factor(flip)), default=None)


def _factor(flip: Flip) -> float:
    """Return by how much an input changes, as the logarithm of a factor; words change more than any number."""
    before, after = flip.before, flip.after
    if isinstance(before, bool | str) or isinstance(after, bool | str) or not before or not after:
        return inf
    return abs(log(float(after) / float(before)))
