import pytest

from advisor.report.units import interval_of, range_of, value_of


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("quality", 0.735, "0.73"),
        ("quality", None, "unknown"),
        ("train_seconds", 0, "0 s"),
        ("train_seconds", 9.796, "9.8 s"),
        ("train_seconds", 185.1, "3.1 min"),
        ("train_seconds", 36_000, "10 h"),
        ("train_memory_bytes", 1.102e9, "1.1 GB"),
        ("train_memory_bytes", 444e6, "444 MB"),
        ("latency_ms", 4.26, "4.3 ms"),
        ("latency_ms_p95", 42.5, "42 ms"),
        ("latency_ms_p50", 12_400, "12 s"),
        ("usd", 0, "$0"),
        ("usd", 0.0042, "$0.004"),
        ("usd_per_1000", 1.5, "$1.50"),
        ("train_usd", 1234.4, "$1,234"),
    ],
)
def test_values_as_people_write_them(name: str, value: float | None, text: str) -> None:
    assert value_of(name, value) == text


def test_bounds_take_the_unit_of_the_point() -> None:
    interval = {"low": 40.0, "point": 185.0, "high": 377.0}
    assert interval_of("train_seconds", interval) == "3.1 min [0.67–6.3 min]"
    assert interval_of("quality", {"low": 0.66, "point": 0.74, "high": 0.81}) == "0.74 [0.66–0.81]"
    assert interval_of("usd", {"low": 1, "point": 2, "high": 3}) == "$2.00 [$1.00–$3.00]"


def test_numbers_below_zero_have_no_dash_between_them_and_no_zero_of_their_own() -> None:
    assert interval_of("quality", {"low": -0.64, "point": -0.38, "high": -0.03}) == "-0.38 [-0.64 to -0.03]"
    assert value_of("quality", -0.001) == "0.00"


def test_no_width_no_bounds() -> None:
    assert interval_of("usd", {"low": 0, "point": 0, "high": 0}) == "$0"
    assert range_of("quality", None) == ""
    assert interval_of("quality", None) == "unknown"
