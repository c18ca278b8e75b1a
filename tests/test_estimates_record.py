"""The record that forecasts are held against: what is still to be measured, and of which models."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def record() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import estimates  # type: ignore[import-not-found]

        yield estimates
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_no_cell_is_measured_twice(record: ModuleType) -> None:
    for place, fewest in (("cpu", 60), ("gpu", 60)):
        keys = [record.key_of(cell, place) for cell in record.grid(place)]
        assert len(set(keys)) == len(keys) >= fewest


def test_a_stopped_run_goes_on(record: ModuleType, tmp_path: Path) -> None:
    cells = list(record.grid("cpu"))
    rows = [
        {**cells[0], "device": "cpu", "peak_bytes": 1},
        {**cells[1], "device": "cpu", "peak_bytes": 1, "seconds": 2},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"model": "torn', encoding="utf-8")
    done = record.read_results(path)
    assert done == rows
    assert record.open_cells("cpu", done, timed=False, only=None) == cells[2:]
    # A row of memory alone is not enough where times are asked for; another device's row is of no use.
    assert record.open_cells("cpu", done, timed=True, only=None) == [cells[0], *cells[2:]]
    assert record.open_cells("cuda", done, timed=True, only=None) == list(record.grid("gpu"))
    assert {cell["model"] for cell in record.open_cells("cpu", [], timed=True, only="roberta-base")} == {
        "FacebookAI/roberta-base",
        "FacebookAI/xlm-roberta-base",
    }
    assert record.read_results(tmp_path / "none") == []


def test_a_cell_that_would_drive_others_out_is_left_out(record: ModuleType) -> None:
    cell = {"model": "Qwen/Qwen3-0.6B", "way": "lm-full"}
    assert 9e9 < record.states_bytes(cell) < 14e9
    assert record.states_bytes(cell | {"way": "prefill"}) < 6e9


def test_models_to_fit_and_models_held_out_on_each_place(record: ModuleType) -> None:
    for place in ("cpu", "gpu"):
        for writes in (False, True):
            kinds = {
                m["fitted"] for m in record.MODELS.values() if place in m["places"] and m.get("writes", False) == writes
            }
            assert kinds == {True, False}
