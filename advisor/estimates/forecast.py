"""A forecast: memory, time and money of training, latency and price of answers, quality - as intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from math import exp, log
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from advisor.assets import asset
from advisor.errors import RuleBaseError
from advisor.estimates.constants import load_constants
from advisor.estimates.correcting import corrected, corrections_of
from advisor.estimates.disk import disk_bytes
from advisor.estimates.latency import encoding_ms, writing_ms
from advisor.estimates.memory import Terms, host_memory, least_room, room, total, training_memory
from advisor.estimates.money import price_of_answers, price_of_time
from advisor.estimates.place import serving_place, training_place
from advisor.estimates.quality import expected_accuracy
from advisor.estimates.training_time import training_seconds
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.knowledge.hyperparameters import default_values
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy, TextLoad

Fits = Literal["fits", "tight", "too large", "unknown"]
# Standard deviations from the median to the 95th percentile of a normal distribution.
_NINETY_FIVE = 1.645
_NOTHING = Interval.exactly(0.0)
_FACTS = (
    "task.type",
    "classes",
    "mean_per_class",
    "data.labelled",
    "data.tokens_median",
    "data.tokens_p95",
    "compute.device",
    "compute.card",
    "compute.devices",
    "compute.memory_gb",
    "compute.usd_per_hour",
    "serving.device",
    "serving.card",
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
        room_bytes: memory that must be free on the training device: on a graphics card more than is ever in use.
        least_room_bytes: the same with one text at a time, which costs time alone, and at the low end with frozen
            weights in 4 bits, which takes another trainer than this one.
        host_memory_bytes: peak of the process in host memory.
        disk_bytes: most on disk at once.
        fits: whether training fits the memory at hand: surely, perhaps, surely not, or nobody knows.
        terms: what ``train_memory_bytes``, ``train_seconds`` and ``latency_ms_p50`` are made of, by name.
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
    room_bytes: Interval = _NOTHING
    least_room_bytes: Interval = _NOTHING
    host_memory_bytes: Interval = _NOTHING
    disk_bytes: Interval = _NOTHING
    fits: Fits = "unknown"
    terms: Mapping[str, Terms] = field(default_factory=dict)

    def as_dict(self) -> dict[str, dict[str, float] | None]:
        """Return every interval by name; tokens only where a language model is prompted."""
        known = {name: value for name, value in vars(self).items() if name not in ("fits", "terms")}
        found = {name: interval.as_dict() if interval else None for name, interval in known.items()}
        return {name: interval for name, interval in found.items() if interval or not name.startswith("tokens")}

    def terms_as_dict(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return the terms by quantity and name."""
        return {
            quantity: {name: interval.as_dict() for name, interval in terms.items()}
            for quantity, terms in self.terms.items()
        }


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

    What past runs on the machine teach is applied; see `advisor.estimates.correcting`.
    """
    found = _forecast(strategy, model, tuple(facts.get(name) for name in _FACTS), machine, "encoder", settings)
    corrections = corrections_of(strategy, "encoder", facts, machine)
    if not corrections:
        return found
    changed = corrected(found, corrections)
    return replace(changed, fits=_fits(changed.room_bytes, changed.least_room_bytes, facts.get("compute.memory_gb")))


def forecast_generator(
    strategy: Strategy,
    model: BaseModelFacts,
    facts: Mapping[str, Value],
    machine: Machine,
    settings: BaseModel | None = None,
) -> Forecast:
    """Forecast tuning a generator, which then reads a prompt and writes an answer."""
    return _forecast(strategy, model, tuple(facts.get(name) for name in _FACTS), machine, "llm-local", settings)


@lru_cache(maxsize=4096)
def _forecast(
    strategy: Strategy,
    model: BaseModelFacts,
    values: tuple[Value, ...],
    machine: Machine,
    engine: Engine,
    settings: BaseModel | None,
) -> Forecast:
    """Forecast from the facts that matter alone: a verdict's sensitivity asks for the same ones many times."""
    facts = dict(zip(_FACTS, values, strict=True))
    settings = settings or default_settings(strategy.id, engine)
    place, serving = training_place(facts, machine), serving_place(facts, machine)
    longest = _longest(facts, model, settings)
    load = _load(facts, longest)
    work = strategy.workload(model, load, settings)
    time = training_seconds(work, model, place)
    fewest = load._replace(rows=min(load.rows, load_constants()["fewest_training_rows"].point))
    seconds, least = total(time), total(training_seconds(strategy.workload(model, fewest, settings), model, place))
    memory = training_memory(work, model, load, longest, place)
    needed = room(memory, place)
    one = work._replace(batch_tokens=0.0, embedded_at_once=1.0)
    smallest = training_memory(one, model, load, longest, place)

    def latency(tokens: float) -> Terms:
        tokens = min(tokens, longest.high)
        if engine == "encoder":
            return encoding_ms(model, tokens, serving, tuned=bool(work.trained_parameters))
        written = load_constants()["share_written"].times(tokens)
        return writing_ms(model, tokens - written.point, written, serving)

    typical = latency(_tokens(facts, "data.tokens_median"))
    return Forecast(
        quality=_quality(strategy.id, "encoder", facts) if engine == "encoder" else None,
        train_seconds=seconds,
        least_train_seconds=least,
        train_memory_bytes=total(memory),
        latency_ms_p50=total(typical),
        latency_ms_p95=total(latency(_tokens(facts, "data.tokens_p95"))),
        train_usd=price_of_time(seconds, facts),
        least_train_usd=price_of_time(least, facts),
        usd_per_1000=_NOTHING,
        room_bytes=needed,
        least_room_bytes=least_room(smallest, work, model, place),
        host_memory_bytes=host_memory(work, memory, place),
        disk_bytes=disk_bytes(strategy, work, model),
        fits=_fits(needed, room(smallest, place), facts.get("compute.memory_gb")),
        terms={"train_memory_bytes": memory, "train_seconds": time, "latency_ms_p50": typical},
    )


def forecast_llm(strategy: Strategy, engine: str, facts: Mapping[str, Value]) -> Forecast:
    """Forecast prompting a language model: no training; tokens times price for every answer."""
    constants = load_constants()
    latency = constants["llm_api_latency_ms" if engine == "llm-api" else "llm_local_latency_ms"]
    text = _number(facts, "data.tokens_median")
    shots = constants["llm_demonstrations"] if strategy.needs_labels else _NOTHING
    tokens_in = constants["llm_prompt_tokens"].plus(shots.times(text)).plus(Interval.exactly(text))
    return Forecast(
        quality=_quality(strategy.id, f"{engine}-{facts['model.llm_strength']}", facts),
        train_seconds=_NOTHING,
        least_train_seconds=_NOTHING,
        train_memory_bytes=_NOTHING,
        latency_ms_p50=latency,
        latency_ms_p95=latency.times(2.0),
        train_usd=_NOTHING,
        least_train_usd=_NOTHING,
        usd_per_1000=price_of_answers(engine, facts, tokens_in, constants["llm_answer_tokens"]),
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
    price = forecast.usd_per_1000 or _NOTHING
    return replace(
        forecast,
        train_seconds=forecast.latency_ms_p50.times(prompts / at_once / 1e3),
        train_usd=price.times(prompts / 1e3),
    )


def _load(facts: Mapping[str, Value], longest: Interval) -> TextLoad:
    """Return the data as costs see it; lengths are taken to be log-normal, which gives their mean."""
    median = _tokens(facts, "data.tokens_median")
    mean = median * exp(_spread(facts) ** 2 / 2)
    return TextLoad(
        rows=_number(facts, "data.labelled"),
        tokens=min(mean, longest.high),
        classes=int(_number(facts, "classes")),
        longest=longest.point,
        differing=_spread(facts) > 0,
    )


def _longest(facts: Mapping[str, Value], model: BaseModelFacts, settings: BaseModel) -> Interval:
    """Return the tokens of the longest text, cut where the model or the settings cut it.

    Of log-normal lengths: so many standard deviations above the 95th percentile, in the logarithm.
    """
    limit = min(model.context, getattr(settings, "max_length", None) or model.context)
    p95 = max(_tokens(facts, "data.tokens_p95"), _tokens(facts, "data.tokens_median"))
    spread = _spread(facts)
    return load_constants()["deviations_to_longest"].map(lambda above: min(limit, p95 * exp(above * spread)))


def _tokens(facts: Mapping[str, Value], name: str) -> float:
    """Return a length of texts, of which none is shorter than its special tokens and a word or two."""
    return max(_number(facts, name), load_constants()["shortest_text"].point)


def _spread(facts: Mapping[str, Value]) -> float:
    """Return the standard deviation of the logarithm of lengths."""
    median = _tokens(facts, "data.tokens_median")
    return max(0.0, log(max(_number(facts, "data.tokens_p95"), median) / median) / _NINETY_FIVE)


def _quality(strategy: str, engine: str, facts: Mapping[str, Value]) -> Interval | None:
    if facts.get("task.type") != "text-classification" or facts.get("mean_per_class") is None:
        return None
    return expected_accuracy(strategy, engine, _number(facts, "mean_per_class"), int(_number(facts, "classes")))


def _fits(needed: Interval, least: Interval, memory_gb: Value) -> Fits:
    if memory_gb is None:
        return "unknown"
    there = float(memory_gb) * 1e9
    if needed.high <= there:
        return "fits"
    return "tight" if least.low <= there else "too large"


def _number(facts: Mapping[str, Value], name: str) -> float:
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
