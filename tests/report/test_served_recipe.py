"""Recipes that prompt by a server: run by themselves against one, they answer as the run does, and pay once."""

import json
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from advisor.backend.devices import Device
from advisor.backend.prompted.label_words import label_words
from advisor.backend.prompted.templates import prompt_template
from advisor.estimates.forecast import default_settings
from advisor.plan.plan import Plan
from advisor.report.recipe import recipe_documents
from advisor.run.execute import execute
from advisor.tasks import TASKS
from tests.report.recipe_cells import Cell, faults_in, write_cell
from tests.scripted_server import Server, serving
from tests.tiny import write_tiny_encoder

CPU = Device("cpu", "fp32", "for tests")
TEXT, SEVERAL, PAIR, NUMBER, TAGS, SPAN, WRITTEN, *_ = TASKS
KEY = "sk-planted-0123456789abcdef"
ONE_WAY = {"selections": ["fixed"], "orders": ["forward"], "calibrations": ["none"], "paid_rows": 0}
ONE_WAY |= {"attacked_rows": 0, "demonstrations": 4, "first_wait_seconds": 0.01, "timeout_seconds": 2}
CELLS = [
    (Cell(TEXT, "zero-shot", format="csv"), "vllm"),
    (Cell(TEXT, "few-shot", "held-out"), "ollama"),
    (Cell(TEXT, "few-shot", "cross-validation"), "transformers"),
    (Cell(PAIR, "few-shot"), "few-likeliest"),
    (Cell(PAIR, "zero-shot", "cross-validation"), "uncounted"),
    (Cell(SEVERAL, "few-shot", settings={"paid_rows": 0}), "transformers"),
    (Cell(SEVERAL, "zero-shot", "held-out", settings={"label_sets": "each"}), "ollama"),
    (Cell(NUMBER, "zero-shot", pair=True), "ollama"),
    (Cell(NUMBER, "few-shot", "cross-validation"), "transformers"),
    (Cell(TAGS, "few-shot", "held-out"), "ollama"),
    (Cell(TAGS, "zero-shot", format="conll"), "transformers"),
    (Cell(SPAN, "few-shot", "cross-validation"), "uncounted"),
    (Cell(SPAN, "zero-shot", "held-out"), "transformers"),
    (Cell(WRITTEN, "zero-shot", "cross-validation", "json"), "ollama"),
    (Cell(WRITTEN, "few-shot"), "vllm"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("an encoder") / "tiny")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SERVERS_KEY", KEY)


def written(cell: Cell, place: Path, encoder: Path, server: Server, **terms: Any) -> Plan:
    """Write data, and a plan that prompts a server's model with its recipe; let the server know the labels."""
    of_encoder = write_cell(cell, place, encoder)
    settings = default_settings(cell.strategy, "llm-api").model_dump(mode="json") | ONE_WAY | cell.settings
    terms = {"url": server.url, "key_variable": "A_SERVERS_KEY", "max_usd": 5, **terms}
    content = of_encoder.model_dump(by_alias=True, mode="json") | {
        "engine": "llm-api",
        "hyperparameters": settings,
        "prompting": {
            "encoder": "encoder", "template": prompt_template(cell.task), "usd_per_million_in": 1.0,
            "usd_per_million_out": 2.0, **terms,
        },
    }  # fmt: skip
    content["model"] = {"id": server.name, "discarded_head": "none", "task_head": "none", "max_length": 4000}
    plan = Plan.model_validate(content)
    server.brain = brain(cell, plan)
    for name, text in recipe_documents(plan).items():
        (place / "a plan" / name).write_text(text, encoding="utf-8")
    return plan


def brain(cell: Cell, plan: Plan) -> Callable[[str], dict[str, float]]:
    """Return what answers each question in the form that the task needs, otherwise by its bytes alone."""
    words = [one.word for one in label_words(list(plan.labels), {})]
    if cell.settings.get("label_sets"):
        words = ["no", "yes"]
    if cell.task == NUMBER:
        words = ["6", "7", "8", "9", "10"]

    def say(question: str) -> dict[str, float]:
        asked = re.split("\n\n(?:Answer with|Copy the)", question)[0]
        own = sum(asked.encode())
        match cell.task:
            case "token-classification":
                _, first, second, *_ = [*asked.split(), "", "", ""]
                found = [{"kind": "long", "text": f"{first} {second}"}, {"kind": "small", "text": "not there"}]
                return {json.dumps({"entities": found[: 1 + own % 2]}): 1.0}
            case "question-answering":
                context = asked.partition("Context: ")[2].split("\n")[0].split()
                return {" ".join(context[own % 3 :]).upper(): 1.0}
            case "generation":
                return {" ".join(asked.split()[-3:]): 1.0}
            case "multi-label" if not cell.settings.get("label_sets"):
                return {f"{words[own % len(words)]}; long; nonsense": 1.0}
        return {word: 0.8 if number == own % len(words) else 0.2 / len(words) for number, word in enumerate(words)}

    return say


def run_recipe(folder: Path, monkeypatch: pytest.MonkeyPatch, *absent: str) -> dict[str, Any]:
    with monkeypatch.context() as without:
        for module in ("advisor", *absent):
            without.setitem(sys.modules, module, None)
        return runpy.run_path(str(folder / "recipe.py"), run_name="__main__")


@pytest.mark.parametrize(("cell", "shape"), CELLS, ids=str)
def test_a_recipe_answers_as_the_run_does(
    cell: Cell, shape: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(shape) as server:
        plan = written(cell, tmp_path, tiny, server)
        folder = tmp_path / "a plan"
        run_recipe(folder, monkeypatch, *(["torch"] if cell.task != NUMBER else []))  # SciPy looks for it
        asked = len(server.bodies)
        run_recipe(folder, monkeypatch)
        assert len(server.bodies) == asked
        assert {head["Authorization"] for head in server.heads} == {f"Bearer {KEY}"}
        monkeypatch.setattr("advisor.run.execute.check_parity", lambda *arguments, **options: 0.0)
        for module in ("fits", "execute"):
            monkeypatch.setattr(f"advisor.run.{module}.choose_device", lambda: CPU)
        host = server.url.removeprefix("http://").removesuffix("/v1")
        result = execute(plan, folder, tmp_path / "run", allowed_hosts=[host])
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    keys = [measure.key for measure in TASKS[cell.task].measures]
    assert metrics["rows"] == result.data["measured_rows"]
    if cell.task == NUMBER:
        keys.remove("rmse")  # the run takes an answer for probable, the recipe for certain
    keys = [key for key in keys if key in result.metrics]
    assert [metrics[key] for key in keys] == pytest.approx([result.metrics[key]["value"] for key in keys], rel=1e-4)
    requirements = (folder / "requirements.txt").read_text(encoding="utf-8")
    assert "httpx2" in requirements
    assert "torch" not in requirements
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path


def test_a_recipe_has_patience(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("ollama", faults=["500", "429 0.01", "truncated", "html", "no-choices", "broken-off"]) as server:
        written(Cell(TEXT, "zero-shot"), tmp_path, tiny, server, key_variable=None)
        run_recipe(tmp_path / "a plan", monkeypatch)
        assert server.repeated() == 0


@pytest.mark.parametrize(
    ("faults", "terms", "said"),
    [
        (["401"] * 9, {}, "see to the address and the key"),
        (["redirect http://127.0.0.1:1/v1"] * 9, {}, "see to the address and the key"),
        (["400"] * 99, {}, "refuses requests"),
        (["500"] * 99, {}, "failed 6 times in a row"),
        ([], {"max_usd": 0.001}, r"could exceed 0\.001 USD"),
        ([], {"key_variable": "NO_SUCH_KEY"}, "set the environment variable NO_SUCH_KEY"),
    ],
)
def test_a_recipe_stops_with_a_sentence(
    faults: list[str], terms: dict[str, Any], said: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving("ollama", faults=faults) as server:
        written(Cell(TEXT, "zero-shot"), tmp_path, tiny, server, **terms)
        with pytest.raises(SystemExit, match=said):
            run_recipe(tmp_path / "a plan", monkeypatch)


def test_recipes_are_clean_python_on_their_own(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    for number, (cell, shape) in enumerate(CELLS):
        free = {"max_usd": None} if number % 2 else {"key_variable": None}
        with serving(shape) as server:
            written(cell, tmp_path / str(number), tiny, server, **free)
        source = (tmp_path / str(number) / "a plan" / "recipe.py").read_text(encoding="utf-8")
        (tmp_path / "all" / f"{number}.py").write_text(source, encoding="utf-8")
        assert "advisor" not in source
    # Lines of the prompt's template are as long as they are.
    assert faults_in(tmp_path / "all", "E501") == ""


@pytest.mark.parametrize("task", [TEXT, SEVERAL, TAGS, WRITTEN])
def test_data_and_addresses_are_never_code(task: str, tiny: Path, tmp_path: Path) -> None:
    with serving("ollama") as server:
        plan = written(Cell(task, "zero-shot"), tmp_path, tiny, server)
    assert plan.prompting is not None
    terms = plan.prompting.model_copy(update={"url": 'http://h/v1"); import os; ("', "key_variable": "A\nimport os"})
    hostile = plan.model_copy(update={"prompting": terms, "labels": {'B-"""\nimport os': "{{ 7 * 7 }}", "b": None}})
    recipe = recipe_documents(hostile)["recipe.py"]
    compile(recipe, "recipe.py", "exec")
    assert "import shutil" not in recipe
    assert not any(line.strip().startswith("import os;") for line in recipe.splitlines())
