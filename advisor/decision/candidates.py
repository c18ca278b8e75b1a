"""Candidates: strategy × base model × engine, each with its forecast and what rules it out."""

from collections.abc import Iterator
from dataclasses import dataclass

from advisor.decision.facts import PROMPTED_TASKS, Facts
from advisor.estimates.forecast import Forecast, forecast_encoder, forecast_generator, forecast_llm
from advisor.knowledge.catalogue import BaseModelFacts, describe_model
from advisor.knowledge.conditions import Outcome
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy

_PERMISSIVE = ("apache", "mit", "bsd", "unknown")


@dataclass(frozen=True)
class Veto:
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
    """Return every strategy on every engine at hand that it applies on, best engine of a strategy first.

    One that applies on none is there once, ruled out by the requirement that it apply.
    """
    task = str(facts.values["task.type"])
    found = []
    for strategy in STRATEGIES.values():
        engines = list(_engines(strategy, facts))
        able = [(engine, model) for engine, model in engines if strategy.handles(task, engine)]
        found += [_candidate(strategy, engine, model, facts, base, machine) for engine, model in able or engines[:1]]
    return found


def _engines(strategy: Strategy, facts: Facts) -> Iterator[tuple[Engine, str]]:
    """Yield where a strategy can be carried out, and on which model.

    A generator can always be had for tuning; prompting a local one takes a profile that has one or does not say.
    """
    values = facts.values
    llm, task = values["model.llm"], values.get("task.type")
    if "model.llm" in facts.assumed and task in PROMPTED_TASKS:
        llm = "local"
    prompted = strategy.family == "prompting"
    if "llm-api" in strategy.engines and llm == "api":
        yield "llm-api", f"{values.get('model.llm_name') or 'a language model'} by API"
    if "llm-local" in strategy.engines and (llm == "local" or not prompted):
        named = values.get("model.llm_name") or "a language model"
        yield "llm-local", str(named) if prompted else facts.generator.name
    if "encoder" in strategy.engines:
        yield "encoder", facts.encoder.name


def _candidate(
    strategy: Strategy, engine: Engine, model: str, facts: Facts, base: RuleBase, machine: Machine
) -> Candidate:
    described = describe_model(model) if engine == "encoder" or strategy.family != "prompting" else None
    forecast = _forecast(strategy, engine, described, facts, machine)
    values = {**facts.values, **_own_facts(strategy, engine, described, facts), **_needs(forecast, engine)}
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
    if engine != "encoder" and strategy.family == "prompting":
        return forecast_llm(strategy, engine, facts.values)
    if model is None:
        return None
    if engine != "encoder":
        return forecast_generator(strategy, model, facts.values, machine)
    return forecast_encoder(strategy, model, facts.values, machine)


def _own_facts(strategy: Strategy, engine: Engine, model: BaseModelFacts | None, facts: Facts) -> dict[str, Value]:
    task = facts.values.get("task.type")
    languages = set(str(facts.values.get("task.languages") or "").split(",")) - {""}
    known = set(model.languages) if model else {"unknown"}
    licence = model.licence if model else "unknown"
    return {
        "candidate.engine": engine,
        "candidate.trains": strategy.family != "prompting",
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


def _needs(forecast: Forecast | None, engine: Engine) -> dict[str, Value]:
    """Return what a candidate needs at least; memory on an encoder at most, because running out loses the run."""
    if forecast is None:
        return {}
    memory = forecast.train_memory_bytes
    return {
        "need.train_memory_gb": (memory.high if engine == "encoder" else memory.low) / 1e9,
        "need.train_hours": forecast.train_seconds.low / 3600,
        "need.train_usd": forecast.train_usd.low,
        "need.latency_ms": forecast.latency_ms_p95.low,
        "need.usd_per_1000": forecast.usd_per_1000.low if forecast.usd_per_1000 else None,
    }
