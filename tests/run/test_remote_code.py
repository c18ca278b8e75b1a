"""Python code that comes with a model: it runs only where it is pinned and a person agrees."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.api import run_plan, write_plan
from advisor.backend import remote_code
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.predictor import load_model
from advisor.backend.remote_code import allow, allowed
from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.errors import InputError
from advisor.knowledge.weights import locate_model
from advisor.plan.plan import Plan
from advisor.project import open_project
from advisor.run.predict import open_model, predict_rows
from tests.architectures import SENTENCES
from tests.own_code import write_own_code

CPU = Device("cpu", "fp32", "for tests")


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where transformers copies such code to; one place, since Python remembers where it found the package."""
    return str(tmp_path_factory.mktemp("modules"))


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, modules: str) -> None:
    from transformers import dynamic_module_utils

    monkeypatch.setattr(remote_code, "_ALLOWED", set())
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", modules)
    monkeypatch.setenv("HF_MODULES_CACHE", modules)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_own_code(tmp_path / "own")


def planned(model: Path, messages: Path, folder: Path, strategy: str, *, trust: bool = True) -> Plan:
    settings = {"model.base": str(model), "model.trust_remote_code": trust}
    project = open_project(data=DataSource(messages), settings=settings)
    short = {"epochs": 0.1, "min_steps": 3} if strategy == "full-fine-tuning" else {}
    return write_plan(recommend(project.profile), project.data, folder, strategy=strategy, hyperparameters=short)


def test_code_that_nobody_agreed_to_does_not_run(model: Path) -> None:
    with pytest.raises(InputError, match="Python code of its own; read that, then allow it by --trust-remote-code"):
        Encoder.load(model, CPU)
    allow(model)
    assert allowed(model)
    assert not allowed(model.parent)
    assert Encoder.load(model, CPU).embed(SENTENCES).shape == (30, 32)


def test_the_code_of_a_folder_is_pinned(model: Path) -> None:
    assert locate_model(str(model)).code_sha256 is None
    before = locate_model(str(model), trust_remote_code=True).code_sha256
    assert before is not None
    with (model / "modeling_own.py").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert locate_model(str(model), trust_remote_code=True).code_sha256 != before


@pytest.mark.parametrize("revision", [None, "main", "abc1234", "0" * 39])
def test_code_from_the_hub_needs_a_whole_commit(revision: str | None) -> None:
    with pytest.raises(InputError, match="only from a pinned commit; name all 40 digits"):
        locate_model("owner/name", revision, trust_remote_code=True)


def test_code_of_another_repository_is_refused(model: Path) -> None:
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config["auto_map"]["AutoModel"] = "someone/else--modeling_own.OwnModel"
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(InputError, match="its code lies in another repository, someone/else"):
        locate_model(str(model), trust_remote_code=True)


def test_a_plan_says_so_and_its_run_needs_agreement(model: Path, messages: Path, tmp_path: Path) -> None:
    plan = planned(model, messages, tmp_path / "plan", "linear-probe")
    assert plan.model.trust_remote_code
    assert plan.model.code_sha256
    with pytest.raises(InputError, match="the plan runs Python code that comes with"):
        run_plan(plan, tmp_path / "run", plan_folder=tmp_path / "plan")
    with (model / "configuration_own.py").open("a", encoding="utf-8") as file:
        file.write("\nraise SystemExit\n")
    with pytest.raises(InputError, match="its Python code changed since the plan was made"):
        run_plan(plan, tmp_path / "run", plan_folder=tmp_path / "plan", trust_remote_code=True)


def test_a_plan_without_the_setting_stops_before_the_code(model: Path, messages: Path, tmp_path: Path) -> None:
    plan = planned(model, messages, tmp_path / "plan", "linear-probe", trust=False)
    assert plan.model.code_sha256 is None
    with pytest.raises(InputError, match="allow it by --trust-remote-code"):
        run_plan(plan, tmp_path / "run", plan_folder=tmp_path / "plan", trust_remote_code=True)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["linear-probe", "full-fine-tuning"])
def test_with_agreement_it_runs_and_serves(
    model: Path, messages: Path, tmp_path: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(model, messages, tmp_path / "plan", strategy)
    run = tmp_path / "run"
    result = run_plan(plan, run, plan_folder=tmp_path / "plan", trust_remote_code=True)
    assert result.parity["largest_difference"] <= plan.evaluation["parity_tolerance"]
    assert {"configuration_own.py", "modeling_own.py"} <= {path.name for path in (run / "model").iterdir()}
    assert "trust_remote_code=True" in (run / "README.md").read_text(encoding="utf-8")
    monkeypatch.setattr(remote_code, "_ALLOWED", set())
    with pytest.raises(InputError, match="--trust-remote-code"):
        open_model(run)
    served = open_model(run, trust_remote_code=True)
    rows: list[dict[str, Any]] = [{"text": text} for text in SENTENCES[:4]]
    found = [row["probabilities"] for row in predict_rows(served, rows)]
    again = load_model(run / "model", CPU)
    np.testing.assert_allclose(
        [[row[label] for label in again.labels] for row in found], again.outputs(SENTENCES[:4]), atol=1e-2
    )
