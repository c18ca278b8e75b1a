"""Candidates: strategy × base model × engine, each with its forecast and what rules it out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from advisor.decision.facts import Facts
from advisor.estimates.forecast import Forecast, forecast_encoder, forecast_llm
from advisor.knowledge.catalogue import BaseModelFacts, describe_model, load_catalogue
from advisor.knowledge.conditions import Outcome
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy

_GENERATING_TASKS = {"generation", "question-answering"}
_PERMISSIVE = ("apache", "mit", "bsd", "unknown")


class Veto(NamedTuple):
    """A requirement that failed: its name, the reason in words, and the tests that failed."""

    requirement: str
    because: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Candidate:
    """One strategy on one base model.

    Attributes:
        model: catalogue name, hub id or folder; for a language model its name or kind.
        facts: the project's facts and this candidate's.
        vetoes: failed requirements; empty where the candidate is feasible.
    """

    strategy: Strategy
    engine: Engine
    model: str
    facts: dict[str, Value]
    forecast: Forecast | None
    vetoes: tuple[Veto, ...]

    @property
    def feasible(self) -> bool:
        """Whether nothing rules it out."""
        return not self.vetoes


def candidates(facts: Facts, base: RuleBase, machine: Machine) -> list[Candidate]:
    """Return every strategy on every engine at hand, best engine of a strategy first."""
    return [
        _candidate(strategy, engine, model, facts, base, machine)
        for strategy in STRATEGIES.values()
        for engine, model in _engines(strategy, facts)
    ]


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


def _candidate(
    strategy: Strategy, engine: Engine, model: str, facts: Facts, base: RuleBase, machine: Machine
) -> Candidate:
    described = describe_model(model) if engine == "encoder" else None
    forecast = _forecast(strategy, engine, described, facts, machine)
    values = {**facts.values, **_own_facts(strategy, engine, described, facts), **_needs(forecast)}
    vetoes = []
    for requirement in base.requirements[strategy.id]:
        if requirement.condition.evaluate(values, base.limits) is False:
            failed = tuple(o for o in requirement.condition.trace(values, base.limits) if o.held is False)
            vetoes.append(Veto(requirement.id, requirement.reason(values), failed))
    return Candidate(strategy, engine, model, values, forecast, tuple(vetoes))


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
