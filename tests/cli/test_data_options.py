"""The options that describe labelled data, on the commands that take them."""

import json
from pathlib import Path

import pytest

from tests.cli.test_light_commands import Invoke
from tests.task_samples import ROWS, write_rows

LEFT_AND_RIGHT = [{"left": f"a {i}", "right": f"b {i}", "grade": i % 3} for i in range(9)]


def test_inspect_takes_the_task_and_the_columns(invoke: Invoke, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.csv", LEFT_AND_RIGHT)
    shown = invoke(
        "inspect", path, "--task", "regression", "--text", "left", "--pair", "right", "--label", "grade", "--json"
    )
    found = json.loads(shown.stdout)
    assert (found["task"], found["text_column"], found["pair_column"], found["numbers"]["max"]) == (
        "regression", "left", "right", 2,
    )  # fmt: skip
    assert found["classes"] is found["labels"] is None


@pytest.mark.parametrize("task", ROWS)
def test_inspect_shows_every_task(task: str, invoke: Invoke, tmp_path: Path) -> None:
    shown = invoke("inspect", write_rows(tmp_path / "a.jsonl", ROWS[task]))
    assert shown.exit_code == 0
    assert json.loads(invoke("inspect", tmp_path / "a.jsonl", "--json").stdout)["task"] == task


def test_recommend_takes_a_pair(invoke: Invoke, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.csv", LEFT_AND_RIGHT)
    shown = invoke("recommend", "--data", path, "--text", "left", "--pair", "right", "--label", "grade")
    assert shown.exit_code == 0
    assert "pair-classification" in shown.stdout


def test_columns_describe_data(invoke: Invoke) -> None:
    shown = invoke("recommend", "--pair", "right")
    assert shown.exit_code == 2
    assert "--test, --text, --pair and --label describe --data" in shown.output


def test_the_next_commands_name_the_same_project(invoke: Invoke, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "my data.csv", LEFT_AND_RIGHT)
    asked = ("--data", path, "--text", "left", "--label", "grade", "--set", "task.type=regression")
    shown = " ".join(invoke("recommend", *asked).stdout.split())
    typed = f"--data '{path}' --text left --label grade --set task.type=regression"
    assert f"advisor plan {typed} -o plan/" in shown
    assert f"advisor run {typed}" in shown
    said = invoke("plan", *asked, "-o", tmp_path / "a plan").stdout
    assert f"advisor run '{tmp_path}/a plan'" in said
    assert f"python '{tmp_path}/a plan/recipe.py'" in said
