"""Policies: ways to choose a strategy for a draw of labels before all of them are tried."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from advisor.assets import asset
from advisor.benchmark.results import Situation, read_checked, situation_of
from advisor.decision.candidates import candidates
from advisor.decision.decide import decide_answers
from advisor.decision.derived import Answers
from advisor.decision.facts import project_facts
from advisor.documents import read_document, suggest
from advisor.errors import InputError, NoFeasibleStrategy, RuleBaseError, Undecided
from advisor.knowledge.interval import Interval
from advisor.knowledge.rulebase import RuleBase
from advisor.machine import Machine
from advisor.strategies import EXECUTABLE, STRATEGIES
from advisor.tasks import TASKS


class Choice(NamedTuple):
    """A chosen strategy.

    Attributes:
        spent: processor seconds that choosing took.
        predicted: the leading measure that each strategy is expected to reach, where the policy says; the 5 %, 50 % and
            95 % points.
    """

    strategy: str
    spent: float = 0.0
    predicted: Mapping[str, Interval] = {}


class Policy(NamedTuple):
    """A policy; ``choose`` returns None where it has nothing to say."""

    title: str
    choose: Callable[[Situation], Choice | None]


class Step(BaseModel):
    """What a fixed policy does below a number of labels a class, or from there on where ``below`` is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    below: float | None = None
    choose: tuple[str, ...]


class FixedPolicy(BaseModel):
    """A policy that looks at labels a class alone; of the strategies named the first that can be done is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    steps: tuple[Step, ...]
    source: str

    def choose(self, situation: Situation) -> Choice | None:
        """Return the choice, None where nothing that it names can be done."""
        labels = labels_per_class(situation)
        step = next((step for step in self.steps if step.below is None or labels < step.below), None)
        found = (s for s in step.choose if _can_be_done(s, situation)) if step else iter(())
        strategy = next(found, None)
        return Choice(strategy) if strategy else None


def policies(base: RuleBase, machine: Machine, field: Collection[str] = EXECUTABLE) -> dict[str, Policy]:
    """Return the policies that measure nothing, by id: the rules, the heaviest that fits, the fixed ones.

    Args:
        base: the rule base that advises.
        machine: that training is forecast for.
        field: strategies that the heaviest is one of.

    Raises:
        RuleBaseError: ``rules/policies.yaml`` breaks its schema.
    """
    document = read_document(asset("rules", "policies.yaml"), kind=RuleBaseError)
    fixed = {name: document.validate(FixedPolicy, kind=RuleBaseError, at=(name,)) for name in document.data}
    return {
        "rules": Policy("the rules alone", lambda situation: _advised(situation, base, machine)),
        **{name: Policy(policy.title, policy.choose) for name, policy in fixed.items()},
        "heaviest-that-fits": Policy("the heaviest that fits", lambda at: _heaviest(at, base, machine, field)),
    }


def judged_policies(
    base: RuleBase,
    machine: Machine,
    choices: Iterable[Mapping[str, Any]],
    chosen: Collection[str] = (),
    field: Collection[str] = EXECUTABLE,
) -> dict[str, Policy]:
    """Return the policies to judge, the rules first: all there are, or the chosen ones.

    Args:
        base: the rule base that advises.
        machine: that training is forecast for.
        choices: lines that policies that measure left, see `choice_line`.
        chosen: ids, perhaps none.
        field: strategies that the heaviest is one of.

    Raises:
        InputError: a chosen one is unknown, or has not chosen anything yet.
    """
    by_policy: dict[str, list[Mapping[str, Any]]] = {}
    for row in choices:
        by_policy.setdefault(row["policy"], []).append(row)
    known = policies(base, machine, field) | {
        name: recorded_policy(f"the {name}", rows) for name, rows in by_policy.items()
    }
    for name in chosen:
        if name not in known:
            raise InputError(f"there is no policy '{name}'{suggest(name, known)}")
    first = next(iter(known))
    return {name: policy for name, policy in known.items() if not chosen or name == first or name in chosen}


def recorded_policy(title: str, rows: Iterable[Mapping[str, Any]]) -> Policy:
    """Return what a policy that measures chose, from lines that `choice_line` wrote."""
    chosen = {
        (row["data"], row["seed"], row["labelled"], row["rarest"]): Choice(
            row["strategy"],
            float(row["spent_processor_seconds"]),
            {name: Interval(**bounds) for name, bounds in row.get("predicted", {}).items()},
        )
        for row in rows
    }
    return Policy(title, lambda at: chosen.get((at.data, at.seed, at.labelled, at.rarest)))


def read_choices(path: Path) -> list[dict[str, Any]]:
    """Return the lines that `choice_line` wrote to a file.

    Raises:
        InputError: a line, other than a torn last one, is no choice; the message names it.
    """

    def checked(row: dict[str, Any]) -> dict[str, Any]:
        situation_of(row)
        recorded_policy(row["policy"], [row])
        return row

    return read_checked(path, checked)


def choice_line(policy: str, situation: Situation, choice: Choice) -> dict[str, Any]:
    """Return a choice as a line of results."""
    return {
        "policy": policy,
        **situation._asdict(),
        "strategy": choice.strategy,
        "spent_processor_seconds": round(choice.spent, 2),
        "predicted": {strategy: bounds.as_dict() for strategy, bounds in choice.predicted.items()},
    }


def labels_per_class(situation: Situation) -> float:
    """Return the labels of the rarest class, else the mean over classes, else all labels."""
    if situation.rarest is not None:
        return situation.rarest
    return situation.labelled / max(1, situation.classes)


def answers_to(situation: Situation, machine: Machine) -> Answers:
    """Return what a profile says of a draw on a machine, by dotted name; all else is left to be assumed."""
    told: dict[str, Any] = {
        "task.type": situation.task,
        "data.labelled": situation.labelled,
        "data.smallest_class": situation.rarest,
        "data.tokens_median": situation.tokens_median,
        "data.tokens_p95": situation.tokens_p95,
        "compute.device": "gpu" if machine.gpu else "cpu",
    }
    if TASKS[situation.task].predicts in ("class", "classes"):
        told["data.classes"] = situation.classes
    if machine.memory_bytes and not machine.gpu:
        told["compute.memory_gb"] = machine.memory_bytes / 1e9
    return {name: value for name, value in told.items() if value is not None}


def _advised(situation: Situation, base: RuleBase, machine: Machine) -> Choice | None:
    try:
        return Choice(decide_answers(answers_to(situation, machine), base, machine).winner.strategy.id)
    except (NoFeasibleStrategy, Undecided):
        return None


def _heaviest(situation: Situation, base: RuleBase, machine: Machine, field: Collection[str]) -> Choice | None:
    """Take what is forecast to train longest of all that nothing rules out."""
    facts = project_facts(answers_to(situation, machine), base)
    fitting = [
        (candidate.forecast.train_seconds.point, candidate.strategy.id)
        for candidate in candidates(facts, base, machine)
        if candidate.engine == "encoder" and candidate.feasible and candidate.forecast
        if candidate.strategy.id in field and _can_be_done(candidate.strategy.id, situation)
    ]
    return Choice(max(fitting)[1]) if fitting else None


def _can_be_done(strategy: str, situation: Situation) -> bool:
    chosen = STRATEGIES[strategy]
    return chosen.handles(situation.task, "encoder") and (situation.labelled > 0 or not chosen.needs_labels)
