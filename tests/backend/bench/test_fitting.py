"""Rates fitted to times that follow the law exactly, and to times that do not."""

import pytest

from advisor.backend.bench.fitting import pass_costs, single_costs
from advisor.backend.bench.points import Point, rate_of
from advisor.knowledge.catalogue import BaseModelFacts, load_catalogue

MODELS = load_catalogue().models
SMALL = MODELS[load_catalogue().default_model]
WIDE = MODELS["google-bert/bert-base-uncased"]
SHAPES = [(4, 16), (16, 16), (16, 64), (8, 128), (32, 32)]
GFLOPS, PER_UNIT, PER_SCORE, CALL = 210.0, 55.0, 12.0, 0.004


def timed(kind: str, model: BaseModelFacts, rows: int, length: int, call: float = CALL) -> Point:
    bare = Point.of(kind, model, rows, length, 1.0)
    seconds = bare.flops / GFLOPS / 1e9 + PER_UNIT * bare.units / 1e9 + PER_SCORE * bare.scores / 1e9 + call
    return Point.of(kind, model, rows, length, seconds)


def test_costs_are_found_again_and_carry_over_to_a_wider_model() -> None:
    found = pass_costs([timed("update", SMALL, *shape) for shape in SHAPES], GFLOPS, calls=True)
    assert found == pytest.approx((PER_UNIT, PER_SCORE, CALL), rel=1e-3)
    wide = timed("update", WIDE, 16, 64)
    forecast = (
        wide.flops / GFLOPS + found.ns_per_unit * wide.units + found.ns_per_score * wide.scores
    ) / 1e9 + found.call_seconds
    assert forecast == pytest.approx(wide.seconds, rel=1e-3)
    # The same carried over by one rate alone is far off.
    assert wide.flops / rate_of([timed("update", SMALL, 16, 64)]) / 1e9 > 1.1 * wide.seconds


def test_no_cost_is_negative() -> None:
    points = [
        Point.of("embed", SMALL, 16, length, Point.of("embed", SMALL, 16, length, 1).flops / 1e12) for length in (8, 64)
    ]
    assert pass_costs(points, 500.0, calls=False) == (0.0, 0.0, 0.0)


def test_a_call_costs_nothing_where_many_texts_go_through() -> None:
    found = pass_costs([timed("embed", SMALL, *shape) for shape in SHAPES], GFLOPS, calls=False)
    assert found.call_seconds == 0.0
    assert found.ns_per_unit > PER_UNIT


def test_single_texts_lie_on_a_line() -> None:
    points = [
        Point.of("single", SMALL, 1, n, 0.003 + Point.of("single", SMALL, 1, n, 1).flops / 90e9) for n in (8, 64, 256)
    ]
    assert single_costs(points) == pytest.approx((0.003, 90.0), rel=1e-6)


def test_single_texts_that_never_take_longer_give_the_best_rate_seen() -> None:
    points = [Point.of("single", SMALL, 1, length, 0.002 / length) for length in (8, 64, 256)]
    found = single_costs(points)
    assert found.gflops == pytest.approx(max(p.flops / p.seconds / 1e9 for p in points))
    assert found.call_seconds >= 0


def test_an_update_counts_three_passes() -> None:
    update, passing = Point.of("update", SMALL, 16, 32, 1.0), Point.of("embed", SMALL, 16, 32, 1.0)
    assert update.flops == 3 * passing.flops == 3 * SMALL.forward_flops(512, 32)
    assert (passing.units, passing.scores) == (512 * 6 * 384, 512 * 6 * 12 * 32)
