"""Runs on a device that computes in bf16, forced here, where PyTorch may have to emulate it."""

from pathlib import Path
from typing import Any

import pytest

from advisor.api import run_plan
from advisor.backend.devices import Device
from advisor.run import execute
from advisor.strategies import EXECUTABLE, STRATEGIES


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [name for name in EXECUTABLE if STRATEGIES[name].encoder_tasks])
def test_every_strategy_runs_in_bf16(
    strategy: str, make_plan: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = make_plan(strategy)
    in_fp32 = run_plan(folder, tmp_path / "fp32").metrics["log_loss"]["value"]
    monkeypatch.setattr(execute, "choose_device", lambda: Device("cpu", "bf16", "forced"))
    result = run_plan(folder, tmp_path / "bf16")
    assert result.device["precision"] == "bf16"
    assert result.metrics["log_loss"]["value"] == pytest.approx(in_fp32, rel=0.05)
