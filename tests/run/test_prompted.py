"""Runs that prompt a language model: in this process, or behind a server that the test starts."""

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.api import run_plan, write_plan
from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.errors import InputError, RunError
from advisor.plan.plan import Plan
from advisor.project import open_project
from advisor.run.predict import argument_rows, open_model, predict_rows
from tests.conftest import TEXTS
from tests.language_models import write_language_model
from tests.scripted_server import Server, serving

FEW = {"demonstrations": 2, "measured_rows": 4, "paid_rows": 4, "attacked_rows": 2, "verbalisers": 1}
KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_language_model(
        tmp_path_factory.mktemp("language") / "chat", "llama-chat", max_position_embeddings=2048
    )


@pytest.fixture
def planned(messages: Path, tiny_encoder: Path, tmp_path: Path) -> Any:
    def make(strategy: str, settings: dict[str, object], **options: Any) -> tuple[Plan, Path]:
        project = open_project(
            data=DataSource(messages),
            settings={"model.base": str(tiny_encoder), "lifecycle.feedback": "none", **settings},
        )
        folder = tmp_path / "plan"
        return write_plan(recommend(project.profile), project.data, folder, strategy=strategy, **options), folder

    return make


def served(server: Server, **more: object) -> dict[str, object]:
    return {
        "model.llm": "api", "model.llm_name": server.name, "model.llm_url": server.url,
        "constraints.data_may_leave": True, "constraints.air_gapped": False, "model.llm_usd_per_million_in": 1.0,
        "model.llm_usd_per_million_out": 2.0, "model.llm_key_variable": "ADVISOR_TEST_KEY", "model.llm_max_usd": 1.0,
        **more,
    }  # fmt: skip


def local(model: Path) -> dict[str, object]:
    return {"model.llm": "local", "model.llm_name": str(model)}


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["zero-shot", "few-shot"])
def test_a_model_in_this_process_answers_and_is_served(
    planned: Any, chat_model: Path, tmp_path: Path, strategy: str
) -> None:
    plan, folder = planned(strategy, local(chat_model), hyperparameters=FEW)
    assert (plan.engine, plan.prompting.url) == ("llm-local", None)
    assert plan.prompting.template in (folder / "report.html").read_text(encoding="utf-8").replace(
        "&#34;", '"'
    ).replace("&#39;", "'")
    result = run_plan(folder, tmp_path / "run")
    assert result.parity["largest_difference"] <= plan.evaluation["parity_tolerance"]
    assert result.chosen["measured_rows"] == 4
    assert {row["calibration"] for row in result.chosen["measured"]} >= {"none", "batch"}
    model = open_model(tmp_path / "run")
    answer = next(predict_rows(model, argument_rows(model, ["thank you very much"])))
    assert answer["label"] in TEXTS
    assert not list((tmp_path / "run" / "model").glob("*.safetensors"))


def test_a_server_answers_within_the_cap_and_the_key_is_nowhere(
    planned: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_TEST_KEY", KEY)
    with serving("vllm") as server:
        plan, folder = planned("few-shot", served(server), hyperparameters=FEW)
        assert (plan.engine, plan.model.sha256) == ("llm-api", None)
        assert plan.forecast["train_seconds"]["point"] > 0 < plan.forecast["train_usd"]["point"]
        assert plan.forecast["tokens_in"] and plan.forecast["usd_per_1000"]
        server.delay = 0.03
        result = result = run_plan(folder, tmp_path / "run")
        assert result.measured["latency_ms_p50"] >= 30
        assert server.repeated() == 0
        assert 0 < result.measured["tokens_in"] < 2000
        assert result.measured["usd_per_1000"] == pytest.approx(
            (result.measured["tokens_in"] + 2 * result.measured["tokens_out"]) / 1e3
        )
        assert 0 < result.measured["spent_usd"] <= 1.0
        assert {head["authorization"] for head in map(lowered, server.heads)} == {f"Bearer {KEY}"}
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_a_run_that_a_server_broke_off_goes_on_without_asking_twice(
    planned: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_TEST_KEY", KEY)
    with serving("ollama") as server:
        _, folder = planned("zero-shot", served(server), hyperparameters=FEW)
        server.faults = [""] * 5 + ["401"]
        with pytest.raises(RunError):
            run_plan(folder, tmp_path / "run")
        known = len((tmp_path / "run" / "answers.jsonl").read_text(encoding="utf-8").splitlines())
        assert known >= 5
        server.faults = []
        result = run_plan(folder, tmp_path / "run")
        assert result.resumed
        assert server.repeated() == 0


@pytest.mark.parametrize(
    "secret",
    [
        {"model.llm_url": "http://me:hunter2secret@127.0.0.1:1/v1"},
        {"model.llm_url": "http://127.0.0.1:1/v1?key=hunter2secret"},
        {"model.llm_key_variable": "sk-hunter2secret-0123456789"},
    ],
)
def test_a_secret_in_the_profile_comes_into_no_plan(planned: Any, tmp_path: Path, secret: dict[str, object]) -> None:
    with serving("vllm") as server:
        with pytest.raises(InputError, match=r"model\.llm_(url|key_variable)") as caught:
            planned("zero-shot", served(server, **secret))
        assert not server.heads
    assert "hunter2" not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_texts_stay_unless_the_profile_says_that_they_may_leave(planned: Any) -> None:
    with serving("vllm") as server:
        private = served(server, **{"constraints.data_may_leave": False})
        plan, _ = planned("zero-shot", private)
        assert plan.engine == "encoder"
        assert any("is not asked" in note for note in plan.notes)
        own = {**private, "model.llm": "local", "model.llm_key_variable": None}
        plan, _ = planned("zero-shot", own)
        assert (plan.engine, plan.prompting.url) == ("llm-local", server.url)
        assert not server.heads


@pytest.mark.slow
def test_a_language_model_teaches_a_probe(
    planned: Any, messages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_TEST_KEY", KEY)
    with (messages / "train.csv").open("a", encoding="utf-8") as file:
        file.writelines(f'"{text} once more",\n' for texts in TEXTS.values() for text in texts[:4])
    with serving("vllm") as server:
        plan, folder = planned("linear-probe", served(server), modifiers=["distillation"])
        assert (plan.engine, plan.teacher.engine) == ("encoder", "llm-api")
        result = run_plan(folder, tmp_path / "run")
        assert server.repeated() == 0
    assert result.chosen["distillation"]["asked"] == 4 * len(TEXTS)
    assert json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))["strategy"] == "linear-probe"


def test_what_cannot_be_asked_says_how_it_could(planned: Any, messages: Path) -> None:
    (messages / "test.csv").unlink()
    (messages / "train.csv").unlink()
    (messages / "train.jsonl").write_text(
        "".join(
            json.dumps({"premise": f"It rains {n}.", "hypothesis": "It is wet.", "label": ["yes", "no"][n % 2]}) + "\n"
            for n in range(12)
        )
    )
    with pytest.raises(InputError, match=r"name the language model by model\.llm_name"):
        planned("zero-shot", {"model.llm": "api", "task.type": "pair-classification"})


def lowered(head: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in head.items()}
