"""Entries of a ledger as runs would leave them."""

from collections.abc import Sequence
from typing import Any

from advisor.ledger.entry import Entry

QUANTITIES = ("train_seconds", "train_memory_bytes", "latency_ms_p50", "latency_ms_p95")


def entry(number: int = 0, **changes: Any) -> Entry:
    """A run on data of its own, whose every forecast of 10 [5, 20] came out as 10."""
    values: dict[str, Any] = {
        "id": f"run{number:09d}",
        "time": f"2026-11-{1 + number % 28:02d}T10:00:00Z",
        "kind": "run",
        "plan": f"plan{number:08d}",
        "advisor": "0.1.0",
        "project": "messages",
        "task": "text-classification",
        "metric": "macro_f1",
        "classes": 3,
        "languages": ["en"],
        "tokens_median": 20.0,
        "tokens_p95": 60.0,
        "data": f"data{number:08d}",
        "labelled": 300,
        "rows": 240.0,
        "rarest": 60.0,
        "judged": 300,
        "strategy": "linear-probe",
        "family": "freezing",
        "engine": "encoder",
        "model": "embedded/all-MiniLM-L6-v2",
        "work": "passes",
        "machine": "here",
        "device": "cpu",
        "serving_device": "cpu",
        "ran_on": "cpu",
        "precision": "fp32",
        "basis": "today",
        "forecast": {name: {"low": 5.0, "point": 10.0, "high": 20.0} for name in QUANTITIES}
        | {"quality": {"low": 0.6, "point": 0.7, "high": 0.8}},
        "measured": dict.fromkeys(QUANTITIES, 10.0),
        "quality": {"accuracy": 0.75, "macro_f1": 0.7},
    }
    return Entry.model_validate(values | changes)


def measured(values: Sequence[float], **changes: Any) -> list[Entry]:
    """Runs whose every quantity came out as the values, one after another."""
    return [
        entry(number, **{"measured": dict.fromkeys(QUANTITIES, value)} | changes) for number, value in enumerate(values)
    ]
