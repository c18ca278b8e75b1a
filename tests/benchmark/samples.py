"""Measurements made up for tests."""

from typing import Any

from advisor.benchmark.results import Measurement, measurement


def line(
    strategy: str, value: float, *, data: str = "a", size: str = "8", seed: int = 0, **more: Any
) -> dict[str, Any]:
    """A line of results: three classes, ``size`` labels of each."""
    labelled = 0 if size == "0" else 3 * int(size) if size.isdigit() else 900
    return {
        "data": data, "strategy": strategy, "size": size, "seed": seed, "model": "m", "task": "text-classification",
        "classes": 3, "labelled": labelled, "rarest": labelled // 3, "test_rows": 100, "accuracy": value,
        "macro_f1": value, "fit_processor_seconds": 10.0, **more,
    }  # fmt: skip


def measured(*lines: dict[str, Any]) -> list[Measurement]:
    """The lines as measurements."""
    return [measurement(row) for row in lines]
