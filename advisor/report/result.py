"""The result of a run on a terminal: what was measured beside what was forecast."""

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from advisor.knowledge.interval import Interval
from advisor.report.figures import outcome, point, score
from advisor.report.measured import baseline_difference, baseline_title, baseline_values, seed_spread
from advisor.report.past import adjusted_line
from advisor.report.terminal import share
from advisor.report.units import QUANTITIES, capital, interval_of, value_of
from advisor.report.usage import command
from advisor.run.progress import clock
from advisor.run.result import Result
from advisor.tasks import TASKS, Measure

_OUTCOMES = {"within": "[dim]as forecast[/]", "above": "above the forecast", "below": "below the forecast"}


def result_screen(result: Result, folder: str) -> RenderableType:
    """Return the measures, the leading one first, forecast beside measurement, the baselines, and how to use it."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for title in ("", "forecast", "measured", ""):
        table.add_column(title, no_wrap=True)
    forecast, measured, task = result.forecast, result.measured, TASKS[result.task]
    leading = next(measure for measure in task.measures if measure.key == result.metric)
    for measure in dict.fromkeys((leading, *task.measures)):
        if measure.key not in result.metrics:
            continue
        quality = forecast["quality"] if measure.key == "accuracy" else None
        found = escape(score(measure, result.metrics[measure.key]).both)
        told = share(Interval(**quality)) if quality else ""
        table.add_row(measure.title, told, found, _held(quality, result.metrics[measure.key]["value"]))

    def row(title: str, key: str, shown: Callable[[Interval], str], value: str) -> None:
        table.add_row(title, _of(forecast[key], shown), value, _held(forecast[key], measured[key]))

    row("training time", "train_seconds", _clocks, clock(measured["train_seconds"]))
    row("peak memory", "train_memory_bytes", _gigabytes, f"{measured['train_memory_bytes'] / 1e9:.2f} GB")
    for name in ("p50", "p95"):
        key = f"latency_ms_{name}"
        row(f"latency {name}", key, _milliseconds, f"{measured[key]:.1f} ms")
    for key in ("tokens_in", "tokens_out", "usd_per_1000", "spent_usd"):
        if key in measured:
            told = escape(interval_of(key, forecast.get(key)) if forecast.get(key) else "")
            table.add_row(QUANTITIES[key].title.lower(), told, value_of(key, measured[key]))
    baselines = "; ".join(
        f"{baseline_title(name)} {point(leading, found)}{_apart(result, name, leading)}"
        for name, found in baseline_values(result, leading).items()
    )
    lines = [
        f"Measured on {result.data['measured_rows']:,} held-out {_unit(result)}, with 95 % intervals.",
        f"{capital(leading.title)} of {baselines}." if baselines else "",
        seed_spread(result, leading),
        adjusted_line(result.adjusted),
        f"Use it:   {command(result.task, folder, pairs=_unit(result) == 'pairs')}",
        f"Report:   {folder}/report.html",
    ]
    return Group(table, Text(), *(Text(line) for line in lines if line))


def _apart(result: Result, name: str, measure: Measure) -> str:
    found = baseline_difference(result, name, measure)
    return f" (difference {found})" if found else ""


def _held(forecast: dict[str, float] | None, measured: float) -> str:
    return _OUTCOMES.get(outcome(forecast, measured), "")


def _unit(result: Result) -> str:
    return TASKS[result.task].called(pairs=bool(result.data.get("pair_column")))


def _of(interval: dict[str, float] | None, shown: Callable[[Interval], str]) -> str:
    return shown(Interval(**interval)) if interval else "unknown"


def _clocks(interval: Interval) -> str:
    return f"{clock(interval.point)} \\[{clock(interval.low)} – {clock(interval.high)}]"


def _gigabytes(interval: Interval) -> str:
    return f"{interval.point / 1e9:.2f} GB \\[{interval.low / 1e9:.2f}–{interval.high / 1e9:.2f}]"


def _milliseconds(interval: Interval) -> str:
    return f"{interval.point:.0f} ms \\[{interval.low:.0f}–{interval.high:.0f}]"
