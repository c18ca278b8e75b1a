"""Figures: the three numbers on top of a report, and the forecast row by row, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.plan.plan import Plan
from advisor.report.units import QUANTITIES, interval_of, range_of, value_of
from advisor.run.progress import clock
from advisor.run.result import Result

METRIC_NAMES = {"accuracy": "accuracy", "macro_f1": "macro-F1"}
_FORECAST = (
    "quality",
    "train_seconds",
    "train_memory_bytes",
    "latency_ms_p50",
    "latency_ms_p95",
    "train_usd",
    "usd_per_1000",
)


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


def score(metric: Mapping[str, float]) -> Expected:
    """Return a measured metric in words."""
    if "low" not in metric:
        return Expected(value_of("quality", metric["value"]))
    return expected("quality", {**metric, "point": metric["value"]})


def metric_key(plan: Plan) -> str:
    """Return the plan's metric as results name it."""
    return plan.metric.replace("-", "_")


def figures(plan: Plan, result: Result | None) -> list[Figure]:
    """Return quality, money and time: as forecast, or as measured where the plan ran."""
    forecast = plan.forecast
    quality, seconds = forecast.get("quality"), forecast.get("train_seconds")
    answers = forecast.get("usd_per_1000")
    price = f"{value_of('usd_per_1000', answers['point'])} per 1,000 answers" if answers else "price of answers unknown"
    money = Figure("Cost of training", expected("usd", forecast.get("train_usd")), price)
    if result is not None:
        key = metric_key(plan)
        said = f"forecast accuracy {interval_of('quality', quality)}" if quality else "no quality had been forecast"
        took = Expected(clock(result.measured["train_seconds"]))
        return [
            Figure(f"Measured {METRIC_NAMES[key]}", score(result.metrics[key]), said),
            money,
            Figure("Measured training time", took, f"forecast {interval_of('train_seconds', seconds)}"),
        ]
    unknown = Figure(
        "Expected accuracy",
        Expected("not known yet"),
        "nothing comparable has been measured; the run will tell",
    )
    known = Figure("Expected accuracy", expected("quality", quality), "on texts like the labelled ones")
    time = Figure("Time to train", expected("train_seconds", seconds), "libraries and loading included")
    return [known if quality else unknown, money, time]


def forecast_rows(plan: Plan) -> list[Forecasted]:
    """Return the plan's forecast, row by row."""
    rows = []
    for name in _FORECAST:
        interval, is_cost = plan.forecast.get(name), name != "quality"
        low, point, high = (value_of(name, interval[at] if interval else None) for at in ("low", "point", "high"))
        best, worst = (low, high) if is_cost else (high, low)
        rows.append(Forecasted(QUANTITIES[name].title, best, point, worst, is_cost))
    return rows
