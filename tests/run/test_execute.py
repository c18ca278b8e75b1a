"""Runs from plan to predictions, per strategy, with a tiny encoder; and what a run refuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from advisor.api import run_plan
from advisor.errors import InputError, RunError
from advisor.plan.plan import read_plan
from advisor.run.folder import RunFolder
from advisor.run.predict import open_model, predict_rows
from advisor.strategies import EXECUTABLE, STRATEGIES

LEFT_BEHIND = {
    ".lock", "plan.yaml", "events.jsonl", "result.json", "predictions.jsonl", "report.html", "README.md", "model",
}  # fmt: skip


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(name, marks=pytest.mark.slow)
        if name in {"lp-ft", "partial-unfreezing", "lora", "contrastive"}
        else name
        for name in EXECUTABLE
        if STRATEGIES[name].encoder_tasks
    ],
)
def test_every_strategy_runs_to_its_end(strategy: str, make_plan: Any, tmp_path: Path) -> None:
    plan, folder = make_plan(strategy)
    result = run_plan(folder, tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == LEFT_BEHIND
    found = result.as_dict()
    assert found == json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    for metric in ("accuracy", "macro_f1"):
        assert (
            0
            <= found["metrics"][metric]["low"]
            <= found["metrics"][metric]["value"]
            <= found["metrics"][metric]["high"]
            <= 1
        )
    assert "majority" in found["baseline"]
    assert ("zero-shot" in found["baseline"]) == (strategy != "zero-shot")
    assert found["measured"]["latency_ms_p95"] >= found["measured"]["latency_ms_p50"] > 0
    assert found["parity"]["largest_difference"] <= plan.evaluation["parity_tolerance"]
    rows = [
        json.loads(line) for line in (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(rows) == 6
    assert sum(row["predicted"] == row["label"] for row in rows) / 6 == pytest.approx(
        found["metrics"]["accuracy"]["value"]
    )
    model = open_model(tmp_path / "run")
    again = next(predict_rows(model, [{"text": rows[0]["text"]}]))
    assert again["label"] == rows[0]["predicted"]
    rounding = 1e-4 if result.device["precision"] == "fp32" else 1e-2
    assert again["probabilities"][again["label"]] == pytest.approx(
        rows[0]["probabilities"][again["label"]], abs=rounding
    )


def test_without_a_test_file_small_data_are_cross_validated(make_plan: Any, tmp_path: Path) -> None:
    plan, folder = make_plan("linear-probe", test=False)
    assert plan.data.split.kind == "cross-validation"
    result = run_plan(folder, tmp_path / "run")
    assert result.data["measured_rows"] == 24
    places = [
        json.loads(line)["row"]
        for line in (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert sorted(places) == list(range(2, 26))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_result(make_plan: Any, tmp_path: Path) -> None:
    _, folder = make_plan("full-fine-tuning")
    first, second = (run_plan(folder, tmp_path / name) for name in ("one", "two"))
    assert first.metrics == second.metrics
    assert (tmp_path / "one" / "predictions.jsonl").read_bytes() == (
        tmp_path / "two" / "predictions.jsonl"
    ).read_bytes()


def test_a_finished_run_is_not_run_again(make_plan: Any, tmp_path: Path) -> None:
    _, folder = make_plan("zero-shot")
    first = run_plan(folder, tmp_path / "run")
    assert run_plan(folder, tmp_path / "run") == first
    assert RunFolder(tmp_path / "run").logged()[-1]["event"] == "already-finished"


def test_changed_data_are_refused(make_plan: Any, messages: Path, tmp_path: Path) -> None:
    _, folder = make_plan("zero-shot")
    with (messages / "train.csv").open("a", encoding="utf-8") as file:
        file.write("one more row,praise\n")
    with pytest.raises(RunError, match="changed since the plan was made"):
        run_plan(folder, tmp_path / "run")


def test_another_plan_is_refused_in_the_same_folder(make_plan: Any, tmp_path: Path) -> None:
    _, one = make_plan("zero-shot")
    _, other = make_plan("few-shot")
    run_plan(one, tmp_path / "run")
    with pytest.raises(RunError, match="holds a run of another plan"):
        run_plan(other, tmp_path / "run")


def test_a_folder_with_something_else_is_refused(make_plan: Any, tmp_path: Path) -> None:
    _, folder = make_plan("zero-shot")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="is not empty and holds no run"):
        run_plan(folder, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir() if path.name != ".lock"] == ["thesis.txt"]


def test_changed_weights_are_refused(make_plan: Any, tmp_path: Path) -> None:
    plan, folder = make_plan("zero-shot")
    pinned = plan.model_copy(update={"model": plan.model.model_copy(update={"sha256": "0" * 64})})
    with pytest.raises(InputError, match="the weights changed"):
        run_plan(pinned, tmp_path / "run", plan_folder=folder)


def test_a_torn_event_line_is_mended(make_plan: Any, tmp_path: Path) -> None:
    _, folder = make_plan("zero-shot")
    run_plan(folder, tmp_path / "run")
    with (tmp_path / "run" / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"event": "tor')
    run_plan(folder, tmp_path / "run")
    assert RunFolder(tmp_path / "run").logged()[-1]["event"] == "already-finished"


def test_two_runs_in_one_folder_are_kept_apart(make_plan: Any, tmp_path: Path) -> None:
    plan, folder = make_plan("zero-shot")
    with RunFolder(tmp_path / "run").opened(plan):
        code = f"from advisor.api import run_plan; run_plan({str(folder)!r}, {str(tmp_path / 'run')!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "another process is running" in done.stderr


def test_a_plan_reads_back(make_plan: Any) -> None:
    plan, folder = make_plan("linear-probe")
    assert read_plan(folder) == plan
    assert [step.id for step in plan.steps] == [
        "model",
        "discard-head",
        "add-head",
        "prepare",
        "train",
        "evaluate",
        "export",
    ]
    assert plan.data.train.path == "../messages/train.csv"
