"""Recipes run: every cell in a process that has no advisor, and its model answers as that of the run does."""

import json
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.backend.devices import Device
from advisor.backend.predictor import load_model
from advisor.plan.plan import Plan
from advisor.run.execute import execute
from advisor.run.prepare import prepare
from advisor.strategies import EXECUTABLE, STRATEGIES
from advisor.tasks import TASKS
from tests.own_code import write_own_code
from tests.report.recipe_cells import Cell, run_recipes, write_cell
from tests.tiny import write_tiny_encoder

CPU = Device("cpu", "fp32", "for tests")
FULL, PARTIAL, LP_FT, LORA, PAIRS = "full-fine-tuning", "partial-unfreezing", "lp-ft", "lora", "contrastive"
PROBE, ZERO, FEW = "linear-probe", "zero-shot", "few-shot"
TEXT, SEVERAL, PAIR, NUMBER, TAGS, SPAN, *_ = TASKS
CELLS = [
    Cell(TEXT, ZERO, "cross-validation", "parquet"),
    Cell(TEXT, ZERO, settings={"centring": 0}),
    Cell(TEXT, FEW, "held-out", "tsv"),
    Cell(TEXT, FEW, "cross-validation"),
    Cell(TEXT, PROBE, "cross-validation", "csv", seeds=3),
    Cell(TEXT, PROBE, "held-out", weights="balanced", settings={"layers": "best"}),
    Cell(TEXT, PARTIAL, settings={"layer_decay": 0.8, "gradual_share": 0.4, "trained_share": 0.5}),
    Cell(TEXT, LORA, settings={"layer_decay": 0.8, "gradual_share": 0.4, "export": "adapter"}),
    Cell(TEXT, PAIRS, "held-out", "csv", settings={"batch_tokens": 64}),
    Cell(TEXT, LP_FT, "held-out", "json"),
    Cell(TEXT, FULL, "cross-validation", "parquet", validation=0.0, seeds=2),
    Cell(TEXT, FULL, "held-out", "csv", weights="balanced", settings={"long_texts": "head-tail", "schedule": "cosine"}),
    Cell(SEVERAL, ZERO, "held-out"),
    Cell(SEVERAL, ZERO, "test-file", "parquet", settings={"centring": 0}),
    Cell(SEVERAL, FEW, "held-out", "csv"),
    Cell(SEVERAL, PROBE, "held-out", "csv"),
    Cell(SEVERAL, PARTIAL, "held-out", "parquet", weights="balanced"),
    Cell(SEVERAL, LORA, settings={"long_texts": "windows"}),
    Cell(SEVERAL, PAIRS, "cross-validation", "tsv"),
    Cell(SEVERAL, LP_FT, "cross-validation", "csv", validation=0.0),
    Cell(SEVERAL, FULL),
    Cell(PAIR, PROBE, settings={"long_texts": "windows"}),
    Cell(PAIR, PARTIAL, "held-out", "csv"),
    Cell(PAIR, LORA, settings={"export": "adapter"}),
    Cell(PAIR, LP_FT, "cross-validation", "parquet"),
    Cell(PAIR, FULL),
    Cell(NUMBER, PROBE, "held-out", pair=True, settings={"long_texts": "head-tail"}),
    Cell(NUMBER, PROBE, settings={"layers": "mean"}),
    Cell(NUMBER, PARTIAL, "held-out", "csv"),
    Cell(NUMBER, LORA, pair=True),
    Cell(NUMBER, LP_FT, "cross-validation", "csv"),
    Cell(NUMBER, FULL, "test-file", "parquet"),
    Cell(TAGS, PROBE, "cross-validation", "conll", settings={"word_layers": "last"}),
    Cell(TAGS, PROBE, settings={"most_words": 100}),
    Cell(TAGS, PARTIAL, "cross-validation", "csv"),
    Cell(TAGS, LORA, "test-file", "parquet"),
    Cell(TAGS, LP_FT, "held-out", "conll"),
    Cell(TAGS, FULL, weights="balanced"),
    Cell(SPAN, PARTIAL, "held-out", "csv"),
    Cell(SPAN, LORA, "test-file", "parquet"),
    Cell(SPAN, FULL, "cross-validation", "json"),
    Cell(SPAN, FULL),
]
ARCHITECTURES = {
    "gpt2": [Cell(TEXT, LORA), Cell(NUMBER, LP_FT), Cell(TEXT, PROBE), Cell(TAGS, PARTIAL)],
    "roberta": [Cell(TAGS, FULL), Cell(PAIR, FULL), Cell(SPAN, LORA)],
    "modernbert": [Cell(TEXT, FULL), Cell(TAGS, PROBE)],
    "deberta-v2": [Cell(SEVERAL, LORA), Cell(SPAN, FULL)],
    "distilbert": [Cell(TEXT, PARTIAL), Cell(TEXT, PAIRS)],
}
QUICK = [Cell(TAGS, FULL), Cell(SEVERAL, PROBE), Cell(SPAN, PARTIAL)]
EXACT = (ZERO, FEW)
TOLERANCES = {PROBE: 0.15, LP_FT: 0.05, LORA: 5e-3, PAIRS: 5e-3}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("an encoder") / "tiny encoder")


@dataclass
class Places:
    """Plan folders, and what their recipes said.

    Attributes:
        cells: folder and plan of every cell.
        architectures: folders of cells on encoders of other types, by name.
        changed: one whose data were changed after the plan was made.
        agreed, not_agreed: two whose model brings code of its own.
    """

    cells: dict[Cell, tuple[Path, Plan]]
    architectures: dict[str, Path]
    changed: Path
    agreed: Path
    not_agreed: Path
    said: dict[Path, dict[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def places(tiny: Path, architecture: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Everything that is run: all in one process, for the imports take longer than the recipes."""

    def written(cell: Cell, encoder: Path) -> tuple[Path, Plan]:
        place = tmp_path_factory.mktemp("a cell")
        plan = write_cell(cell, place, encoder)
        return place / "a plan", plan

    others = {
        f"{name}-{cell}": written(cell, architecture(name, head=True))[0]
        for name, some in ARCHITECTURES.items()
        for cell in some
    }
    changed, _ = written(Cell(TEXT, FEW, "held-out", "csv"), tiny)
    with (changed.parent / "my data" / "train.csv").open("a", encoding="utf-8") as file:
        file.write("1,more,praise\n")
    own = write_own_code(tmp_path_factory.mktemp("own") / "model")
    with_code = [written(Cell(TEXT, FULL), own)[0] for _ in range(2)]
    made = Places({cell: written(cell, tiny) for cell in CELLS}, others, changed, *with_code)
    folders = [*(folder for folder, _ in made.cells.values()), *others.values(), changed, *with_code]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
        made.said = run_recipes(folders, {made.agreed: "--trust-remote-code"})
    return made


def test_every_cell_has_a_recipe_that_is_run() -> None:
    there = {(task, name) for task in TASKS for name in EXECUTABLE if STRATEGIES[name].handles(task, "encoder")}
    assert {(cell.task, cell.strategy) for cell in CELLS} == there


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_recipe_does_what_the_run_does(
    cell: Cell, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, plan = places.cells[cell]
    assert not places.said[folder]["error"], places.said[folder]["error"]
    agrees(cell, plan, folder, tmp_path / "run", monkeypatch)


@pytest.mark.parametrize("cell", QUICK, ids=str)
def test_a_recipe_runs_by_itself(cell: Cell, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = write_cell(cell, tmp_path, tiny)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "advisor", None)
        runpy.run_path(str(tmp_path / "a plan" / "recipe.py"), run_name="__main__")
    agrees(cell, plan, tmp_path / "a plan", tmp_path / "run", monkeypatch)


def agrees(cell: Cell, plan: Plan, folder: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the plan; compare rows, metrics and what the two models say."""
    monkeypatch.setattr("advisor.run.execute.check_parity", lambda *arguments, **options: 0.0)
    for module in ("fits", "execute"):  # recipes compute in fp32
        monkeypatch.setattr(f"advisor.run.{module}.choose_device", lambda: CPU)
    result = execute(plan, folder, run)
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    keys = [measure.key for measure in TASKS[cell.task].measures]
    assert [key for key in metrics if key in keys] == keys
    assert metrics["rows"] == result.data["measured_rows"]
    if cell.strategy in EXACT and cell.split != "cross-validation":
        assert [metrics[key] for key in keys] == pytest.approx([result.metrics[key]["value"] for key in keys])
    if cell.seeds > 1:
        assert {*metrics["seeds"]} == {str(plan.seed), *result.seeds}

    ours, theirs = load_model(folder / "model", CPU), load_model(run / "model", CPU)
    assert ours.labels == theirs.labels
    inputs = prepare(plan, folder).measured.inputs
    said, expected = ours.outputs(inputs), theirs.outputs(inputs)
    assert said.shape == expected.shape
    if cell.task == SPAN:
        assert (said[:, :2] == expected[:, :2]).mean() > 0.7
    else:
        assert np.abs(said - expected).max() < TOLERANCES.get(cell.strategy, 1e-3)
    assert (ours.thresholds is None) == (theirs.thresholds is None)


@pytest.mark.slow
def test_changed_data_are_refused_in_one_sentence(places: Places) -> None:
    error = places.said[places.changed]["error"]
    assert error.endswith("is missing or changed since the plan was made; put it back or make the plan again")
    assert not (places.changed / "model").exists()


@pytest.mark.slow
def test_other_architectures_have_recipes_too(places: Places) -> None:
    errors = {name: places.said[folder]["error"] for name, folder in places.architectures.items()}
    assert errors == dict.fromkeys(errors, "")


@pytest.mark.slow
def test_code_that_comes_with_a_model_runs_where_one_agrees(places: Places) -> None:
    assert "read it, then say --trust-remote-code" in places.said[places.not_agreed]["error"]
    assert places.said[places.agreed]["error"] == ""
    assert (places.agreed / "model" / "model.safetensors").exists()
