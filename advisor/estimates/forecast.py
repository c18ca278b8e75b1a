"""A forecast: training time, memory and money, latency and price of answers, expected quality - each an interval."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from advisor.assets import asset
from advisor.errors import RuleBaseError
from advisor.estimates.constants import load_constants
from advisor.estimates.quality import expected_accuracy
from advisor.knowledge.catalogue import BaseModelFacts, DeviceFacts, load_catalogue
from advisor.knowledge.hyperparameters import default_values
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Strategy, TextLoad, Workload

_SHORTEST_TEXT = 4.0
_ENCODER_FACTS = (
    "task.type",
    "classes",
    "labels_per_class",
    "data.labelled",
    "data.tokens_median",
    "data.tokens_p95",
    "compute.device",
    "compute.devices",
    "compute.usd_per_hour",
    "serving.device",
)


class Forecast(NamedTuple):
    """What a candidate will take and bring; None where nothing is known.

    Attributes:
        quality: accuracy on data like the labelled ones, a share.
        train_seconds: from start to a fitted model, libraries and loading included.
        train_memory_bytes: peak on the training device (host memory on a processor).
        latency_ms_p50: one typical text.
        latency_ms_p95: one text of the longest 5 %.
        train_usd: price of the training time.
        usd_per_1000: price of 1,000 answers paid by the token; 0 on your own machine.
    """

    quality: Interval | None
    train_seconds: Interval
    train_memory_bytes: Interval
    latency_ms_p50: Interval
    latency_ms_p95: Interval
    train_usd: Interval
    usd_per_1000: Interval | None

    def as_dict(self) -> dict[str, dict[str, float] | None]:
        """Return every interval by name."""
        return {name: interval.as_dict() if interval else None for name, interval in self._asdict().items()}


@cache
def default_settings(strategy: str) -> BaseModel:
    """Return a strategy's settings as the rules give them.

    Raises:
        RuleBaseError: a setting is missing, unknown or out of its bounds.
    """
    chosen = STRATEGIES[strategy]
    values: dict[str, Any] = {}
    for section in chosen.settings_of or (strategy,):
        values |= default_values(section)
    try:
        return chosen.settings.model_validate(values)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise RuleBaseError(f"{strategy}.{name}: {first['msg']}", asset("rules", "hyperparameters.yaml")) from None


def forecast_encoder(
    strategy: Strategy, model: BaseModelFacts, facts: Mapping[str, Value], machine: Machine
) -> Forecast:
    """Forecast a strategy on an encoder.

    Time is operations divided by the achieved rate, plus an overhead an update, plus start-up; see `Workload`.
    Memory on a processor is the process, the weights at 4 bytes, 12 more for every trained parameter (AdamW), and
    the activations kept for the backward pass (Korthikanti et al. 2022, arXiv 2205.05198, section 4).
    """
    return _forecast_encoder(strategy, model, tuple(facts.get(name) for name in _ENCODER_FACTS), machine)


@lru_cache(maxsize=4096)
def _forecast_encoder(
    strategy: Strategy, model: BaseModelFacts, values: tuple[Value, ...], machine: Machine
) -> Forecast:
    """Forecast from the facts that matter alone: a verdict's sensitivity asks for the same ones many times."""
    facts = dict(zip(_ENCODER_FACTS, values, strict=True))
    constants = load_constants()
    training = _device(str(facts["compute.device"]), machine)
    length = min(max(_number(facts, "data.tokens_median"), _SHORTEST_TEXT), model.context)
    load = TextLoad(rows=_number(facts, "data.labelled"), tokens=length, classes=int(_number(facts, "classes")))
    work = strategy.workload(model, load, default_settings(strategy.id))
    devices = _cores(training, facts, machine)
    seconds = (
        training.start_seconds.plus(training.forward_gflops.spend(work.forward_flops / 1e9 / devices))
        .plus(training.training_gflops.spend(work.training_flops / 1e9 / devices))
        .plus(constants["update_overhead_ms"].times(work.updates / 1e3))
    )
    serving = _device(str(facts["serving.device"]), machine)
    return Forecast(
        quality=_quality(strategy.id, "encoder", facts),
        train_seconds=seconds,
        train_memory_bytes=_memory(model, work, length),
        latency_ms_p50=_latency(model, length, serving, machine),
        latency_ms_p95=_latency(model, _number(facts, "data.tokens_p95"), serving, machine),
        train_usd=seconds.times(_number(facts, "compute.usd_per_hour") / 3600),
        usd_per_1000=Interval.exactly(0.0),
    )


def forecast_llm(strategy: Strategy, engine: str, facts: Mapping[str, Value]) -> Forecast:
    """Forecast prompting a language model: no training; tokens times price for every answer."""
    constants = load_constants()
    latency = constants["llm_api_latency_ms" if engine == "llm-api" else "llm_local_latency_ms"]
    text = _number(facts, "data.tokens_median")
    shots = constants["llm_demonstrations"] if strategy.needs_labels else Interval.exactly(0.0)
    tokens_in = constants["llm_prompt_tokens"].plus(shots.times(text)).plus(Interval.exactly(text))
    return Forecast(
        quality=_quality(strategy.id, f"{engine}-{facts['model.llm_strength']}", facts),
        train_seconds=Interval.exactly(0.0),
        train_memory_bytes=Interval.exactly(0.0),
        latency_ms_p50=latency,
        latency_ms_p95=latency.times(2.0),
        train_usd=Interval.exactly(0.0),
        usd_per_1000=_token_price(engine, facts, tokens_in, constants["llm_answer_tokens"]),
    )


def _token_price(engine: str, facts: Mapping[str, Value], read: Interval, written: Interval) -> Interval | None:
    if engine == "llm-local":
        return Interval.exactly(0.0)
    price_in, price_out = (
        facts.get("model.llm_usd_per_million_in"),
        facts.get("model.llm_usd_per_million_out"),
    )
    if price_in is None or price_out is None:
        return None
    return read.times(float(price_in) / 1e3).plus(written.times(float(price_out) / 1e3))


def _quality(strategy: str, engine: str, facts: Mapping[str, Value]) -> Interval | None:
    if facts.get("task.type") != "text-classification" or facts.get("labels_per_class") is None:
        return None
    return expected_accuracy(strategy, engine, _number(facts, "labels_per_class"), int(_number(facts, "classes")))


def _memory(model: BaseModelFacts, work: Workload, length: float) -> Interval:
    constants = load_constants()
    tokens = work.stored_tokens
    activations = (
        constants["activation_bytes_per_token_layer_hidden"]
        .times(tokens * model.layers * model.hidden)
        .plus(constants["activation_bytes_per_score"].times(tokens * model.layers * model.heads * length))
    )
    return (
        constants["process_gb"]
        .times(1e9)
        .plus(constants["bytes_per_weight"].times(model.parameters))
        .plus(constants["bytes_per_trained_parameter"].times(work.trained_parameters))
        .plus(activations)
    )


def _latency(model: BaseModelFacts, length: float, device: DeviceFacts, machine: Machine) -> Interval:
    """One text: operations at the rate a single text reaches, plus an overhead a layer."""
    length = min(length, model.context)
    share = load_constants()["small_batch_rate"]
    cores = machine.cores if device.per_core else 1
    rate = Interval(*(a * b * cores for a, b in zip(device.forward_gflops, share, strict=True)))
    overhead = device.layer_overhead_ms.times(model.layers)
    return rate.spend(model.forward_flops(length, length) / 1e9).times(1e3).plus(overhead)


def _device(kind: str, machine: Machine) -> DeviceFacts:
    devices = load_catalogue().devices
    return devices["gpu"] if kind == "gpu" else devices.get(f"cpu-{machine.units}", devices["cpu-unknown"])


def _cores(device: DeviceFacts, facts: Mapping[str, Value], machine: Machine) -> float:
    count = _number(facts, "compute.devices")
    return machine.cores * count if device.per_core else count


def _number(facts: Mapping[str, Value], name: str) -> float:
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
