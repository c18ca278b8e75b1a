"""The choices of a report: the advice and its alternatives with what each is expected to reach and to cost."""

from dataclasses import dataclass
from typing import Any

from advisor.plan.plan import Plan
from advisor.report.charts import Option, Plot, option_of, quality_cost_plot
from advisor.report.figures import Expected, expected
from advisor.report.names import short, title_of
from advisor.report.task_words import forecast_measure
from advisor.run.result import Result
from advisor.strategies import STRATEGIES


@dataclass(frozen=True)
class Choice:
    """One option in the table: the advice first, then its alternatives."""

    strategy: str
    title: str
    model: str
    changes: str
    quality: Expected
    seconds: Expected
    latency: Expected
    usd_per_1000: Expected
    first: bool
    why_not: list[str]
    dominated_by: str | None


def choices(plan: Plan, record: dict[str, Any]) -> list[Choice]:
    """Return the advice on record and its alternatives; none where there is no record."""
    return [_choice(first, row) for first, row in _options(plan, record)]


def undrawn(plan: Plan, record: dict[str, Any]) -> list[str]:
    """Return the strategies without a forecast of quality, which no plot can show."""
    return [row["strategy"] for _, row in _options(plan, record) if not row["expected"].get("quality")]


def choices_plot(plan: Plan, record: dict[str, Any], result: Result | None) -> Plot | None:
    """Return the plot of the options' quality and training time, with what the run measured where there is one."""
    found = [
        option_of(row["strategy"], row["engine"], row["expected"], "first" if first else "other")
        for first, row in _options(plan, record)
    ]
    options: list[Option] = [option for option in found if option]
    if result is not None and options:
        found_quality, seconds = result.metrics[forecast_measure(plan).key], result.measured["train_seconds"]
        quality = {"point": found_quality["value"], "low": found_quality["low"], "high": found_quality["high"]}
        time = {"low": seconds, "point": seconds, "high": seconds}
        options.append(Option(plan.strategy, plan.engine, quality, time, "measured"))
    return quality_cost_plot(options)


def _options(plan: Plan, record: dict[str, Any]) -> list[tuple[bool, dict[str, Any]]]:
    """Return the advice and its alternatives; the planned one with the plan's own, closer forecast."""
    if not record:
        return []
    closer = {
        **plan.forecast,
        "latency_ms": plan.forecast.get("latency_ms_p95"),
        "usd": plan.forecast.get("train_usd"),
    }
    found = [(True, record["verdict"]), *((False, row) for row in record["alternatives"])]
    planned = (plan.strategy, plan.engine)
    return [
        (first, {**row, "expected": closer} if (row["strategy"], row["engine"]) == planned else row)
        for first, row in found
    ]


def _choice(first: bool, row: dict[str, Any]) -> Choice:
    known = STRATEGIES.get(row["strategy"])
    quality, seconds, latency, price = (
        expected(name, row["expected"].get(name)) for name in ("quality", "train_seconds", "latency_ms", "usd_per_1000")
    )
    return Choice(
        strategy=row["strategy"],
        title=title_of(row["strategy"]),
        model=short(row["model"]),
        changes=known.changes if known else "",
        quality=quality,
        seconds=seconds,
        latency=latency,
        usd_per_1000=price,
        first=first,
        why_not=row.get("why_not", []),
        dominated_by=row.get("dominated_by"),
    )
