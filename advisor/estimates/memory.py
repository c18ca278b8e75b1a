"""Training memory: weights, optimiser, activations, gradients and the rest, term by term.

What is held at once follows how the trainers here work. Weights and the two moments of AdamW stay throughout.
Activations are all there when a backward pass begins and go as gradients come, so that the greater of both counts,
unless gradients are accumulated over parts of a batch: then both do. On a processor most gradients find no place in
the gaps that activations leave. Nothing is kept below the lowest layer that learns. Weights that stay frozen are read
in fp32; where a processor then holds them in bf16, both count while they are converted. A plain BERT is read by code of
the advisor's own (`advisor.backend.bert`), without the libraries that all else imports.
"""

from advisor.estimates.blocks import Way, kept
from advisor.estimates.constants import load_constants
from advisor.estimates.place import Place
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.knowledge.computing import tokens_at_once
from advisor.knowledge.interval import Interval
from advisor.strategies import TextLoad, Workload

Terms = dict[str, Interval]
_FP32, _BF16 = 4, 2
_MOMENTS = 2 * _FP32
_LEAN = "bert"
_NOTHING = Interval.exactly(0.0)


def total(terms: Terms) -> Interval:
    """Return the sum of all terms."""
    return Interval(*map(sum, zip(*terms.values(), strict=True))) if terms else _NOTHING


def training_memory(work: Workload, model: BaseModelFacts, load: TextLoad, longest: Interval, place: Place) -> Terms:
    """Return the bytes that training holds at its peak, by what they hold.

    On a graphics card that is what is allocated on it, else the whole process, which counts a weight from the moment
    it is touched: embeddings that stay frozen are read from the file, a row at a time.

    Args:
        work: what is trained.
        model: what is adapted.
        load: the data.
        longest: tokens of the longest text, as far as that is known.
        place: where; where its precision is not known, the upper bound is that of fp32.
    """
    if place.precision is not None:
        return _terms(work, model, load, longest, place, place.precision)
    likely, most = (_terms(work, model, load, longest, place, precision) for precision in ("bf16", "fp32"))
    return {
        name: Interval(low.low, low.point, max(low.high, most.get(name, _NOTHING).high))
        for name in likely | most
        for low in (likely.get(name, _NOTHING),)
    }


def room(terms: Terms, place: Place) -> Interval:
    """Return the bytes that must be free for training: on a card also its driver's, and gaps between blocks."""
    if place.kind == "cpu":
        return total(terms)
    constants = load_constants()
    return total(terms).by(constants["gpu_gaps"]).plus(constants["gpu_context_gb"].times(1e9))


def least_room(terms: Terms, work: Workload, model: BaseModelFacts, place: Place) -> Interval:
    """Return the same at the least: of a large language model's frozen weights, what they take in 4 bits.

    A run here does not hold them so; other trainers do (Dettmers et al. 2023, arXiv 2305.14314), so that memory does
    not rule such a strategy out.
    """
    if place.kind == "cpu" or not model.may_be_quantised:
        return room(terms, place)
    trained = work.trained_parameters
    frozen = model.parameters - (0 if work.adapters else trained)
    each = load_constants()["bytes_per_4_bit_weight"].low
    least = _FP32 * trained + each * max(0, frozen)
    weights = terms["weights"]
    copies = terms.get("copies in bf16", _NOTHING)
    quantised = terms | {
        "weights": Interval(min(weights.low, least), weights.point, weights.high),
        "copies in bf16": Interval(0.0, copies.point, copies.high),
    }
    return room(quantised, place)


def host_memory(work: Workload, terms: Terms, place: Place) -> Interval:
    """Return the bytes of host memory: all of it on a processor, else the process and its copies of trained weights."""
    if place.kind == "cpu":
        return total(terms)
    copies = work.weight_copies * _FP32 * work.trained_parameters
    return load_constants()["gpu_process_gb"].times(1e9).plus(Interval.exactly(copies))


def _terms(
    work: Workload, model: BaseModelFacts, load: TextLoad, longest: Interval, place: Place, precision: str
) -> Terms:
    constants, cpu = load_constants(), place.kind == "cpu"
    trained = work.trained_parameters
    converted = cpu and precision == "bf16" and not trained
    held = _BF16 if precision == "bf16" and (not trained or _held_in_16_bits(work, place, precision)) else _FP32
    touched = model.parameters - (model.embedding_parameters if cpu and not (work.writes or converted) else 0)
    if converted:
        held += _FP32
    found: Terms = {"weights": Interval.exactly(held * touched + (_FP32 * trained if work.adapters else 0))}
    if cpu:
        lean = not trained and model.architecture == _LEAN
        of = "_of_generator" if work.writes else "_of_reading" if lean else ""
        found["process"] = constants[f"process_gb{of}"].times(1e9)
    if not trained:
        return found | _embedding(work, model, load, longest, place, precision)
    found["optimiser"] = Interval.exactly(_MOMENTS * trained)
    if cpu and work.weight_copies:
        found["best weights so far"] = Interval.exactly(work.weight_copies * _FP32 * trained)
    activations = _held_for_backward(work, model, longest, place, precision)
    gradients = _FP32 * trained
    apart = constants["cpu_gradients_apart"] if cpu else _NOTHING
    beside = (
        gradients if work.batch_texts * length > work.batch_tokens else max(share * gradients, gradients - there)
        for length, there, share in zip(longest, total(activations), apart, strict=True)
    )
    found |= activations
    found["gradients"] = _sorted(*beside)
    if cpu and not work.writes:
        found |= _gaps(work, load, found)
    return found


def _gaps(work: Workload, load: TextLoad, found: Terms) -> Terms:
    """Return what an encoder's updates leave unused in a processor's heap, as measured.

    Recomputation leaves a share of all else. Where texts differ in length, activations of one batch do not fit where
    those of another were, and kernels that are kept for each length lie between them.
    """
    constants, gaps = load_constants(), _NOTHING
    if work.recompute:
        gaps = total(found).by(constants["cpu_gaps_of_recomputation"])
    if load.differing:
        shared = found["activations"].by(constants["cpu_gaps_between_lengths"])
        gaps = gaps.plus(constants["cpu_gaps_of_lengths_gb"].times(1e9)).plus(shared)
    return {"gaps in the heap": gaps} if gaps.high else {}


def _held_for_backward(work: Workload, model: BaseModelFacts, longest: Interval, place: Place, precision: str) -> Terms:
    """Return what a forward pass leaves for the backward pass, and what one layer's backward pass adds.

    By type of layer, see `advisor.estimates.blocks`; recomputation keeps the input of each layer and everything of one
    (Chen et al. 2016, arXiv 1604.06174). Predicting tokens, scores of the whole vocabulary are held as logits, as
    their softmax and as gradients. Under autocast each product keeps a bf16 copy of its weights; of frozen weights that
    is gone with the product where activations are computed again.
    """
    constants, cpu = load_constants(), place.kind == "cpu"
    narrow = _held_in_16_bits(work, place, precision)
    way = Way(not cpu or work.writes, "16-bit" if narrow else precision, bool(work.adapters))
    factors, bytes_each = kept(model, way), _BF16 if precision == "bf16" else _FP32
    matrices = 7 if model.gated_mlp else 6

    def of_layer(length: float) -> float:
        return factors.of_token(model, length) + bytes_each * work.adapters * matrices

    def stored(length: float) -> float:
        layer, tokens = of_layer(length), _at_once(work, length) * length
        if work.recompute:
            return tokens * (work.stored_layers * model.hidden * (_BF16 if narrow else _FP32) + layer)
        return tokens * work.stored_layers * layer

    def working(length: float) -> float:
        return _at_once(work, length) * length * of_layer(length)

    heap = constants[f"cpu_heap_of_{'adapters' if work.adapters else 'weights'}"] if cpu else Interval.exactly(1.0)
    found = {
        "activations": longest.map(stored).by(heap),
        "working memory": longest.map(working).by(constants[f"{place.kind}_working_layers"]),
    }
    if precision == "bf16" and not narrow and not (work.adapters and work.recompute):
        body = model.parameters - model.embedding_parameters
        found["copies in bf16"] = Interval.exactly(_BF16 * body * work.stored_layers / model.layers)
    if work.writes:
        vocabulary = model.vocabulary_parameters / model.hidden
        scores = f"cpu_bytes_per_token_score_in_{precision}" if cpu else "bytes_per_token_score"
        each = constants[scores].times(vocabulary)
        found["scores of the vocabulary"] = longest.map(lambda length: _at_once(work, length) * length).by(each)
    return found


def _embedding(
    work: Workload, model: BaseModelFacts, load: TextLoad, longest: Interval, place: Place, precision: str
) -> Terms:
    """Return what embedding texts holds: one layer of a batch, its hidden states where they are kept, and features.

    On a processor batches of other lengths leave gaps in the heap, the more the more is read.
    """
    budget = tokens_at_once(place.kind, precision)
    each = _BF16 if precision == "bf16" else _FP32
    layer = 8 * model.hidden + 2 * model.intermediate
    width = layer + work.features * model.hidden

    def live(length: float) -> float:
        texts = (work.embedded_at_once if place.kind == "gpu" else None) or max(1.0, budget // length)
        return min(texts, load.rows) * length * width * each

    vectors = load.rows + work.features * work.compared
    found = {"working memory": longest.map(live)}
    if place.kind == "cpu":
        found["features"] = Interval.exactly(2 * _FP32 * model.hidden * vectors)
    if place.kind == "cpu" and load.differing:
        constants, tokens = load_constants(), max(load.rows * load.tokens, 1.0)
        share = Interval(*(max(0.0, 1 - few / tokens) for few in reversed(constants["cpu_gaps_from_tokens"])))
        found["gaps in the heap"] = constants["cpu_gaps_of_reading"].by(share).times(budget * layer * each)
    return found


def _held_in_16_bits(work: Workload, place: Place, precision: str) -> bool:
    """Return whether frozen weights are held in 16 bits: a generator's under adapters, on a card that computes so."""
    return bool(work.writes and work.adapters and precision == "bf16" and place.kind == "gpu")


def _at_once(work: Workload, length: float) -> float:
    """Return how many texts of a length are computed at once."""
    return min(work.batch_texts, max(1.0, work.batch_tokens // max(length, 1.0)))


def _sorted(*bounds: float) -> Interval:
    low, point, high = bounds
    return Interval(min(low, point), point, max(point, high))
