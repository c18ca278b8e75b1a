"""Generators from a data file to answers: every strategy that tunes one, on a tiny model; and what a run leaves."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from advisor.api import run_plan, write_plan
from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.errors import DataError, InputError, NoFeasibleStrategy
from advisor.plan.plan import Plan
from advisor.project import open_project
from advisor.run.predict import Field, ServedModel, argument_rows, open_model, predict_rows, read_rows
from advisor.tasks import TASKS, Chat, Message
from tests.backend.alignment.conftest import ASKED, OTHER, QUICK, RIGHT
from tests.run.test_resume import _finish, _kill_when
from tests.task_samples import write_rows
from tests.tiny_generator import CHAT_TEMPLATE, write_tiny_generator

LEFT_BEHIND = {
    ".lock", "plan.yaml", "events.jsonl", "result.json", "predictions.jsonl", "report.html", "README.md", "model",
}  # fmt: skip
CASES = [
    ("sft", "demonstrations", {}), ("lora", "demonstrations", {"export": "adapter"}),
    ("full-fine-tuning", "chats", {}), ("dpo", "pairs", {}), ("kto", "thumbs", {"weights": "all"}),
]  # fmt: skip


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generator") / "base"
    return write_tiny_generator(folder, [*ASKED, *RIGHT, OTHER], template=CHAT_TEMPLATE, tokens=400)


def rows_of(kind: str) -> list[dict[str, Any]]:
    """Twenty-four rows of a kind of feedback."""
    rows: list[dict[str, Any]] = []
    for number in range(24):
        prompt, right = f"{ASKED[number % 8]} ({number})", RIGHT[number % 8]
        match kind:
            case "demonstrations":
                rows.append({"prompt": prompt, "completion": right})
            case "chats":
                said = [{"role": "user", "content": prompt}, {"role": "assistant", "content": right}]
                rows.append({"messages": [{"role": "system", "content": "be brief"}, *said]})
            case "pairs":
                rows.append({"prompt": prompt, "chosen": right, "rejected": OTHER})
            case _:
                rows.append({"prompt": prompt, "completion": right if number % 2 else OTHER, "label": number % 2})
    return rows


def planned(kind: str, strategy: str, base: Path, folder: Path, **changes: Any) -> Plan:
    source = DataSource(write_rows(folder / "data.jsonl", rows_of(kind)))
    project = open_project(data=source, settings={"model.base": str(base), "model.llm": "none"})
    short = QUICK | {"epochs": 2, "preference_epochs": 2, "max_length": 100} | changes
    advice = recommend(project.profile)
    return write_plan(advice, project.data, folder / "plan", strategy=strategy, hyperparameters=short)


@pytest.mark.parametrize(("strategy", "kind", "changes"), CASES)
def test_plans_say_what_is_done(strategy: str, kind: str, changes: dict[str, Any], base: Path, tmp_path: Path) -> None:
    plan = planned(kind, strategy, base, tmp_path, **changes)
    assert (plan.engine, plan.prompting) == ("llm-local", None)
    assert plan.data.split.kind == "held-out"
    assert plan.hyperparameters["weights"] == (
        "all" if strategy == "full-fine-tuning" else changes.get("weights", "adapters")
    )
    assert {"trl", "sacrebleu", "rouge-score"} <= plan.versions.keys()
    assert "language-model head" in plan.model.task_head
    assert plan.forecast["train_seconds"]
    recipe = (tmp_path / "plan" / "recipe.py").read_text(encoding="utf-8")
    compile(recipe, "recipe.py", "exec")
    assert "trl" in (tmp_path / "plan" / "requirements.txt").read_text(encoding="utf-8")


ASKING = [{"role": "user", "content": "hi"}]
TALKED = [*ASKING, {"role": "assistant", "content": "hello"}]


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        (["hi"], "hi"),
        (["hi", ""], "hi"),
        (["hi", "you"], "hi\n\nyou"),
        ([ASKING], Chat((Message("user", "hi"),))),
        ([TALKED], Chat((Message("user", "hi"),))),
        ([json.dumps(ASKING)], Chat((Message("user", "hi"),))),
    ],
)
def test_prompts_are_served_as_they_were_learnt(parts: list[Any], read: Any) -> None:
    fields = tuple(Field(name, name) for name in ("prompt", "input")[: len(parts)])
    model = ServedModel(None, fields)  # type: ignore[arg-type]
    assert model.input({field.name: part for field, part in zip(fields, parts, strict=True)}) == read


def test_a_prompt_that_holds_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="a prompt is empty"):
        ServedModel(None, (Field("prompt", "prompt"),)).input({"prompt": " "})  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "kind", "changes"), CASES)
def test_a_run_ends_with_a_model_that_answers(
    strategy: str, kind: str, changes: dict[str, Any], base: Path, tmp_path: Path
) -> None:
    plan = planned(kind, strategy, base, tmp_path, **changes)
    result = run_plan(tmp_path / "plan", tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == LEFT_BEHIND
    assert {measure.key for measure in TASKS[plan.task].measures} <= set(result.metrics)
    before = {"untuned", "after-sft"} if plan.strategy in ("dpo", "kto") else {"untuned"}
    assert set(result.baseline) == {*before, "echo" if plan.task == "generation" else "longer"}
    assert set(result.differences) == before
    for name, found in result.differences.items():
        for key, interval in found.items():
            apart = result.metrics[key]["value"] - result.baseline[name][key]
            assert interval["value"] == pytest.approx(apart)
            assert interval["low"] <= interval["value"] <= interval["high"]
    if plan.task == "generation":
        assert result.metrics["perplexity"]["value"] < result.baseline["untuned"]["perplexity"]
    else:
        assert result.baseline["untuned"]["preference_accuracy"] == 0.5
    assert result.parity["largest_difference"] <= plan.evaluation["parity_tolerance"]
    lines = (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == result.data["measured_rows"] == 5
    assert {"row", "prompt", "label", "predicted"} <= rows[0].keys()
    model = open_model(tmp_path / "run")
    (said,) = predict_rows(model, argument_rows(model, [ASKED[0]]))
    assert isinstance(said["answer"], str)
    served = list(predict_rows(model, read_rows(model, str(tmp_path / "data.jsonl"), (None, None))))
    assert len(served) == 24
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: text-generation" in card
    assert "| Difference to the model before tuning, " in card
    assert "Difference to the model before tuning" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    code = card.partition("```python\n")[2].partition("```")[0].replace("…", ASKED[0]).replace("256", "4")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path / "run", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "generated_text" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "kind", "changes"), [CASES[0], CASES[3], CASES[4]])
def test_a_recipe_runs_without_the_advisor(
    strategy: str, kind: str, changes: dict[str, Any], base: Path, tmp_path: Path
) -> None:
    plan = planned(kind, strategy, base, tmp_path, **changes)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "recipe.py"],
        cwd=tmp_path / "plan",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "plan" / "metrics.json").read_text(encoding="utf-8"))
    result = run_plan(tmp_path / "plan", tmp_path / "run")
    assert found["rows"] == result.data["measured_rows"]
    leading = TASKS[plan.task].measures[0].key
    assert found[leading] == pytest.approx(result.metrics[leading]["value"], abs=0.25)
    assert (tmp_path / "plan" / "model" / "config.json").exists()


@pytest.mark.slow
def test_a_killed_run_ends_as_an_uninterrupted_one(base: Path, tmp_path: Path) -> None:
    planned("pairs", "dpo", base, tmp_path)
    whole, run = _finish(tmp_path / "plan", tmp_path / "whole"), tmp_path / "killed"
    for moment in ("training", "trained", "evaluated"):
        _kill_when(tmp_path / "plan", run, moment)
    resumed = _finish(tmp_path / "plan", run)
    assert resumed["resumed"]
    for key, found in whole["metrics"].items():
        assert resumed["metrics"][key]["value"] == pytest.approx(found["value"], abs=1e-3)
    assert not (run / "last").exists()


def test_what_does_not_go_together_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(NoFeasibleStrategy, match="it learns from pairs of a better and a worse answer"):
        planned("demonstrations", "dpo", base, tmp_path)
    source = DataSource(write_rows(tmp_path / "data.jsonl", rows_of("demonstrations")))
    project = open_project(data=source, settings={"model.base": str(base), "model.llm": "none"})
    with pytest.raises(InputError, match="domain-adaptive-pretraining is for encoders"):
        write_plan(
            recommend(project.profile), project.data, tmp_path / "plan", strategy="sft",
            modifiers=["domain-adaptive-pretraining"],
        )  # fmt: skip
