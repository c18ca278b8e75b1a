"""Remedies: what would make a strategy fit in memory, or be fast enough, each with its forecast and what it costs.

Only what a run here can carry out is offered: smaller parts of a batch, recomputation, adapters, fewer layers, fewer
passes, shorter texts, a smaller model. The precision of products is the device's and is no choice; weights that learn
are kept in fp32.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from advisor.estimates.forecast import Forecast, default_settings, forecast_encoder, forecast_generator
from advisor.knowledge.catalogue import BaseModelFacts, load_catalogue
from advisor.knowledge.hyperparameters import load_hyperparameters
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy

# What a remedy costs, least first.
COSTS = (
    "time alone",
    "little quality as a rule",
    "what stands in the part of long texts that is cut off",
    "quality where more passes would have helped",
    "the quality of a larger model",
)
_TIME, _LITTLE, _TEXT, _PASSES, _MODEL = range(len(COSTS))
_INSTEAD = ("lora", "partial-unfreezing", "linear-probe")


@dataclass(frozen=True)
class Remedy:
    """A change after which a candidate meets its needs.

    Attributes:
        change: in words.
        cost: its place in `COSTS`.
        strategy, model: what would be carried out then, on which model.
        settings: hyper-parameters to set.
        slower: training time then, as a multiple of now.
        forecast: of the changed candidate.
    """

    change: str
    cost: int
    strategy: str
    model: str
    settings: Mapping[str, Any]
    slower: float
    forecast: Forecast

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        forecast = self.forecast
        named: dict[str, Interval] = {
            "room_bytes": forecast.room_bytes,
            "train_seconds": forecast.train_seconds,
            "latency_ms": forecast.latency_ms_p95,
        }
        return {
            "change": self.change,
            "costs": COSTS[self.cost],
            "strategy": self.strategy,
            "model": self.model,
            "settings": dict(self.settings),
            "times_the_training_time": round(self.slower, 2),
            "expected": {name: interval.as_dict() for name, interval in named.items()},
        }


@dataclass(frozen=True)
class Case:
    """A candidate that does not meet its needs.

    Attributes:
        name: of the model, as the catalogue or the project has it.
        speaks: whether another model may take its place.
        enough: whether a forecast meets the needs, of a strategy on a model.
    """

    strategy: Strategy
    engine: Engine
    name: str
    model: BaseModelFacts
    facts: Mapping[str, Value]
    machine: Machine
    speaks: Callable[[BaseModelFacts], bool]
    enough: Callable[[Strategy, BaseModelFacts, Forecast], bool]

    def forecast(self, strategy: Strategy, model: BaseModelFacts, settings: BaseModel) -> Forecast:
        """Forecast a strategy on a model with some settings."""
        made = forecast_encoder if self.engine == "encoder" else forecast_generator
        return made(strategy, model, self.facts, self.machine, settings)


def remedies(case: Case) -> list[Remedy]:
    """Return what would help, what costs least first: of each kind of change the smallest that does."""
    now = case.forecast(case.strategy, case.model, default_settings(case.strategy.id, case.engine))
    found = []
    for steps in (_smaller_parts, _recomputed, _fewer_layers, _shorter, _fewer_passes, _instead, _smaller_models):
        for change, cost, strategy, (name, model), settings in steps(case):
            given = default_settings(strategy.id, case.engine).model_copy(update=settings)
            forecast = case.forecast(strategy, model, given)
            if case.enough(strategy, model, forecast):
                slower = forecast.train_seconds.point / now.train_seconds.point
                found.append(Remedy(change, cost, strategy.id, name, settings, slower, forecast))
                break
    return sorted(found, key=lambda remedy: (remedy.cost, remedy.slower))


_Step = tuple[str, int, Strategy, tuple[str, BaseModelFacts], dict[str, Any]]


def _smaller_parts(case: Case) -> Iterator[_Step]:
    """Yield ever smaller parts of a batch, computed one after the other: the gradients are the same."""
    settings = default_settings(case.strategy.id, case.engine)
    tokens = getattr(settings, "batch_tokens", 0)
    while tokens > _tokens(case, "data.tokens_median"):
        tokens //= 2
        change = f"{tokens:,} tokens at once, gradients accumulated"
        yield change, _TIME, case.strategy, (case.name, case.model), {"batch_tokens": tokens}


def _recomputed(case: Case) -> Iterator[_Step]:
    """Yield recomputation in the backward pass, alone and with the smallest parts of a batch."""
    if getattr(default_settings(case.strategy.id, case.engine), "recompute", True):
        return
    same = (case.strategy, (case.name, case.model))
    yield "activations computed again rather than kept", _TIME, *same, {"recompute": True}
    *_, smallest = _smaller_parts(case)
    yield f"{smallest[0]}, activations computed again", _TIME, *same, {"recompute": True, **smallest[-1]}


def _fewer_layers(case: Case) -> Iterator[_Step]:
    settings = default_settings(case.strategy.id, case.engine)
    layers = round(getattr(settings, "trained_share", 0.0) * case.model.layers)
    while 1 < layers < case.model.layers:
        layers //= 2
        change = f"{layers} {'layer' if layers == 1 else 'layers'} tuned"
        share = {"trained_share": layers / case.model.layers}
        yield change, _LITTLE, case.strategy, (case.name, case.model), share


def _shorter(case: Case) -> Iterator[_Step]:
    """Yield limits on texts from the longest 5 % down to the typical one."""
    if not hasattr(default_settings(case.strategy.id, case.engine), "max_length"):
        return
    length = int(min(_tokens(case, "data.tokens_p95"), case.model.context))
    least, *_ = load_hyperparameters()["full-fine-tuning"]["max_length"].range or (1,)
    while length >= max(_tokens(case, "data.tokens_median"), least):
        change = f"texts cut at {length} tokens"
        yield change, _TEXT, case.strategy, (case.name, case.model), {"max_length": length}
        length //= 2


def _fewer_passes(case: Case) -> Iterator[_Step]:
    passes = float(getattr(default_settings(case.strategy.id, case.engine), "epochs", 0.0))
    while passes > 1:
        passes = max(1.0, passes / 2)
        change = f"{passes:g} {'pass' if passes == 1 else 'passes'} over the rows"
        yield change, _PASSES, case.strategy, (case.name, case.model), {"epochs": passes}


def _instead(case: Case) -> Iterator[_Step]:
    """Yield strategies that train less of the model."""
    task, own = str(case.facts.get("task.type")), case.strategy.id
    if case.strategy.family != "fine-tuning":
        return
    for other in _INSTEAD:
        if other != own and STRATEGIES[other].handles(task, case.engine):
            yield f"{other} instead", _LITTLE, STRATEGIES[other], (case.name, case.model), {}


def _smaller_models(case: Case) -> Iterator[_Step]:
    """Yield the catalogue's smaller models of the same kind, largest first."""
    known = load_catalogue().models.items()
    smaller = [
        (name, other)
        for name, other in known
        if other.body_parameters < case.model.body_parameters
        and other.encodes == case.model.encodes
        and (other.encodes or other.objective == case.model.objective)
        and case.speaks(other)
    ]
    for name, other in sorted(smaller, key=lambda pair: -pair[1].body_parameters):
        yield f"{name} instead of {case.name}", _MODEL, case.strategy, (name, other), {}


def _tokens(case: Case, name: str) -> float:
    return float(case.facts.get(name) or 0.0)
