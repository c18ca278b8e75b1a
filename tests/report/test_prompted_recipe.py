"""Recipes that prompt a language model: run by themselves, they answer as the run does that asks in the same way."""

import json
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM

from advisor.backend.devices import Device
from advisor.backend.encoder import quiet_transformers
from advisor.backend.prompted.templates import prompt_template
from advisor.estimates.forecast import default_settings
from advisor.knowledge.weights import locate_model
from advisor.plan.plan import Plan
from advisor.report.recipe import recipe_documents
from advisor.run.execute import execute
from advisor.tasks import TASKS
from tests.language_models import write_language_model
from tests.report.recipe_cells import Cell, make_plan, write_cell
from tests.tiny import write_tiny_encoder

CPU = Device("cpu", "fp32", "for tests")
TEXT, PAIR = "text-classification", "pair-classification"
ONE_WAY = {"selections": ["fixed"], "orders": ["forward"], "calibrations": ["none"], "measured_rows": 4}
ONE_WAY |= {"attacked_rows": 0, "demonstrations": 4}
CELLS = [
    (Cell(TEXT, "zero-shot", format="csv"), "llama-chat"),
    (Cell(TEXT, "few-shot", "held-out"), "llama"),
    (Cell(TEXT, "zero-shot", "held-out"), "nli"),
]
MORE = [
    (Cell(TEXT, "few-shot", "cross-validation"), "t5"),
    (Cell(PAIR, "few-shot"), "llama-chat-without-system"),
    (Cell(PAIR, "zero-shot", "cross-validation"), "bart"),
    (Cell(PAIR, "zero-shot"), "nli"),
    (Cell(TEXT, "zero-shot"), "bert"),
    (Cell(PAIR, "few-shot", "held-out"), "roberta"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("an encoder") / "tiny")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return lambda name: write_language_model(
        tmp_path_factory.mktemp("a model") / name, name, max_position_embeddings=2048
    )


def written(cell: Cell, place: Path, encoder: Path, model: Path) -> Plan:
    """Write data, and a plan that prompts a language model with its recipe; return the plan."""
    of_encoder = write_cell(cell, place, encoder)
    folder = place / "a plan"
    (folder / "language model").symlink_to(model)
    settings = default_settings(cell.strategy, "llm-local").model_dump(mode="json") | ONE_WAY | cell.settings
    content = of_encoder.model_dump(by_alias=True, mode="json") | {
        "engine": "llm-local",
        "hyperparameters": settings,
        "prompting": {"encoder": "encoder", "template": prompt_template(cell.task), "context": 2048},
    }
    pin = locate_model(str(model), language_model=True).sha256
    content["model"] |= {"id": "language model", "sha256": pin, "max_length": 2048}
    plan = Plan.model_validate(content)
    for name, text in recipe_documents(plan).items():
        (folder / name).write_text(text, encoding="utf-8")
    return plan


@pytest.mark.parametrize(
    ("cell", "name"), [*CELLS, *(pytest.param(*cell, marks=pytest.mark.slow) for cell in MORE)], ids=str
)
def test_a_recipe_answers_as_the_run_does(
    cell: Cell, name: str, tiny: Path, model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = written(cell, tmp_path, tiny, model(name))
    folder = tmp_path / "a plan"
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "advisor", None)
        recipe = runpy.run_path(str(folder / "recipe.py"), run_name="__main__")
    monkeypatch.setattr("advisor.run.execute.check_parity", lambda *arguments, **options: 0.0)
    for module in ("fits", "execute"):
        monkeypatch.setattr(f"advisor.run.{module}.choose_device", lambda: CPU)
    result = execute(plan, folder, tmp_path / "run")
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    keys = [measure.key for measure in TASKS[cell.task].measures]
    assert metrics["rows"] == result.data["measured_rows"]
    assert [metrics[key] for key in keys] == pytest.approx([result.metrics[key]["value"] for key in keys])
    kept = json.loads((folder / "prompt.json").read_text(encoding="utf-8"))
    assert len(kept["examples"]) == (4 if cell.strategy == "few-shot" else 0)
    if cell.split == "test-file":
        test, tokenizer = recipe["read_rows"](recipe["TEST"], recipe["TEST_SHA256"]), recipe["AutoTokenizer"]
        tokenizer = tokenizer.from_pretrained(folder / "language model")
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        shown = [(text, label) for text, label in kept["examples"]]
        answers = recipe["predict"](shown, test, recipe["load_model"](), tokenizer)
        lines = (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        assert answers == [json.loads(line)["predicted"] for line in lines]
    assert len(kept["answers"]) == len(plan.labels)
    assert "jinja2" in (folder / "requirements.txt").read_text(encoding="utf-8")


def test_what_has_no_recipe_gets_none() -> None:
    for task, engine in (("token-classification", "llm-local"), ("token-classification", "llm-api")):
        content = make_plan(TEXT, "zero-shot", {"a": None, "b": None}).model_dump(by_alias=True, mode="json")
        content |= {"task": task, "engine": engine, "metric": TASKS[task].measures[0].key}
        content["prompting"] = {"encoder": "encoder", "template": prompt_template(task)}
        assert recipe_documents(Plan.model_validate(content)) == {}


@pytest.mark.parametrize(
    ("name", "strategy", "said"),
    [("nli", "few-shot", "cannot be shown examples"), ("judge", "zero-shot", "without a label of entailment")],
)
def test_what_cannot_be_prompted_is_refused(
    name: str, strategy: str, said: str, tiny: Path, model: Callable[[str], Path], tmp_path: Path, monkeypatch: Any
) -> None:
    written(Cell(TEXT, strategy), tmp_path, tiny, model(name))
    monkeypatch.setitem(sys.modules, "advisor", None)
    with pytest.raises(SystemExit, match=said):
        runpy.run_path(str(tmp_path / "a plan" / "recipe.py"), run_name="__main__")


def test_changed_weights_are_refused(
    tiny: Path, model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = model("gpt2")
    written(Cell(TEXT, "zero-shot"), tmp_path, tiny, folder)
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b" ")
    monkeypatch.setitem(sys.modules, "advisor", None)
    with pytest.raises(SystemExit, match="is missing or changed since the plan was made"):
        runpy.run_path(str(tmp_path / "a plan" / "recipe.py"), run_name="__main__")


def test_weights_in_several_files_are_checked_all(
    tiny: Path, model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, several = model("gpt2"), tmp_path / "several"
    shutil.copytree(whole, several, ignore=shutil.ignore_patterns("model.safetensors"))
    with quiet_transformers():
        AutoModelForCausalLM.from_pretrained(whole).save_pretrained(several, max_shard_size="40KB")
    files = sorted(several.glob("model-*.safetensors"))
    assert len(files) > 1
    written(Cell(TEXT, "zero-shot", "held-out"), tmp_path / "a cell", tiny, several)
    monkeypatch.setitem(sys.modules, "advisor", None)
    recipe = str(tmp_path / "a cell" / "a plan" / "recipe.py")
    runpy.run_path(recipe, run_name="__main__")
    with files[-1].open("ab") as file:
        file.write(b" ")
    with pytest.raises(SystemExit, match="changed since the plan was made"):
        runpy.run_path(recipe, run_name="__main__")


def test_data_and_templates_are_never_code(tiny: Path, model: Callable[[str], Path], tmp_path: Path) -> None:
    plan = written(Cell(TEXT, "zero-shot"), tmp_path, tiny, model("gpt2"))
    hostile = plan.model_copy(
        update={"labels": {'"); import os; ("': "{{ 7 * 7 }}", "b": None}, "project": '"""\nimport os'}
    )
    recipe = recipe_documents(hostile)["recipe.py"]
    compile(recipe, "recipe.py", "exec")
    assert "import os" not in {line.strip() for line in recipe.splitlines()}
