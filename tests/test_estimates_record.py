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


def test_errors_are_shares_of_what_was_measured_apart_for_models_used(record: ModuleType) -> None:
    from estimate_errors import compared, table  # type: ignore[import-not-found]

    here = {"device": "cpu", "processor": "another", "units": "avx2", "threads": 2, "batch": 1, "length": 64}
    here |= {"precision": "fp32", "recompute": False, "trained": 0, "peak_bytes": 1}
    asked = [
        ("google-bert/bert-base-uncased", "full", ["memory, cpu", "update, cpu"]),
        ("distilbert/distilbert-base-uncased", "embed", ["memory, cpu", "latency, cpu"]),
        ("distilbert/distilbert-base-uncased", "answer", ["latency, cpu"]),
        ("Qwen/Qwen3-0.6B", "lm-lora", ["memory, cpu", "update, cpu"]),
        ("Qwen/Qwen3-0.6B", "prefill", ["prefill, cpu"]),
        ("Qwen/Qwen3-0.6B", "decode", ["decode, cpu"]),
    ]
    rows = []
    for model, way, quantities in asked:
        batch = 16 if way in ("full", "lm-lora") else 1
        row = {**here, "model": model, "way": way, "batch": batch, "seconds": 1.0}
        found = list(compared(row, []))
        assert [one.quantity for one in found] == quantities
        assert all(0 < one.forecast.low <= one.forecast.point <= one.forecast.high for one in found)
        rows.append(row)
    memory = next(compared(rows[0], [])).forecast
    right = {**rows[0], "peak_bytes": memory.point, "length": 64}
    above = {**rows[3], "peak_bytes": next(compared(rows[3], [])).forecast.high * 2}
    lines = table([right, above], {"google-bert/bert-base-uncased"}, []).splitlines()
    assert "| fitted | memory, cpu | 1 | 0% | 0% | 100% | 0% |" in lines
    assert next(line for line in lines if "held out | memory" in line).endswith("| 0% | 100% |")
    # A cell that ran out of memory has nothing to compare.
    failed = {name: value for name, value in rows[3].items() if name not in ("peak_bytes", "seconds")}
    assert list(compared({**failed, "out_of_memory": True}, [])) == []


def test_a_row_is_forecast_by_the_rates_that_were_taken_nearest_to_it(record: ModuleType) -> None:
    from estimate_errors import place_of

    row = {"device": "cpu", "processor": "P", "units": "avx2", "threads": 2, "precision": "bf16"}
    row |= {"measured_at": "2026-11-03T10:00:00+00:00"}

    def rates(day: int, gflops: float, **other: object) -> dict[str, object]:
        return {
            **row,
            "device": "cpu",
            "matmul_gflops": gflops,
            "measured_at": f"2026-11-{day:02}T00:00+00:00",
            **other,
        }

    taken = [rates(1, 100.0), rates(4, 200.0), rates(3, 300.0, precision="fp32"), rates(3, 400.0, processor="Q")]
    found = place_of(row, taken)
    assert found.rates is not None and found.rates.matmul_gflops == 200.0 and found.precision == "bf16"
    assert place_of(row | {"threads": 1}, taken).rates is None
