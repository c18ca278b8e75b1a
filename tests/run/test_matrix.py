"""Every cell of tasks and strategies, from a data file to predictions with the exported model, on a tiny encoder."""

import json
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from advisor.api import run_plan, write_plan
from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.errors import NoFeasibleStrategy
from advisor.project import open_project
from advisor.run.predict import open_model, predict_rows, read_rows
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS, WRITING
from tests.conftest import TEXTS

SHORT = {"epochs": 1, "min_steps": 4, "enough_steps": 4, "batch_size": 4}
PLACES = ["Rome", "Oslo", "Kyoto"]
QUICK = {("regression", "linear-probe"), ("token-classification", "full-fine-tuning")}


def texts() -> list[tuple[str, str]]:
    """Messages of three kinds in turn, each with its kind."""
    return [
        (text, label) for texts in zip(*TEXTS.values(), strict=True) for text, label in zip(texts, TEXTS, strict=True)
    ]


def rows_of(task: str) -> list[dict[str, Any]]:
    """Thirty rows of a task, written from the messages."""
    messages = texts()
    match task:
        case "multi-label":
            kinds = [[label, "long"] if len(text) > 40 else [label] for text, label in messages]
            return [{"text": text, "labels": several} for (text, _), several in zip(messages, kinds, strict=True)]
        case "pair-classification":
            others = islice(cycle(messages), 3, 3 + 2 * len(messages))
            pairs = zip(messages, others, strict=False)
            return [
                {"text": one, "text_pair": other, "label": "same" if number % 2 else "other"}
                for number, ((one, _), (other, _)) in enumerate(pairs)
            ]
        case "regression":
            return [{"text": text, "label": len(text) / 10 + 0.05} for text, _ in messages]
        case "token-classification":
            return [
                {"tokens": [*text.split(), "in", place], "tags": ["O"] * (len(text.split()) + 1) + ["B-PLACE"]}
                for (text, _), place in zip(messages, cycle(PLACES), strict=False)
            ]
        case "question-answering":
            return [
                {
                    "question": "where is it?",
                    "context": f"{text} – it is in {place}, they say {number}",
                    "answers": [place],
                    "answer_starts": [len(f"{text} – it is in ")],
                }
                for number, ((text, _), place) in enumerate(zip(messages, cycle(PLACES), strict=False))
            ]
        case _:
            return [{"text": text, "label": label} for text, label in messages]


def data_folder(task: str, folder: Path) -> Path:
    """A folder with 21 training and 9 test rows."""
    rows = rows_of(task)
    folder.mkdir()
    for name, part in (("train", rows[:21]), ("test", rows[21:])):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


CELLS = [(task, strategy) for task in TASKS for strategy in STRATEGIES if STRATEGIES[strategy].handles(task, "encoder")]


def test_the_matrix_is_the_promised_one() -> None:
    gone = {
        ("zero-shot", "few-shot", "contrastive"): [
            "pair-classification", "regression", "token-classification", "question-answering",
        ],
        ("linear-probe", "lp-ft"): ["question-answering"],
    }  # fmt: skip
    missing = {(task, strategy) for strategies, tasks in gone.items() for strategy in strategies for task in tasks}
    encoders = [name for name, strategy in STRATEGIES.items() if strategy.family != "alignment"]
    read = [task for task in TASKS if TASKS[task].predicts not in WRITING]
    assert set(CELLS) == {(task, strategy) for task in read for strategy in encoders} - missing
    assert all(STRATEGIES[strategy].executable for _, strategy in CELLS)


@pytest.mark.parametrize(
    ("task", "strategy"),
    [pytest.param(*cell, marks=() if cell in QUICK else pytest.mark.slow, id="-".join(cell)) for cell in CELLS],
)
def test_a_cell_runs_to_its_end(task: str, strategy: str, tiny_encoder: Path, tmp_path: Path) -> None:
    folder = data_folder(task, tmp_path / "data")
    project = open_project(data=DataSource(folder), settings={"model.base": str(tiny_encoder)})
    assert project.profile.task.type == task
    known = STRATEGIES[strategy].settings.model_fields
    short = {name: value for name, value in SHORT.items() if name in known}
    plan = write_plan(
        recommend(project.profile), project.data, tmp_path / "plan", strategy=strategy, hyperparameters=short
    )
    assert plan.task == task
    assert plan.metric in {measure.key for measure in TASKS[task].measures}
    result = run_plan(tmp_path / "plan", tmp_path / "run")
    assert {measure.key for measure in TASKS[task].measures} <= set(result.metrics)
    for measure in TASKS[task].measures:
        scores = result.metrics[measure.key]
        assert scores["low"] <= scores["value"] <= scores["high"]
    assert result.parity["largest_difference"] <= plan.evaluation["parity_tolerance"]
    lines = (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 9
    front = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert f"pipeline_tag: {TASKS[task].pipeline}" in front
    assert (tmp_path / "run" / "report.html").stat().st_size < 1_000_000
    model = open_model(tmp_path / "run")
    served = list(predict_rows(model, read_rows(model, str(folder / "test.jsonl"), (None, None))))
    said = {"class": "label", "classes": "labels", "number": "value", "tags": "tags", "span": "answer"}
    written = [json.loads(line)["predicted"] for line in lines]
    answered = [row[said[TASKS[task].predicts]] for row in served]
    if task == "regression":
        assert answered == pytest.approx(written, abs=1e-3)
    else:
        assert answered == written


@pytest.mark.parametrize(
    ("task", "strategy", "instead"),
    [
        ("question-answering", "linear-probe", "$"),
        ("pair-classification", "zero-shot", "; a language model can do it: name the language model by model.llm_name"),
        ("question-answering", "few-shot", "; a language model can do it: name the language model by model.llm_name"),
        ("regression", "contrastive", "$"),
    ],
)
def test_a_cell_that_is_not_sensible_is_refused_with_the_reason(
    task: str, strategy: str, instead: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    project = open_project(
        data=DataSource(data_folder(task, tmp_path / "data")), settings={"model.base": str(tiny_encoder)}
    )
    with pytest.raises(
        NoFeasibleStrategy, match=f"{strategy} cannot be run: it does not apply to {task} [a-z ]*{instead}"
    ):
        write_plan(recommend(project.profile), project.data, tmp_path / "plan", strategy=strategy)
    assert not (tmp_path / "plan" / "plan.yaml").exists()
