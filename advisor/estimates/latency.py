"""Latency: how long an answer takes, by the roofline of operations and bytes, and an overhead a layer."""

from advisor.estimates.blocks import key_width
from advisor.estimates.constants import load_constants
from advisor.estimates.memory import Terms
from advisor.estimates.place import Place
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.knowledge.interval import Interval


def encoding_ms(model: BaseModelFacts, tokens: float, place: Place, *, tuned: bool = False) -> Terms:
    """Return the milliseconds that an encoder takes for one text.

    Its operations at the rate that a single text reaches, but no less than reading every weight once takes (the
    roofline of Williams et al. 2009, doi 10.1145/1498765.1498785), an overhead a layer, and one an answer. Where this
    machine was measured, `advisor.machine.MachineRates.single_seconds` tells.

    Args:
        model: what answers.
        tokens: of the text.
        place: where.
        tuned: whether the model was tuned, rather than frozen with a head beside it.
    """
    tokens = min(tokens, model.context)
    held, constants = _bytes_each(place), load_constants()
    body, flops = model.parameters - model.embedding_parameters, model.forward_flops(tokens, tokens)
    measured = place.rates.single_seconds(flops, model.layers, body, tuned=tuned) if place.rates else None
    if measured is not None:
        return {"layers": constants["measured_spread"].times(1e3 * measured)}
    return {
        "layers": _roofline(flops, Interval.exactly(float(body)).by(held), place),
        "calls": place.layer_overhead_ms.times(model.layers),
        "tokenising": constants["answer_overhead_ms"],
    }


def writing_ms(model: BaseModelFacts, read: float, written: Interval, place: Place) -> Terms:
    """Return the milliseconds that a generator takes to read a prompt and write an answer.

    Reading (prefill) is one pass over the prompt. Every token written (decoding) takes at least reading all weights and
    the cache of keys and values, see `cache_bytes`, and the calls of every layer.

    Args:
        model: what writes.
        read: tokens of the prompt.
        written: tokens of the answer.
        place: where.
    """
    read = min(read, model.context)
    constants, held = load_constants(), _bytes_each(place)
    weights = Interval.exactly(float(model.parameters)).by(held)
    calls = constants[f"{place.kind}_decoding_layer_ms"].times(model.layers)
    end = min(read + written.point, model.context)
    cached = Interval.exactly(cache_bytes(model, (read + end) / 2, 1)).by(held)
    one = _roofline(model.forward_flops(1, end), weights.plus(cached), place).plus(calls)
    reading = _roofline(model.forward_flops(read, read), weights, place)
    return {
        "reading": (reading.by(constants["cpu_reading_of_generator"]) if place.kind == "cpu" else reading).plus(calls),
        "writing": one.by(written),
    }


def cache_bytes(model: BaseModelFacts, tokens: float, bytes_each: float = 2.0) -> float:
    """Return the bytes of the keys and values of so many tokens in a text.

    2 · layers · heads of keys · width of a head · tokens · bytes of a number (Ainslie et al. 2023, arXiv 2305.13245,
    for heads that share keys); a local layer keeps the tokens of its window alone.
    """
    whole, local = float(model.layers), 0.0
    if model.window and model.window < tokens:
        whole = model.layers / model.global_every if model.global_every else 0.0
        local = model.layers - whole
    return 2 * key_width(model) * (whole * tokens + local * (model.window or 0)) * bytes_each


def _roofline(flops: float, read: Interval, place: Place) -> Interval:
    """Return the milliseconds of operations, or of reading bytes where that takes longer."""
    rate = place.reading_gb_per_s
    reading = Interval(read.low / rate.high, read.point / rate.point, read.high / rate.low).times(1e-9)
    return place.single_gflops.spend(flops / 1e9).at_least(reading).times(1e3)


def _bytes_each(place: Place) -> Interval:
    """Return the bytes of a weight that serves: two where the device computes in bf16."""
    if place.precision is None:
        return Interval(2.0, 2.0, 4.0)
    return Interval.exactly(2.0 if place.precision == "bf16" else 4.0)
