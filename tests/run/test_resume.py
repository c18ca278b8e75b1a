"""``kill -9`` at any stage, then the same command: the run ends with the metrics of an uninterrupted one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from advisor.strategies import EXECUTABLE, STRATEGIES

MOMENTS = {
    "prepared": lambda run: '"prepared"' in _events(run),
    "training": lambda run: (run / "last").exists() or '"stage": "train"' in _events(run),
    "trained": lambda run: '"stage": "train"' in _events(run),
    "baseline": lambda run: '"stage": "baseline"' in _events(run),
    "evaluated": lambda run: '"stage": "evaluate"' in _events(run),
    "exported": lambda run: '"stage": "export"' in _events(run),
}


def _events(run: Path) -> str:
    path = run / "events.jsonl"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _command(plan: Path, run: Path) -> list[str]:
    return [sys.executable, "-m", "advisor", "run", str(plan), "-o", str(run), "--json"]


def _finish(plan: Path, run: Path) -> dict[str, Any]:
    done = subprocess.run(_command(plan, run), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _kill_when(plan: Path, run: Path, moment: str) -> None:
    process = subprocess.Popen(
        _command(plan, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while process.poll() is None and not MOMENTS[moment](run):
        time.sleep(0.002)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [name for name in EXECUTABLE if STRATEGIES[name].encoder_tasks])
def test_a_killed_run_ends_as_an_uninterrupted_one(strategy: str, make_plan: Any, tmp_path: Path) -> None:
    _, plan = make_plan(strategy)
    whole = _finish(plan, tmp_path / "whole")
    run = tmp_path / "killed"
    for moment in MOMENTS:
        _kill_when(plan, run, moment)
    resumed = _finish(plan, run)
    assert resumed["metrics"] == whole["metrics"]
    assert resumed["confusion"] == whole["confusion"]
    assert (run / "predictions.jsonl").read_bytes() == (tmp_path / "whole" / "predictions.jsonl").read_bytes()
    assert not (run / "work").exists()
