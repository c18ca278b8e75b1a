"""Training time: start-up, passes, updates and saving, term by term."""

from advisor.estimates.constants import load_constants
from advisor.estimates.memory import Terms
from advisor.estimates.place import Place
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.knowledge.interval import Interval
from advisor.strategies import Passes, Workload

# Weights, gradients and moments of a parameter, as a checkpoint keeps them, in bytes.
_SAVED = 12


def training_seconds(work: Workload, model: BaseModelFacts, place: Place) -> Terms:
    """Return the seconds from the start to a fitted model, by what they go for.

    Passes are operations at the rate that is achieved, not at a peak; where this machine was measured, products at its
    rate and what grows with width, length and heads apart (`advisor.machine.MachineRates.pass_seconds`). Adapters save
    the products for gradients of frozen weights, two thirds remain (Hu et al. 2021, arXiv 2106.09685, section 4.2), but
    have many small ones of their own and compute all else as before. Where tokens are predicted, the product with the
    vocabulary comes once forwards and once for each kind of gradient; it is not computed again. An update adds an
    overhead and the optimiser's pass over every trained parameter.
    """
    plain = [one for one in work.passes if not one.backward]
    learning = [one for one in work.passes if one.backward]
    found = {
        "start": place.tuning_start_seconds if learning else place.start_seconds,
        "passes without gradients": _seconds(plain, model, place, training=False, writes=work.writes).plus(
            place.forward_gflops.spend(work.head_flops / 1e9)
        ),
    }
    if learning:
        found["passes with gradients"] = _seconds(
            learning, model, place, training=True, writes=work.writes, added=_added(work, place)
        )
    if learning and _writes_on_processor(work, place):
        found["adapters and scores"] = _beside_products(learning, work, model)
    if work.updates:
        found["updates"] = _update(work, model, place).times(work.updates)
        written = _SAVED * work.trained_parameters / 1e9
        found["saving"] = load_constants()["disk_gb_per_s"].spend(written)
    return found


def _added(work: Workload, place: Place) -> float:
    """Return the forward passes' worth of time that adapters add to a pass with gradients."""
    return load_constants()["adapter_passes"].point if work.adapters and not _writes_on_processor(work, place) else 0.0


def _writes_on_processor(work: Workload, place: Place) -> bool:
    """Return whether a generator learns on a processor, where what it does beside products counts."""
    return work.writes and place.kind == "cpu"


def _beside_products(passes: list[Passes], work: Workload, model: BaseModelFacts) -> Interval:
    """Return the seconds of a generator's adapters, and of its scores of the vocabulary, on a processor.

    Both are many passes over memory rather than products: adapters' by token, layer and width, as often as a pass is
    made; scores' loss and gradients by token and word.
    """
    constants, found = load_constants(), Interval.exactly(0.0)
    for one in passes:
        units = one.cost * one.tokens * model.layers * model.hidden if work.adapters else 0.0
        scores = one.tokens * model.vocabulary_parameters / model.hidden
        found = found.plus(constants["cpu_adapter_ns_of_generator"].times(units / 1e9))
        found = found.plus(constants["cpu_ns_of_token_score"].times(scores / 1e9))
    return found


def _update(work: Workload, model: BaseModelFacts, place: Place) -> Interval:
    """Return the seconds of an update beside its passes."""
    weights = model.parameters - model.embedding_parameters
    rates, trained = place.rates, work.trained_parameters
    measured = rates.update_seconds(model.layers, weights, trained) if rates else None
    if measured is not None:
        return load_constants()["measured_spread"].times(measured)
    return place.update_overhead_ms.times(1e-3).plus(place.optimizer_ns.times(trained / 1e9))


def _seconds(
    passes: list[Passes], model: BaseModelFacts, place: Place, *, training: bool, writes: bool, added: float = 0.0
) -> Interval:
    rate = place.training_gflops if training else place.forward_gflops
    spread = load_constants()["measured_spread"]
    seconds = Interval.exactly(0.0)
    for one in passes:
        cost = one.cost + added
        flops = cost * model.forward_flops(one.tokens, one.length)
        if writes:
            flops += (1 + one.backward) * one.tokens * 2.0 * model.vocabulary_parameters
        # Rates of training are of a backward pass that costs two forward ones.
        share = cost / 3 if training else 1.0
        units = share * one.tokens * model.layers * model.hidden
        scores = share * one.tokens * model.layers * model.heads * one.length
        measured = place.rates.pass_seconds(flops, units, scores, training=training) if place.rates else None
        seconds = seconds.plus(rate.spend(flops / 1e9) if measured is None else spread.times(measured))
    return seconds
