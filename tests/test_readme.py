"""The README's commands, run as they stand."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_there_are_two_commands() -> None:
    assert len(BLOCKS) == 2
    assert all(len(block.strip().splitlines()) == 1 for block in BLOCKS)
    assert all(block.startswith("python3 -m venv .venv && ") for block in BLOCKS)


def test_ci_runs_the_second_command_from_here() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.slow
def test_the_first_command_does_the_main_job(tmp_path: Path) -> None:
    """All but the installation, with this environment's advisor in the place of the one it would install."""
    steps = [step for step in BLOCKS[0].strip().split(" && ") if step.startswith(".venv/bin/advisor")]
    assert [shlex.split(step)[1] for step in steps] == ["recommend", "plan", "run"]
    (tmp_path / "profiles").symlink_to(ROOT / "profiles")
    for step in steps:
        arguments = shlex.split(step)[1:]
        done = subprocess.run(
            [sys.executable, "-m", "advisor", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "plan" / "report.html").exists()
    assert (tmp_path / "run" / "startup-sentiment" / "result.json").exists()
    assert "measured" in done.stdout


@pytest.mark.slow
def test_the_python_example_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "profiles").symlink_to(ROOT / "profiles")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "few-shot" in done.stdout


def test_every_command_of_the_five_minutes_exists() -> None:
    from advisor.cli import main

    names = set(re.findall(r"^\$ advisor (\w+)", README, flags=re.MULTILINE))
    assert names <= set(main.list_commands(None))  # type: ignore[arg-type, attr-defined]
    assert {"inspect", "recommend", "run", "predict", "ask", "explain", "plan"} <= names


def test_the_table_of_regret_is_current() -> None:
    """Generated from the evidence by the rules as they are."""
    spec = importlib.util.spec_from_file_location("regret", ROOT / "benchmarks" / "regret.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.written(README) == README, "python benchmarks/regret.py --write README.md"
