"""A forecast: training time, memory and money, latency and price of answers, expected quality - each an interval."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

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
from advisor.strategies import STRATEGIES, Engine, Strategy, TextLoad, Workload

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


@dataclass(frozen=True)
class Forecast:
    """What a candidate will take and bring; None where nothing is known.

    Attributes:
        quality: accuracy on data like the labelled ones, a share.
        train_seconds: from start to a fitted model, libraries and loading included.
        least_train_seconds: the same with no more rows than are worth training on.
        train_memory_bytes: peak on the training device (host memory on a processor).
        latency_ms_p50: one typical text.
        latency_ms_p95: one text of the longest 5 %.
        train_usd: price of the training time.
        least_train_usd: price of ``least_train_seconds``.
        usd_per_1000: price of 1,000 answers paid by the token; 0 on your own machine.
        tokens_in, tokens_out: of an answer, where a language model is prompted.
    """

    quality: Interval | None
    train_seconds: Interval
    least_train_seconds: Interval
    train_memory_bytes: Interval
    latency_ms_p50: Interval
    latency_ms_p95: Interval
    train_usd: Interval
    least_train_usd: Interval
    usd_per_1000: Interval | None
    tokens_in: Interval | None = None
    tokens_out: Interval | None = None

    def as_dict(self) -> dict[str, dict[str, float] | None]:
        """Return every interval by name; tokens only where a language model is prompted."""
        known = {name: interval.as_dict() if interval else None for name, interval in vars(self).items()}
        return {name: found for name, found in known.items() if found or not name.startswith("tokens")}


@cache
def default_settings(strategy: str, engine: Engine = "encoder") -> BaseModel:
    """Return a strategy's settings on an engine as the rules give them.

    Raises:
        RuleBaseError: a setting is missing, unknown or out of its bounds.
    """
    kind, sections = STRATEGIES[strategy].settings_for(engine)
    values: dict[str, Any] = {}
    for section in sections:
        values |= default_values(section)
    try:
        return kind.model_validate(values)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise RuleBaseError(f"{strategy}.{name}: {first['msg']}", asset("rules", "hyperparameters.yaml")) from None


def forecast_encoder(
    strategy: Strategy,
    model: BaseModelFacts,
    facts: Mapping[str, Value],
    machine: Machine,
    settings: BaseModel | None = None,
) -> Forecast:
    """Forecast a strategy on an encoder, with the rules' settings unless others are given.

    Time is operations divided by the achieved rate, plus an overhead an update, plus start-up; see `Workload`.
    Memory on a processor is the process, the weights at 4 bytes, 12 more for every trained parameter (AdamW), and
    the activations kept for the backward pass (Korthikanti et al. 2022, arXiv 2205.05198, section 4).
    """
    return _forecast_encoder(strategy, model, tuple(facts.get(name) for name in _ENCODER_FACTS), machine, settings)


@lru_cache(maxsize=4096)
def _forecast_encoder(
    strategy: Strategy,
    model: BaseModelFacts,
    values: tuple[Value, ...],
    machine: Machine,
    settings: BaseModel | None = None,
) -> Forecast:
    """Forecast from the facts that matter alone: a verdict's sensitivity asks for the same ones many times."""
    facts = dict(zip(_ENCODER_FACTS, values, strict=True))
    training = _device(str(facts["compute.device"]), machine)
    load = _load(model, facts)
    settings = settings or default_settings(strategy.id)
    work = strategy.workload(model, load, settings)
    cores = _cores(training, facts, machine)
    seconds = _seconds(work, training, cores)
    fewest = load._replace(rows=min(load.rows, load_constants()["fewest_training_rows"].point))
    least = _seconds(strategy.workload(model, fewest, settings), training, cores)
    price = _number(facts, "compute.usd_per_hour") / 3600
    memory = _generator_memory if model.may_be_quantised else _memory
    serving = _device(str(facts["serving.device"]), machine)
    return Forecast(
        quality=_quality(strategy.id, "encoder", facts),
        train_seconds=seconds,
        least_train_seconds=least,
        train_memory_bytes=memory(model, work, facts),
        latency_ms_p50=_latency(model, load.tokens, serving, machine),
        latency_ms_p95=_latency(model, _number(facts, "data.tokens_p95"), serving, machine),
        train_usd=seconds.times(price),
        least_train_usd=least.times(price),
        usd_per_1000=Interval.exactly(0.0),
    )


def forecast_generator(
    strategy: Strategy,
    model: BaseModelFacts,
    facts: Mapping[str, Value],
    machine: Machine,
    settings: BaseModel | None = None,
) -> Forecast:
    """Forecast tuning a generator: as for an encoder, but answers take as long as those of a local language model."""
    settings = settings or default_settings(strategy.id, "llm-local")
    tuned = _forecast_encoder(strategy, model, tuple(facts.get(name) for name in _ENCODER_FACTS), machine, settings)
    latency = load_constants()["llm_local_latency_ms"]
    return replace(tuned, quality=None, latency_ms_p50=latency, latency_ms_p95=latency.times(2.0))


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
        least_train_seconds=Interval.exactly(0.0),
        train_memory_bytes=Interval.exactly(0.0),
        latency_ms_p50=latency,
        latency_ms_p95=latency.times(2.0),
        train_usd=Interval.exactly(0.0),
        least_train_usd=Interval.exactly(0.0),
        usd_per_1000=_token_price(engine, facts, tokens_in, constants["llm_answer_tokens"]),
        tokens_in=tokens_in,
        tokens_out=constants["llm_answer_tokens"],
    )


def with_choice(forecast: Forecast, prompts: int, at_once: int) -> Forecast:
    """Return a prompt's forecast with the time and the money that it takes to choose the prompt.

    Args:
        forecast: of the prompt's answers.
        prompts: asked about labelled rows to choose how to ask.
        at_once: of them under way at a time.
    """
    price = forecast.usd_per_1000 or Interval.exactly(0.0)
    return replace(
        forecast,
        train_seconds=forecast.latency_ms_p50.times(prompts / at_once / 1e3),
        train_usd=price.times(prompts / 1e3),
    )


def _load(model: BaseModelFacts, facts: Mapping[str, Value]) -> TextLoad:
    length = min(max(_number(facts, "data.tokens_median"), _SHORTEST_TEXT), model.context)
    return TextLoad(rows=_number(facts, "data.labelled"), tokens=length, classes=int(_number(facts, "classes")))


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


def _seconds(work: Workload, device: DeviceFacts, cores: float) -> Interval:
    return (
        device.start_seconds.plus(device.forward_gflops.spend(work.forward_flops / 1e9 / cores))
        .plus(device.training_gflops.spend(work.training_flops / 1e9 / cores))
        .plus(load_constants()["update_overhead_ms"].times(work.updates / 1e3))
    )


def _memory(model: BaseModelFacts, work: Workload, facts: Mapping[str, Value]) -> Interval:
    constants = load_constants()
    tokens, length = work.stored_tokens, _load(model, facts).tokens
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


def _generator_memory(model: BaseModelFacts, work: Workload, facts: Mapping[str, Value]) -> Interval:
    """Low end: one device's share, of 4-bit weights where they stay frozen, with all activations recomputed."""
    constants = load_constants()
    stored = min(work.stored_tokens, constants["texts_at_once_of_generator"].point * _number(facts, "data.tokens_p95"))
    trained = min(work.trained_parameters, model.parameters)
    needed = (
        constants["bytes_per_frozen_generator_weight"]
        .times(model.parameters - trained)
        .plus(constants["bytes_per_tuned_generator_weight"].times(trained))
        .plus(constants["activation_bytes_of_generator"].times(stored * model.layers * model.hidden))
    )
    devices = max(1.0, _number(facts, "compute.devices"))
    spread = Interval(needed.low / devices, needed.point / devices, needed.high)
    return spread.plus(constants["process_gb"].times(1e9))


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
