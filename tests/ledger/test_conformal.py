from math import ceil, exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.knowledge.interval import Interval
from advisor.ledger.conformal import Checked, adjusted, calibrate, fewest
from advisor.ledger.corrections import corrections
from advisor.machine import Machine
from tests.ledger.samples import measured

FORECASTS = st.builds(
    lambda point, below, above: Interval(point / below, point, point * above),
    st.floats(1e-3, 1e9),
    st.floats(1.0, 50.0),
    st.floats(1.0, 50.0),
)
CHECKED = st.builds(lambda forecast, off: Checked(forecast, forecast.point * exp(off)), FORECASTS, st.floats(-8, 8))


@pytest.mark.parametrize(("coverage", "count"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_as_many_runs_as_the_finite_sample_quantile_needs(coverage: float, count: int) -> None:
    assert fewest(coverage) == count


@settings(max_examples=40)
@given(st.lists(CHECKED, min_size=3, max_size=8), st.lists(CHECKED, min_size=10, max_size=30))
def test_whichever_of_exchangeable_runs_comes_last_the_share_that_holds_is_as_promised(
    oldest: list[Checked], others: list[Checked]
) -> None:
    """Exact: over all that could have come last, at least the promised share is covered, whatever the errors."""
    oldest = [*oldest, *[oldest[0]] * max(0, len(others) - 1 - len(oldest))]
    held = 0
    for place, last in enumerate(others):
        found = calibrate([*oldest, *others[:place], *others[place + 1 :]], 0.9, 3)
        assert found
        interval = adjusted(last.forecast, found)
        slack = 1 + 1e-9
        held += interval.low / slack <= last.measured <= interval.high * slack
    assert held >= ceil(round(0.9 * len(others), 9))


def test_too_few_runs_change_nothing() -> None:
    past = [Checked(Interval(5, 10, 20), 30.0)] * 11
    assert calibrate(past, 0.9, 3) is None
    assert calibrate([*past, past[0]], 0.9, 3) is not None


def test_a_forecast_that_is_always_three_times_too_low_is_shifted_and_narrowed() -> None:
    found = calibrate([Checked(Interval(5, 10, 20), 30.0)] * 12, 0.9, 3)
    assert found
    assert found.bias == pytest.approx(3)
    assert adjusted(Interval(50, 100, 200), found) == pytest.approx((300, 300, 300))
    assert adjusted(Interval(0, 100, 800), found) == pytest.approx((0, 300, 1200))
    assert adjusted(Interval(0, 0, 0), found) == (0, 0, 0)


def test_one_wild_run_widens_and_does_not_shift() -> None:
    calm = [Checked(Interval(5, 10, 20), 10.0)] * 11
    found = calibrate([*calm, Checked(Interval(5, 10, 20), 80.0)], 0.9, 3)
    assert found
    assert found.bias == pytest.approx(1)
    assert adjusted(Interval(5, 10, 20), found) == pytest.approx((10 / 8, 10, 80))


def test_corrections_are_of_a_device_and_a_kind_of_work() -> None:
    machine = Machine(4, None, "avx2", gpu=False, corrections=corrections(measured([20.0] * 12), "here", "today"))
    assert machine.corrections_for("cpu", "passes").keys() == {
        "train_seconds", "train_memory_bytes", "latency_ms_p50", "latency_ms_p95",
    }  # fmt: skip
    assert machine.corrections_for("cpu", "updates").keys() == {"latency_ms_p50", "latency_ms_p95"}
    assert machine.corrections_for("gpu", "passes") == {}
    assert all(found.bias == pytest.approx(2) and found.runs == 12 for found in machine.corrections)


@pytest.mark.parametrize(
    "changes",
    [
        {"machine": "another"},
        {"basis": "yesterday"},
        {"resumed": True},
        {"modifiers": ["multi-seed"]},
        {"engine": "llm-local"},
        {"ran_on": "gpu"},
        {"kind": "plan"},
        {"measured": {}},
        {"data": "the same"},
    ],
    ids=str,
)
def test_runs_that_say_nothing_of_the_next_one_are_left_out(changes: dict[str, object]) -> None:
    assert corrections(measured([20.0] * 12, **changes), "here", "today") == ()


def test_the_forecast_before_past_runs_adjusted_it_is_what_counts() -> None:
    told = {"low": 19.0, "point": 20.0, "high": 21.0}
    first = {"low": 5.0, "point": 10.0, "high": 20.0}
    entries = measured([20.0] * 12, forecast={"train_seconds": told}, unadjusted={"train_seconds": first})
    assert corrections(entries, "here", "today")[0].bias == pytest.approx(2)
