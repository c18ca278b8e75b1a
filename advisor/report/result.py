"""The result of a run on a terminal: what was measured beside what was forecast."""

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.knowledge.interval import Interval
from advisor.report.terminal import share
from advisor.run.progress import clock
from advisor.run.result import Result


def result_screen(result: Result, folder: str) -> RenderableType:
    """Return forecast beside measurement, the baselines, and how to use the model."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for title in ("", "forecast", "measured"):
        table.add_column(title, no_wrap=True)
    forecast, measured = result.forecast, result.measured
    table.add_row("accuracy", _of(forecast["quality"], share), _metric(result, "accuracy"))
    table.add_row("macro-F1", "", _metric(result, "macro_f1"))
    table.add_row("training time", _of(forecast["train_seconds"], _clocks), clock(measured["train_seconds"]))
    memory = f"{measured['train_memory_bytes'] / 1e9:.2f} GB"
    table.add_row("peak memory", _of(forecast["train_memory_bytes"], _gigabytes), memory)
    for name in ("p50", "p95"):
        key = f"latency_ms_{name}"
        table.add_row(f"latency {name}", _of(forecast[key], _milliseconds), f"{measured[key]:.1f} ms")
    baselines = "; ".join(
        f"{name} {scores['accuracy']:.2f} and {scores['macro_f1']:.2f}" for name, scores in result.baseline.items()
    )
    lines = [
        f"Accuracy and macro-F1 on {result.data['measured_rows']:,} held-out texts with 95 % intervals; {baselines}.",
        f'Use it:   advisor predict {folder} "some text"',
        f"Report:   {folder}/report.html",
    ]
    return Group(table, Text(), *map(Text, lines))


def _metric(result: Result, name: str) -> str:
    metric = result.metrics[name]
    return f"{metric['value']:.2f} \\[{metric['low']:.2f}–{metric['high']:.2f}]"


def _of(interval: dict[str, float] | None, shown: Callable[[Interval], str]) -> str:
    return shown(Interval(**interval)) if interval else "unknown"


def _clocks(interval: Interval) -> str:
    return f"{clock(interval.point)} \\[{clock(interval.low)} – {clock(interval.high)}]"


def _gigabytes(interval: Interval) -> str:
    return f"{interval.point / 1e9:.2f} GB \\[{interval.low / 1e9:.2f}–{interval.high / 1e9:.2f}]"


def _milliseconds(interval: Interval) -> str:
    return f"{interval.point:.0f} ms \\[{interval.low:.0f}–{interval.high:.0f}]"
