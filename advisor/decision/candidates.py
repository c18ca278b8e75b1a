"""Candidates: strategy × base model × engine, each with its forecast and what rules it out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from advisor.decision.facts import Facts
from advisor.estimates.forecast import Forecast, forecast_encoder, forecast_llm
from advisor.knowledge.catalogue import BaseModelFacts, describe_model, load_catalogue
from advisor.knowledge.conditions import Outcome, Values
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy

_GENERATING_TASKS = {"generation", "question-answering"}
_PERMISSIVE = ("apache", "mit", "bsd", "unknown")


@dataclass(frozen=True)
class Veto:
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
        return _needs(self.forecast)

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

    @property
    def _described(self) -> BaseModelFacts | None:
        return describe_model(self.model) if self.engine == "encoder" else None


def candidates(facts: Facts, base: RuleBase, machine: Machine) -> list[Candidate]:
    """Return every strategy on every engine at hand, best engine of a strategy first."""
    return [c for strategy in STRATEGIES for c in candidates_of(strategy, facts, base, machine)]


def candidates_of(strategy: str, facts: Facts, base: RuleBase, machine: Machine) -> list[Candidate]:
    """Return one strategy on every engine at hand, best engine first."""
    chosen = STRATEGIES[strategy]
    return [Candidate(chosen, engine, model, facts, base, machine) for engine, model in _engines(chosen, facts)]


def first_feasible(found: Iterable[Candidate], strategy: str) -> Candidate | None:
    """Return the strategy's best candidate that nothing rules out."""
    return next((c for c in found if c.strategy.id == strategy and c.feasible), None)


def _engines(strategy: Strategy, facts: Facts) -> Iterator[tuple[Engine, str]]:
    """Yield where a strategy can be carried out; for a generating task a local model can always be had."""
    values = facts.values
    llm = values["model.llm"]
    if "model.llm" in facts.assumed and values.get("task.type") in _GENERATING_TASKS:
        llm = "local"
    name = str(values.get("model.llm_name") or "a language model")
    if llm == "api" and "llm-api" in strategy.engines:
        yield "llm-api", f"{name} by API"
    if llm == "local" and "llm-local" in strategy.engines:
        yield "llm-local", name
    yield "encoder", choose_model(facts)


def choose_model(facts: Facts) -> str:
    """Return the base model: the one named, else the embedded one, or a multilingual one for other languages."""
    named = facts.values.get("model.base")
    if named and named != "auto":
        return str(named)
    catalogue = load_catalogue()
    languages = str(facts.values.get("task.languages") or "en").split(",")
    if set(languages) <= set(catalogue.models[catalogue.default_model].languages):
        return catalogue.default_model
    return catalogue.default_model_by_language


def _forecast(
    strategy: Strategy, engine: Engine, model: BaseModelFacts | None, facts: Facts, machine: Machine
) -> Forecast | None:
    if facts.values.get("data.labelled") is None:
        return None
    if engine != "encoder":
        if strategy.family != "prompting":
            return None
        return forecast_llm(strategy, engine, facts.values)
    return forecast_encoder(strategy, model, facts.values, machine) if model else None


def _own_facts(strategy: Strategy, engine: Engine, model: BaseModelFacts | None, facts: Facts) -> dict[str, Value]:
    task = facts.values.get("task.type")
    languages = set(str(facts.values.get("task.languages") or "").split(",")) - {""}
    known = set(model.languages) if model else {"unknown"}
    licence = model.licence if model else "unknown"
    return {
        "candidate.engine": engine,
        "candidate.leaves": engine == "llm-api",
        "candidate.needs_weights": engine != "llm-api",
        "candidate.speaks_language": _speaks(known, languages),
        "candidate.licence_fits": facts.values["constraints.licence"] == "any" or licence.startswith(_PERMISSIVE),
        "candidate.handles_task": None if task is None else strategy.handles(str(task), engine),
    }


def _speaks(known: set[str], languages: set[str]) -> bool | None:
    if known & {"multilingual", "unknown"}:
        return True
    return languages <= known if languages else None


def _needs(forecast: Forecast | None) -> dict[str, Value]:
    if forecast is None:
        return {}
    return {
        "need.train_memory_gb": forecast.train_memory_bytes.high / 1e9,
        "need.train_hours": forecast.train_seconds.low / 3600,
        "need.train_usd": forecast.train_usd.low,
        "need.latency_ms": forecast.latency_ms_p95.low,
        "need.usd_per_1000": forecast.usd_per_1000.low if forecast.usd_per_1000 else None,
    }
