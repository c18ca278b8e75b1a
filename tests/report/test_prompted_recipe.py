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
from advisor.backend.loading import quiet_transformers
from advisor.backend.prompted.templates import prompt_template
from advisor.estimates.forecast import default_settings
from advisor.knowledge.weights import locate_model
from advisor.plan.plan import Plan
from advisor.report.recipe import recipe_documents
from advisor.run.execute import execute
from advisor.tasks import TASKS
from tests.language_models import write_language_model
from tests.report.recipe_cells import Cell, faults_in, write_cell
from tests.tiny import write_tiny_encoder

CPU = Device("cpu", "fp32", "for tests")
TEXT, SEVERAL, PAIR, NUMBER, TAGS, SPAN, WRITTEN, *_ = TASKS
ONE_WAY = {"selections": ["fixed"], "orders": ["forward"], "calibrations": ["none"], "measured_rows": 4}
ONE_WAY |= {"attacked_rows": 0, "demonstrations": 4, "written_tokens": 24}
NOTHING_CHOSEN = {"measured_rows": 0}
CELLS = [
    (Cell(TEXT, "zero-shot", format="csv"), "llama-chat"),
    (Cell(TEXT, "few-shot", "held-out"), "llama"),
    (Cell(TEXT, "zero-shot", "held-out"), "nli"),
    (Cell(SPAN, "few-shot"), "llama-chat"),
]
MORE = [
    (Cell(SEVERAL, "few-shot", settings=NOTHING_CHOSEN), "llama"),
    (Cell(NUMBER, "few-shot", "held-out"), "llama-chat"),
    (Cell(TAGS, "few-shot"), "llama"),
    (Cell(WRITTEN, "few-shot"), "llama"),
    (Cell(TEXT, "few-shot", "cross-validation"), "t5"),
    (Cell(PAIR, "few-shot"), "llama-chat-without-system"),
    (Cell(PAIR, "zero-shot", "cross-validation"), "bart"),
    (Cell(PAIR, "zero-shot"), "nli"),
    (Cell(TEXT, "zero-shot"), "bert"),
    (Cell(PAIR, "few-shot", "held-out"), "roberta"),
    (Cell(SEVERAL, "zero-shot", format="csv"), "nli"),
    (Cell(SEVERAL, "few-shot", "cross-validation", settings=NOTHING_CHOSEN), "t5"),
    (Cell(SEVERAL, "zero-shot", "held-out", settings={"label_sets": "list"}), "llama-chat"),
    (Cell(NUMBER, "zero-shot", pair=True), "nli"),
    (Cell(NUMBER, "few-shot", "cross-validation", pair=True), "bert"),
    (Cell(TAGS, "zero-shot", "cross-validation", "conll"), "llama-chat"),
    (Cell(TAGS, "few-shot", "held-out", "csv"), "t5"),
    (Cell(TAGS, "few-shot", "cross-validation"), "bart"),
    (Cell(SPAN, "zero-shot", "held-out", "csv"), "llama"),
    (Cell(SPAN, "few-shot", "cross-validation"), "bart"),
    (Cell(SPAN, "zero-shot"), "t5"),
    (Cell(WRITTEN, "zero-shot", format="json"), "llama-chat"),
    (Cell(WRITTEN, "few-shot", "cross-validation"), "bart"),
    (Cell(WRITTEN, "few-shot", "held-out", "parquet"), "gpt2"),
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
    told = {*result.metrics} - {"perplexity"}
    keys = [measure.key for measure in TASKS[cell.task].measures if measure.key in told]
    assert len(keys) > 1
    assert metrics["rows"] == result.data["measured_rows"]
    assert [metrics[key] for key in keys] == pytest.approx([result.metrics[key]["value"] for key in keys], rel=1e-4)
    kept = json.loads((folder / "prompt.json").read_text(encoding="utf-8"))
    sets = kept["examples"].values() if isinstance(kept["examples"], dict) else [kept["examples"]]
    assert {len(shown) for shown in sets} <= {4 if cell.strategy == "few-shot" else 0}
    if cell.split == "test-file":
        test, tokenizer = recipe["read_rows"](recipe["TEST"], recipe["TEST_SHA256"]), recipe["AutoTokenizer"]
        tokenizer = tokenizer.from_pretrained(folder / "language model")
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        answers = recipe["predict"](kept["examples"], test, recipe["load_model"](), tokenizer)
        lines = (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        predicted = [json.loads(line)["predicted"] for line in lines]
        if cell.task == SEVERAL:
            answers, predicted = [list(map(sorted, several)) for several in (answers, predicted)]
        assert answers == (pytest.approx(predicted, abs=1e-4) if cell.task == NUMBER else predicted)
    if "answers" in kept:
        assert len(kept["answers"]) == (2 if cell.task == SEVERAL else len(plan.labels) or len(recipe["levels"]()))
    assert "jinja2" in (folder / "requirements.txt").read_text(encoding="utf-8")


def test_recipes_are_clean_python_on_their_own(tiny: Path, model: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    folder = model("gpt2")
    for number, (cell, _) in enumerate([*CELLS, *MORE]):
        plan = written(cell, tmp_path / str(number), tiny, folder)
        source = recipe_documents(plan)["recipe.py"]
        assert "advisor" not in source
        (tmp_path / "all" / f"{number}.py").write_text(source, encoding="utf-8")
    # Lines of the prompt's template are as long as they are.
    assert faults_in(tmp_path / "all", "E501") == ""


def test_what_cannot_write_is_refused_where_answers_are_written(
    tiny: Path, model: Callable[[str], Path], tmp_path: Path, monkeypatch: Any
) -> None:
    written(Cell(TAGS, "zero-shot"), tmp_path, tiny, model("bert"))
    monkeypatch.setitem(sys.modules, "advisor", None)
    with pytest.raises(SystemExit, match="cannot write"):
        runpy.run_path(str(tmp_path / "a plan" / "recipe.py"), run_name="__main__")


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


def test_what_does_not_fit_is_left_out(
    tiny: Path, model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(Cell(SPAN, "few-shot"), tmp_path, tiny, model("gpt2"))
    monkeypatch.setitem(sys.modules, "advisor", None)
    recipe = runpy.run_path(str(tmp_path / "a plan" / "recipe.py"))
    tokenizer = recipe["AutoTokenizer"].from_pretrained(tmp_path / "a plan" / "language model")
    row = (("who?", "the parcel came early " * 300), [("the parcel", 0)])
    room = len(tokenizer(recipe["prompt_of"]([], (("who?", ""), []), tokenizer))["input_ids"]) + 100
    prompt = recipe["fitting"]([row], row, room, tokenizer)
    assert prompt.count("Question: who?") == 1
    assert room - 20 < len(tokenizer(prompt)["input_ids"]) <= room
    with pytest.raises(SystemExit, match="no room for the instruction"):
        recipe["fitting"]([], row, 3, tokenizer)


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


@pytest.mark.parametrize("task", [TEXT, SEVERAL, TAGS, WRITTEN])
def test_data_and_templates_are_never_code(task: str, tiny: Path, model: Callable[[str], Path], tmp_path: Path) -> None:
    plan = written(Cell(task, "zero-shot"), tmp_path, tiny, model("gpt2"))
    hostile = plan.model_copy(
        update={"labels": {'B-"); import os; ("': "{{ 7 * 7 }}", "b": None}, "project": '"""\nimport os'}
    )
    recipe = recipe_documents(hostile)["recipe.py"]
    compile(recipe, "recipe.py", "exec")
    assert "import os" not in {line.strip() for line in recipe.splitlines()}
