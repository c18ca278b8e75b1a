"""Rates fitted to times that follow the law exactly, and to times that do not."""

from dataclasses import replace

import pytest

from advisor.backend.bench.fitting import PassCosts, SingleCosts, pass_costs, single_costs
from advisor.backend.bench.points import Point, rate_of
from advisor.knowledge.catalogue import BaseModelFacts, load_catalogue
from advisor.rates import MachineRates

MODELS = load_catalogue().models
SMALL = MODELS[load_catalogue().default_model]
WIDE = MODELS["google-bert/bert-base-uncased"]
LARGE = MODELS["google-bert/bert-large-uncased"]
SHAPES = [(4, 16), (16, 16), (16, 64), (8, 128), (32, 32)]
GFLOPS, COSTS = 210.0, PassCosts(ns_per_unit=35.0, ns_per_score=3.0, layer_ms=1.5, ns_per_weight=0.8)
SINGLE = SingleCosts(layer_ms=0.9, ns_per_weight=0.2, gflops=150.0)


def update(model: BaseModelFacts, rows: int, length: int) -> Point:
    """Return an update that takes exactly what the law says."""
    bare = Point.of("update", model, rows, length, 1.0)
    seconds = (bare.flops / GFLOPS + COSTS.ns_per_unit * bare.units + COSTS.ns_per_score * bare.scores) / 1e9
    return replace(
        bare, seconds=seconds + COSTS.layer_ms * bare.layers / 1e3 + COSTS.ns_per_weight * bare.weights / 1e9
    )


def single(model: BaseModelFacts, length: int) -> Point:
    bare = Point.of("single", model, 1, length, 1.0)
    seconds = (bare.flops / SINGLE.gflops + SINGLE.ns_per_weight * bare.weights) / 1e9
    return replace(bare, seconds=seconds + SINGLE.layer_ms * bare.layers / 1e3)


def test_costs_of_updates_are_found_again_and_carry_over_to_a_larger_model() -> None:
    points = [*(update(SMALL, *shape) for shape in SHAPES), *(update(WIDE, *shape) for shape in SHAPES[:2])]
    found = pass_costs(points, GFLOPS, updates=True)
    assert found == pytest.approx(COSTS, rel=1e-3)
    rates = MachineRates(
        matmul_gflops=GFLOPS,
        training_ns_per_unit=found.ns_per_unit,
        training_ns_per_score=found.ns_per_score,
        update_layer_overhead_ms=found.layer_ms,
        update_ns_per_weight=found.ns_per_weight,
        optimizer_ns_per_parameter=0.0,
    )
    large = update(LARGE, 16, 64)
    passing = rates.pass_seconds(large.flops, large.units, large.scores, training=True)
    beside = rates.update_seconds(large.layers, large.weights, trained=1e9)
    assert passing is not None and beside is not None
    assert passing + beside == pytest.approx(large.seconds, rel=1e-3)
    # The same carried over by one rate alone is far off.
    assert large.flops / rate_of([update(SMALL, 16, 64)]) / 1e9 > 1.15 * large.seconds


def test_costs_of_single_texts_are_found_again_and_carry_over() -> None:
    points = [single(SMALL, length) for length in (8, 64, 256)] + [single(WIDE, length) for length in (16, 128)]
    found = single_costs(points)
    assert found == pytest.approx(SINGLE, rel=1e-3)
    rates = MachineRates(
        tuned_single_gflops=found.gflops,
        tuned_layer_overhead_ms=found.layer_ms,
        tuned_ns_per_weight=found.ns_per_weight,
    )
    large = single(LARGE, 32)
    assert rates.single_seconds(large.flops, large.layers, large.weights, tuned=True) == pytest.approx(
        large.seconds, rel=1e-3
    )
    assert rates.single_seconds(large.flops, large.layers, large.weights, tuned=False) is None


def test_no_cost_is_negative() -> None:
    bare = [Point.of("embed", SMALL, 16, length, 1.0) for length in (8, 64)]
    points = [replace(point, seconds=point.flops / 1e12) for point in bare]
    assert pass_costs(points, 500.0, updates=False) == (0.0, 0.0, 0.0, 0.0)


def test_single_texts_that_never_take_longer_give_the_best_rate_seen() -> None:
    points = [Point.of("single", SMALL, 1, length, 0.002 / length) for length in (8, 64, 256)]
    found = single_costs(points)
    assert found.gflops == pytest.approx(max(p.flops / p.seconds / 1e9 for p in points))
    assert min(found) >= 0


def test_an_update_counts_three_passes() -> None:
    three, one = Point.of("update", SMALL, 16, 32, 1.0), Point.of("embed", SMALL, 16, 32, 1.0)
    assert three.flops == 3 * one.flops == 3 * SMALL.forward_flops(512, 32)
    assert (one.units, one.scores) == (512 * 6 * 384, 512 * 6 * 12 * 32)
    assert (one.layers, one.weights) == (SMALL.layers, SMALL.body_parameters)
