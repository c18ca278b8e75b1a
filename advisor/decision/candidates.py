"""Candidates: strategy × base model × engine, each with its forecast and what rules it out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from advisor.decision.facts import Facts
from advisor.estimates.forecast import Forecast, forecast_encoder, forecast_generator, forecast_llm
from advisor.knowledge.catalogue import BaseModelFacts, describe_model
from advisor.knowledge.conditions import Outcome, Values
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy

if TYPE_CHECKING:
    from advisor.estimates.remedies import Remedy

# Requirements that other settings, another strategy or a smaller model can meet.
CURABLE = frozenset({"memory", "time", "money", "latency"})
# The requirement that fails where a strategy does not apply to the task at all.
NOT_FOR_THIS_TASK = "applies-to-task"
PERMISSIVE = ("apache", "mit", "bsd", "unknown")


class Veto(NamedTuple):
    """A requirement that failed: its name, the reason in words, and the tests that failed."""

    requirement: str
    because: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Candidate:
    """One strategy on one base model; its forecast and what rules it out are worked out when asked for.

    Attributes:
        model: catalogue name, hub id or folder; for a language model its name or kind.
        project: the facts of the project.
    """

    strategy: Strategy
    engine: Engine
    model: str
    project: Facts = field(repr=False)
    base: RuleBase = field(repr=False)
    machine: Machine = field(repr=False)

    @cached_property
    def facts(self) -> dict[str, Value]:
        """The project's facts and this candidate's."""
        return {**self.project.values, **self.traits, **self.needs}

    @cached_property
    def traits(self) -> dict[str, Value]:
        """What it is, by the names of facts that begin with ``candidate``."""
        return _own_facts(self.strategy, self.engine, self._described, self.project)

    @cached_property
    def needs(self) -> dict[str, Value]:
        """What it needs, by the names of facts that begin with ``need``; nothing where it cannot be forecast."""
        return _needs(self.forecast, self._described, part=self.strategy.worth_a_part)

    @cached_property
    def forecast(self) -> Forecast | None:
        """What it will take and bring; None where nothing is known."""
        return _forecast(self.strategy, self.engine, self._described, self.project, self.machine)

    @cached_property
    def feasible(self) -> bool:
        """Whether nothing rules it out."""
        return self.meets_needs(self.facts, self.base.limits)

    def meets_needs(self, facts: Values, limits: Values) -> bool:
        """Return whether nothing rules it out at other facts or thresholds."""
        needs = self.base.requirements[self.strategy.id]
        return all(need.condition.evaluate(facts, limits) is not False for need in needs)

    @cached_property
    def vetoes(self) -> tuple[Veto, ...]:
        """The requirements that failed; none where the candidate is feasible."""
        facts, limits = self.facts, self.base.limits
        vetoes = []
        for requirement in self.base.requirements[self.strategy.id]:
            if requirement.condition.evaluate(facts, limits) is False:
                failed = tuple(o for o in requirement.condition.trace(facts, limits) if o.held is False)
                vetoes.append(Veto(requirement.id, requirement.reason(facts), failed))
        return tuple(vetoes)

    @cached_property
    def remedies(self) -> "list[Remedy]":
        """What would let it meet its needs; nothing where none is known, or where something else rules it out too."""
        failed = {veto.requirement for veto in self.vetoes}
        model = self._described
        if not failed or failed - CURABLE or model is None or self.forecast is None or not self.strategy.executable:
            return []
        from advisor.estimates.remedies import Case, remedies

        languages = set(str(self.project.values.get("task.languages") or "").split(",")) - {""}
        licence = self.project.values["constraints.licence"]

        def enough(strategy: Strategy, model: BaseModelFacts, forecast: Forecast) -> bool:
            facts = {**self.facts, **_needs(forecast, model, part=strategy.worth_a_part)}
            needs = self.base.requirements[strategy.id]
            limits = self.base.limits
            return all(n.condition.evaluate(facts, limits) is not False for n in needs if n.id in CURABLE)

        def speaks(other: BaseModelFacts) -> bool:
            known = _speaks(set(other.languages), languages) is not False
            return known and (licence == "any" or other.licence.startswith(PERMISSIVE))

        values = self.project.values
        return remedies(
            Case(self.strategy, self.engine, self.model, model, values, self.machine, speaks=speaks, enough=enough)
        )

    @property
    def _described(self) -> BaseModelFacts | None:
        own = self.engine == "encoder" or self.model == self.project.values["generator"]
        return describe_model(self.model) if own else None


def candidates(facts: Facts, base: RuleBase, machine: Machine) -> list[Candidate]:
    """Return every strategy on every engine at hand that it applies on, best engine of a strategy first.

    One that applies on none is there once, ruled out by the requirement that it apply.
    """
    return [c for strategy in STRATEGIES for c in candidates_of(strategy, facts, base, machine)]


def candidates_of(strategy: str, facts: Facts, base: RuleBase, machine: Machine) -> list[Candidate]:
    """Return one strategy on every engine at hand, best engine first."""
    chosen, task = STRATEGIES[strategy], str(facts.values.get("task.type"))
    engines = list(_engines(chosen, facts))
    able = [(engine, model) for engine, model in engines if chosen.handles(task, engine)]
    return [Candidate(chosen, engine, model, facts, base, machine) for engine, model in able or engines[:1]]


def first_feasible(found: Iterable[Candidate], strategy: str) -> Candidate | None:
    """Return the strategy's best candidate that nothing rules out."""
    return next((c for c in found if c.strategy.id == strategy and c.feasible), None)


def _engines(strategy: Strategy, facts: Facts) -> Iterator[tuple[Engine, str]]:
    """Yield where a strategy can be carried out, and on which model.

    A generator to tune can always be had; it can then be prompted too, for tasks that write.
    """
    values, llm = facts.values, facts.values["model.llm"]
    if "llm-api" in strategy.engines and llm == "api":
        yield "llm-api", f"{values.get('model.llm_name') or 'a language model'} by API"
    if "llm-local" in strategy.engines:
        if strategy.family == "prompting" and llm == "local":
            yield "llm-local", str(values.get("model.llm_name") or "a language model")
        elif strategy.family != "prompting" or values["writes"]:
            yield "llm-local", str(values["generator"])
    if "encoder" in strategy.engines:
        yield "encoder", str(values["encoder"])


def _forecast(
    strategy: Strategy, engine: Engine, model: BaseModelFacts | None, facts: Facts, machine: Machine
) -> Forecast | None:
    if facts.values.get("data.labelled") is None:
        return None
    if engine != "encoder" and strategy.family == "prompting":
        return forecast_llm(strategy, engine, facts.values)
    if model is None:
        return None
    forecast = forecast_encoder if engine == "encoder" else forecast_generator
    return forecast(strategy, model, facts.values, machine)


def _own_facts(strategy: Strategy, engine: Engine, model: BaseModelFacts | None, facts: Facts) -> dict[str, Value]:
    task = facts.values.get("task.type")
    languages = set(str(facts.values.get("task.languages") or "").split(",")) - {""}
    known = set(model.languages) if model else {"unknown"}
    licence = model.licence if model else "unknown"
    return {
        "candidate.engine": engine,
        "candidate.trains": strategy.family != "prompting",
        "candidate.leaves": engine == "llm-api",
        "candidate.needs_weights": not _on_own_model(strategy, engine, facts),
        "candidate.speaks_language": _speaks(known, languages),
        "candidate.licence_fits": facts.values["constraints.licence"] == "any" or licence.startswith(PERMISSIVE),
        "candidate.handles_task": None
        if task is None
        else strategy.handles(str(task), engine) and _able(engine, model),
    }


def _on_own_model(strategy: Strategy, engine: Engine, facts: Facts) -> bool:
    """Return whether it prompts the language model that the project has, however it has it."""
    return strategy.family == "prompting" and engine == f"llm-{facts.values['model.llm']}"


def _able(engine: Engine, model: BaseModelFacts | None) -> bool:
    """Return whether a model can write where it has to."""
    return engine == "encoder" or model is None or model.generates


def _speaks(known: set[str], languages: set[str]) -> bool | None:
    if known & {"multilingual", "unknown"}:
        return True
    return languages <= known if languages else None


def _needs(forecast: Forecast | None, model: BaseModelFacts | None, *, part: bool) -> dict[str, Value]:
    """Return what a candidate needs at least; of memory most, for running out loses the run, unless bits can be saved.

    What is worth training on a part of the rows takes the time and the money of the fewest: more labels do not rule it
    out.
    """
    if forecast is None:
        return {}
    memory = forecast.least_room_bytes
    least = memory.low if model and model.may_be_quantised else memory.high
    return {
        "need.train_memory_gb": least / 1e9,
        "need.train_hours": (forecast.least_train_seconds if part else forecast.train_seconds).low / 3600,
        "need.train_usd": (forecast.least_train_usd if part else forecast.train_usd).low,
        "need.latency_ms": forecast.latency_ms_p95.low,
        "need.usd_per_1000": forecast.usd_per_1000.low if forecast.usd_per_1000 else None,
    }
