"""People's units: durations, gigabytes, money and shares as one writes them, alone and as intervals."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from advisor.knowledge.vocabulary import FACTS, in_words

UNKNOWN = "unknown"


class Unit(NamedTuple):
    """A unit to write numbers in: what to divide by, what stands before and after."""

    divisor: float
    before: str = ""
    after: str = ""


class Quantity(NamedTuple):
    """A quantity of a forecast: its name to people, and how its numbers are written."""

    title: str
    unit: Callable[[float], Unit]
    digits: Callable[[float], str]


def significant(value: float) -> str:
    """Return two significant digits below 100, whole numbers from there: ``3.1``, ``42``, ``1,290``."""
    if abs(value) >= 9.95:
        return f"{value:,.0f}"
    return f"{float(f'{value:.2g}'):g}"


def _seconds(value: float) -> Unit:
    if value < 90:
        return Unit(1, after=" s")
    if value < 5400:
        return Unit(60, after=" min")
    return Unit(3600, after=" h") if value < 172_800 else Unit(86_400, after=" days")


def _bytes(value: float) -> Unit:
    return Unit(1e9, after=" GB") if value >= 1e9 else Unit(1e6, after=" MB")


def _milliseconds(value: float) -> Unit:
    return Unit(1, after=" ms") if value < 10_000 else Unit(1000, after=" s")


def _dollars(_: float) -> Unit:
    return Unit(1, before="$")


def _plain(_: float) -> Unit:
    return Unit(1)


def _cents(value: float) -> str:
    if value == 0 or value >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}"


def _hundredths(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"


QUANTITIES: dict[str, Quantity] = {
    "quality": Quantity("Quality", _plain, _hundredths),
    "label_units": Quantity("Error", _plain, significant),
    "train_seconds": Quantity("Training time", _seconds, significant),
    "train_memory_bytes": Quantity("Peak memory of training", _bytes, significant),
    "room_bytes": Quantity("Memory that must be free", _bytes, significant),
    "host_memory_bytes": Quantity("Peak of host memory", _bytes, significant),
    "disk_bytes": Quantity("Room on disk", _bytes, significant),
    "latency_ms_p50": Quantity("Latency of a typical text", _milliseconds, significant),
    "latency_ms_p95": Quantity("Latency, 95th percentile", _milliseconds, significant),
    "latency_ms": Quantity("Latency, 95th percentile", _milliseconds, significant),
    "train_usd": Quantity("Cost of training", _dollars, _cents),
    "usd": Quantity("Cost of training", _dollars, _cents),
    "tokens_in": Quantity("Tokens read for an answer", _plain, significant),
    "tokens_out": Quantity("Tokens written", _plain, significant),
    "break_even_answers": Quantity("Answers after which a small tuned model has paid for itself", _plain, significant),
    "spent_usd": Quantity("Spent on answers so far", _dollars, _cents),
    "usd_per_1000": Quantity("Cost of 1,000 answers", _dollars, _cents),
}


def capital(text: str) -> str:
    """Return text with its first letter upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def value_of(name: str, value: float | None) -> str:
    """Return a value in its unit: ``3.1 min``, ``1.1 GB``, ``$0``, ``0.74``; ``unknown`` for None."""
    if value is None:
        return UNKNOWN
    quantity = QUANTITIES[name]
    unit = quantity.unit(value)
    return f"{unit.before}{quantity.digits(value / unit.divisor)}{unit.after}"


def range_of(name: str, interval: Mapping[str, float] | None) -> str:
    """Return the bounds in the unit of the point, ``2–6.3 min``; nothing where there is no width."""
    if interval is None or interval["low"] == interval["high"]:
        return ""
    quantity = QUANTITIES[name]
    unit = quantity.unit(interval["point"])
    low, high = (quantity.digits(interval[bound] / unit.divisor) for bound in ("low", "high"))
    between = " to " if interval["low"] < 0 else "–"
    return f"{unit.before}{low}{between}{unit.before}{high}{unit.after}"


def interval_of(name: str, interval: Mapping[str, float] | None) -> str:
    """Return the point with its bounds: ``0.74 [0.66–0.81]``, ``3.1 min [2–6.3 min]``."""
    if interval is None:
        return UNKNOWN
    bounds = range_of(name, interval)
    return f"{value_of(name, interval['point'])} [{bounds}]" if bounds else value_of(name, interval["point"])


def spoken(name: str, value: Any) -> str:
    """Return the value of an input or fact the way a person writes it; parts of an hour in minutes or seconds."""
    if isinstance(value, list | tuple | dict):
        return ", ".join(str(part) for part in value)
    if isinstance(value, float) and 0 < value < 1 and name in FACTS and FACTS[name].unit == "hours":
        return value_of("train_seconds", 3600 * value)
    return in_words(name, value)
