"""The models of a run: what changed since the plan was made is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.api import run_plan, write_plan
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.errors import InputError
from advisor.plan.plan import Plan, read_plan
from advisor.project import open_project
from advisor.run.models import Models
from tests.language_models import write_language_model
from tests.task_samples import ROWS, write_rows


@pytest.fixture
def planned(tiny_encoder: Path, tmp_path: Path) -> Plan:
    folder = write_language_model(tmp_path / "model", "llama-chat")
    data = write_rows(tmp_path / "rows.jsonl", ROWS["generation"])
    told = {"model.base": str(tiny_encoder), "model.llm": "local", "model.llm_name": str(folder)}
    project = open_project(data=DataSource(data), settings=told | {"lifecycle.feedback": "none"})
    return write_plan(recommend(project.profile), project.data, tmp_path / "plan", strategy="zero-shot")


def place(plan: Plan, folder: Path) -> LanguageModelPlace | None:
    return Models(plan, folder / "plan", folder / "answers.jsonl").place


def rewritten(name: str) -> Callable[[Path], object]:
    return lambda model: (model / name).write_bytes((model / name).read_bytes() + b" ")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (rewritten("chat_template.jinja"), "chat_template.jinja changed since the plan was made"),
        (rewritten("generation_config.json"), "generation_config.json changed since the plan was made"),
        (lambda model: (model / "generation_config.json").unlink(), "generation_config.json is missing since"),
        (lambda model: (model / "added_tokens.json").write_text("{}"), "added_tokens.json was added since"),
        (lambda model: [rewritten(name)(model) for name in ("chat_template.jinja", "tokenizer.json")],
         r"chat_template.jinja \(and 1 more\) changed"),
    ],
)  # fmt: skip
def test_a_changed_file_of_a_language_model_is_named(
    planned: Plan, tmp_path: Path, change: Callable[[Path], object], named: str
) -> None:
    found = place(planned, tmp_path)
    assert found is not None and found.folder == (tmp_path / "model").resolve()
    change(tmp_path / "model")
    with pytest.raises(InputError, match=named):
        place(planned, tmp_path)


def test_a_run_refuses_a_changed_chat_template(planned: Plan, tmp_path: Path) -> None:
    assert "chat_template.jinja" in read_plan(tmp_path / "plan").model.files
    rewritten("chat_template.jinja")(tmp_path / "model")
    with pytest.raises(InputError, match=r"chat_template\.jinja changed since the plan was made; put the folder back"):
        run_plan(tmp_path / "plan", tmp_path / "run")


def test_a_plan_that_names_no_files_still_runs(planned: Plan, tmp_path: Path) -> None:
    rewritten("chat_template.jinja")(tmp_path / "model")
    older = planned.model_copy(update={"model": planned.model.model_copy(update={"files": {}})})
    assert place(older, tmp_path) is not None
