"""Past runs in words: what they reached, and what they have adjusted in a forecast."""

from collections.abc import Mapping
from typing import Any

from advisor.report.units import significant
from advisor.tasks import TASKS

_BRIEF = {
    "train_seconds": "training time",
    "train_memory_bytes": "memory",
    "latency_ms_p50": "latency",
    "latency_ms_p95": "latency",
}


def adjusted_line(runs: Mapping[str, int]) -> str:
    """Return a sentence on what past runs have adjusted in a forecast, empty where they have nothing.

    Args:
        runs: how many, by quantity.
    """
    by_count: dict[int, list[str]] = {}
    for quantity, count in runs.items():
        by_count.setdefault(count, []).append(_BRIEF.get(quantity, quantity))
    told = "; ".join(
        f"{', '.join(dict.fromkeys(names))} by your last {count} runs" for count, names in by_count.items()
    )
    return f"Adjusted on this machine: {told}." if told else ""


def past_run_line(run: Mapping[str, Any]) -> str:
    """Return a past run, as `PastRun.as_dict` has it, in one line."""
    measures = {measure.key: measure.title for measure in TASKS[run["task"]].measures}
    measure = measures.get(run["measure"], run["measure"])
    classes = f", {run['classes']} classes" if run["classes"] else ""
    model = run["model"].rstrip("/").rpartition("/")[2]
    return (
        f"{run['strategy']} on {model}: {measure} {significant(run['value'])} with {run['rows']:,.0f} labels "
        f"({run['project']}{classes}, {run['time'][:10]}); similarity {run['similarity']:.2f}"
    )
