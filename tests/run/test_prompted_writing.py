"""A run that prompts a language model for text, in this process."""

import json
from pathlib import Path

import pytest

from advisor.api import run_plan, write_plan
from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.project import open_project
from advisor.report.result import result_screen
from advisor.run.predict import argument_rows, open_model, predict_rows
from tests.language_models import write_language_model
from tests.task_samples import ROWS, write_rows


@pytest.mark.slow
def test_a_prompted_model_writes_and_is_served(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = write_language_model(tmp_path / "model", "llama-chat")
    data = tmp_path / "data"
    data.mkdir()
    write_rows(data / "train.jsonl", ROWS["generation"])
    write_rows(data / "test.jsonl", ROWS["generation"][:2])
    project = open_project(
        data=DataSource(data),
        settings={
            "model.base": str(tiny_encoder), "model.llm": "local", "model.llm_name": str(folder),
            "lifecycle.feedback": "none",
        },
    )  # fmt: skip
    few = {"demonstrations": 1, "measured_rows": 2, "written_tokens": 8}
    plan = write_plan(
        recommend(project.profile), project.data, tmp_path / "plan", strategy="few-shot", hyperparameters=few
    )
    assert (plan.task, plan.engine) == ("generation", "llm-local")
    result = run_plan(tmp_path / "plan", tmp_path / "run")
    assert result.parity["largest_difference"] <= plan.evaluation["parity_tolerance"]
    assert result.metrics.keys() >= {"rouge_l", "chrf", "perplexity"}
    assert result_screen(result, "run") is not None
    rows = [json.loads(line) for line in (tmp_path / "run" / "predictions.jsonl").read_text("utf-8").split("\n")[:-1]]
    assert len(rows) == 2
    served = open_model(tmp_path / "run")
    (answer,) = predict_rows(served, argument_rows(served, ["Name a fruit that is red"]))
    assert isinstance(answer["answer"], str)
