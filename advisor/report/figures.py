"""Figures: the measures of a plan, the three numbers on top of a report, and the forecast row by row, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.plan.plan import Plan
from advisor.report.task_words import forecast_measure, unit_of
from advisor.report.units import QUANTITIES, capital, interval_of, range_of, value_of
from advisor.run.progress import clock
from advisor.run.result import Result
from advisor.tasks import Measure

_FORECAST = (
    "quality",
    "train_seconds",
    "train_memory_bytes",
    "latency_ms_p50",
    "latency_ms_p95",
    "disk_bytes",
    "train_usd",
    "usd_per_1000",
)
_FITS = {
    "fits": "It fits in the memory at hand.",
    "tight": "Whether it fits in the memory at hand is not sure: the upper bound does not.",
    "too large": "It does not fit in the memory at hand.",
    "unknown": "",
}
_PROMPTED = ("tokens_in", "tokens_out", "break_even_answers")


@dataclass(frozen=True)
class Expected:
    """A value and its bounds in words; ``range`` is empty where there are none."""

    value: str
    range: str = ""

    @property
    def both(self) -> str:
        """The value with its bounds in brackets."""
        return f"{self.value} [{self.range}]" if self.range else self.value


@dataclass(frozen=True)
class Figure:
    """One of the three numbers on top."""

    title: str
    number: Expected
    note: str


@dataclass(frozen=True)
class Forecasted:
    """A row of the forecast, best to worst; ``is_cost`` where less is better."""

    title: str
    best: str
    point: str
    worst: str
    is_cost: bool


def expected(name: str, interval: Mapping[str, float] | None) -> Expected:
    """Return an interval in words."""
    return Expected(value_of(name, interval["point"] if interval else None), range_of(name, interval))


def score(measure: Measure, found: Mapping[str, float]) -> Expected:
    """Return a measured value with its interval in words."""
    return expected("label_units" if measure.in_label_units else "quality", {**found, "point": found["value"]})


def point(measure: Measure, value: float) -> str:
    """Return a value of a measure in words."""
    return score(measure, {"value": value, "low": value, "high": value}).value


def outcome(forecast: Mapping[str, float] | None, measured: float) -> str:
    """Return where a measurement lies: ``within`` its forecast, ``above``, ``below``, or ``unknown`` without one."""
    if forecast is None:
        return "unknown"
    if measured < forecast["low"]:
        return "below"
    return "above" if measured > forecast["high"] else "within"


def figures(plan: Plan, result: Result | None) -> list[Figure]:
    """Return quality, money and time: as forecast, or as measured where the plan ran."""
    forecast = plan.forecast
    quality, seconds = forecast.get("quality"), forecast.get("train_seconds")
    answers = forecast.get("usd_per_1000")
    price = f"{value_of('usd_per_1000', answers['point'])} per 1,000 answers" if answers else "price of answers unknown"
    money = Figure("Cost of training", expected("usd", forecast.get("train_usd")), price)
    of, title = forecast_measure(plan), f"Expected {forecast_measure(plan).title}"
    if result is not None:
        own = plan.measure
        said = f"forecast {of.title} {interval_of('quality', quality)}" if quality else "no quality had been forecast"
        took = Expected(clock(result.measured["train_seconds"]))
        return [
            Figure(f"Measured {own.title}", score(own, result.metrics[own.key]), said),
            money,
            Figure("Measured training time", took, f"forecast {interval_of('train_seconds', seconds)}"),
        ]
    unknown = Figure(title, Expected("not known yet"), "nothing comparable has been measured; the run will tell")
    known = Figure(title, expected("quality", quality), f"on {unit_of(plan)} like the labelled ones")
    time = Figure("Time to train", expected("train_seconds", seconds), "libraries and loading included")
    return [known if quality else unknown, money, time]


def forecast_rows(plan: Plan) -> list[Forecasted]:
    """Return the plan's forecast, row by row."""
    rows = []
    for name in (*_FORECAST, *(name for name in _PROMPTED if plan.forecast.get(name))):
        interval, is_cost = plan.forecast.get(name), name != "quality"
        low, point, high = (value_of(name, interval[at] if interval else None) for at in ("low", "point", "high"))
        best, worst = (low, high) if is_cost else (high, low)
        title = QUANTITIES[name].title if is_cost else capital(forecast_measure(plan).title)
        rows.append(Forecasted(title, best, point, worst, is_cost))
    return rows


def forecast_terms(plan: Plan) -> list[str]:
    """Return what the forecast's memory, time and latency are made of, a sentence each, the greatest first."""
    lines = []
    for name, terms in plan.terms.items():
        parts = sorted(terms.items(), key=lambda term: -term[1]["point"])
        told = ", ".join(f"{term} {value_of(name, interval['point'])}" for term, interval in parts if interval["point"])
        fits = f" {_FITS[plan.fits]}" if name == "train_memory_bytes" else ""
        lines.append(f"{QUANTITIES[name].title}: {told}.{fits.rstrip()}")
    return lines
