"""``advisor doctor``, with a bench that measures nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from advisor.backend.bench import machine as bench_module
from advisor.backend.bench.bench import BenchRecord
from advisor.doctor import checkup
from advisor.machine import this_machine
from advisor.rates import MachineRates, read_rates
from tests.cli.test_light_commands import Invoke

RATES = MachineRates(
    forward_gflops=150.0,
    training_gflops=130.0,
    matmul_gflops=210.0,
    forward_ns_per_unit=30.0,
    forward_ns_per_score=8.0,
    training_ns_per_unit=55.0,
    training_ns_per_score=12.0,
    copy_gb_per_s=30.0,
    reading_gb_per_s=12.0,
    optimizer_ns_per_parameter=1.2,
    update_layer_overhead_ms=1.5,
    update_ns_per_weight=0.8,
    single_ns_per_weight=0.2,
    tuned_ns_per_weight=0.9,
    layer_overhead_ms=0.8,
    single_gflops=155.0,
    tuned_layer_overhead_ms=1.5,
    tuned_single_gflops=140.0,
    update_overhead_ms=12.0,
    start_seconds=3.0,
    tuning_start_seconds=5.0,
    measured_at="2026-11-26T23:30:00+00:00",
    precision="bf16",
    threads=2,
)


@pytest.fixture(autouse=True)
def _fresh_look() -> Iterator[None]:
    this_machine.cache_clear()
    yield
    this_machine.cache_clear()


@pytest.fixture
def _no_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.backend.bench.machine.busy_elsewhere", lambda seconds: 0.1)
    monkeypatch.setattr(bench_module, "run_bench", lambda *given: BenchRecord(RATES, {"fp32": 90.0}, []))


def test_it_says_what_is_here(invoke: Invoke) -> None:
    shown = invoke("doctor")
    assert shown.exit_code == 0
    assert "advisor doctor --bench" in shown.stdout
    found: dict[str, Any] = json.loads(invoke("doctor", "--json").stdout)
    assert found["schema"] == 1
    assert found["machine"]["fingerprint"] == this_machine().fingerprint
    assert found["rates"] == found["narrows"] == found["problems"] == []
    assert {(one["strategy"], one["device"]) for one in found["fits"]} >= {("linear-probe", "cpu")}
    assert all(found["libraries"].values())


@pytest.mark.usefixtures("_no_measuring")
def test_a_bench_is_kept_and_used_from_then_on(invoke: Invoke) -> None:
    shown = invoke("doctor", "--bench", "--json")
    assert shown.exit_code == 0
    found = json.loads(shown.stdout)
    assert found["rates"][0]["matmul_gflops"] == 210.0
    assert this_machine().rates == (replace(RATES, busy=0.0),) == read_rates(this_machine().fingerprint)
    kept = json.loads(Path(found["rates_file"]).read_text(encoding="utf-8"))
    assert kept["measured"][0]["products_gflops"] == {"fp32": 90.0}
    again = invoke("doctor")
    assert "Measured on the CPU in bf16, 2 threads, 2026-11-26 23:30 UTC" in again.stdout


@pytest.mark.usefixtures("_no_measuring")
def test_a_busy_machine_is_warned_of(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.backend.bench.machine.busy_elsewhere", lambda seconds: 3.2)
    shown = invoke("doctor", "--bench")
    assert "other work keeps 3.2 processors busy" in shown.stderr
    assert "other work kept 3.2 processors busy" in " ".join(invoke("doctor").stdout.split())
    monkeypatch.setattr("advisor.backend.bench.machine.busy_elsewhere", lambda seconds: 0.1)
    assert "busy" not in invoke("doctor", "--bench").stderr
    assert "busy" not in invoke("doctor").stdout


def test_a_problem_is_a_sentence_and_an_exit_code(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "_version", lambda name: None if name == "peft" else "2.13.0+cpu")
    shown = invoke("doctor")
    assert shown.exit_code == 1
    assert "problem: peft is not installed; pip install peft" in shown.stdout
