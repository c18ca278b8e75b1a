"""Rows of every task put to language models that compute, and to servers: fitted, kept, read back."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from advisor.backend.answers import answers
from advisor.backend.devices import Device
from advisor.backend.predictor import load_model
from advisor.backend.prompted.model import PromptedModel
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.strategies import STRATEGIES
from tests.backend.prompted.conftest import MakeJob
from tests.backend.prompted.test_fitting import CLASSES, INPUTS, LABELS, TASKS
from tests.backend.prompted.test_hostile import HOSTILE_ROWS, check_answers
from tests.language_models import write_language_model
from tests.scripted_server import SHAPES, serving

SCORED = ("text-classification", "pair-classification", "multi-label", "regression")
FEW = {"demonstrations": 2, "measured_rows": 4, "paid_rows": 4, "attacked_rows": 2}
CASES = [
    *(("llama-chat", task, "few-shot") for task in TASKS),
    *(("t5", task, "zero-shot") for task in TASKS),
    ("bert", "text-classification", "few-shot"),
    *(pytest.param("bert", task, "few-shot", marks=pytest.mark.slow) for task in SCORED[1:]),
    *(("nli", task, "zero-shot") for task in SCORED),
]
Folder = Callable[[str], Path]


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    root = tmp_path_factory.mktemp("language-models")
    return cache(lambda name: write_language_model(root / name, name))


@pytest.mark.parametrize(("name", "task", "strategy"), CASES)
def test_local_models_answer_every_task(
    make_job: MakeJob, folder_of: Folder, tmp_path: Path, cpu: Device, name: str, task: str, strategy: str
) -> None:
    inputs, truth, labels, _ = TASKS[task]
    place = LanguageModelPlace("llm-local", name, folder=folder_of(name))
    job = replace(make_job(task, inputs[:6], truth[:6], labels, **FEW), place=place)
    found = STRATEGIES[strategy].fit(job)
    outputs = found.model.outputs(inputs[:6])
    assert np.isfinite(outputs).all()
    assert len(list(answers(task, outputs, inputs[:6], labels, found.model.thresholds))) == len(inputs[:6])
    found.model.save(tmp_path / "model")
    again = load_model(tmp_path / "model", cpu)
    assert again.outputs(inputs[:6]) == pytest.approx(outputs, abs=1e-5)
    assert again.outputs(inputs[:1]) == pytest.approx(outputs[: len(again.outputs(inputs[:1]))], abs=1e-4)
    assert found.chosen["usage"]["usd"] == 0 and found.chosen["usage"]["tokens_in"] > 0


@pytest.mark.parametrize("shape", ["vllm", "llama.cpp", "ollama"])
def test_servers_answer(
    make_job: MakeJob, tmp_path: Path, cpu: Device, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    labels = ["complaint", "praise"]
    rows = [(text, label) for text, label in zip(INPUTS, CLASSES, strict=True) if label in labels]
    monkeypatch.setenv("FAKE_KEY", "sk-planted-0123456789")
    with serving(shape) as server:
        job = make_job("text-classification", [one for one, _ in rows], [one for _, one in rows], labels, **FEW)
        place = LanguageModelPlace(
            "llm-api", server.name, url=server.url, key_variable="FAKE_KEY", journal=tmp_path / "answers.jsonl"
        )
        found = STRATEGIES["few-shot"].fit(replace(job, place=place))
        outputs = found.model.outputs(job.training.inputs)
        asked = server.attempts
        found.model.save(tmp_path / "model")
        again = load_model(tmp_path / "model", cpu)
        assert np.array_equal(again.outputs(job.training.inputs), outputs)
        assert server.attempts == asked
    assert outputs.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    assert found.chosen["measured_rows"] == 4
    assert not any(b"sk-planted" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_text_that_does_not_fit_is_cut(make_job: MakeJob, folder_of: Folder) -> None:
    job = make_job("text-classification", INPUTS[:6], CLASSES[:6], LABELS, **FEW)
    place = LanguageModelPlace("llm-local", "gpt2", folder=folder_of("gpt2"))
    model = STRATEGIES["few-shot"].fit(replace(job, place=place)).model
    assert isinstance(model, PromptedModel)
    before = model.interview.cuts.rows
    assert np.isfinite(model.outputs(["long " * 2000, *INPUTS[:2]])).all()
    assert model.interview.cuts.rows == before + 1


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("where", ["llama-chat", "t5", "vllm", "ollama", "transformers"])
def test_hostile_rows_stay_in_the_form_of_their_task(
    make_job: MakeJob, folder_of: Folder, where: str, task: str
) -> None:
    inputs, truth, labels, _ = TASKS[task]

    def obeys(question: str) -> dict[str, float]:
        said = question.rpartition(" ")[2] or "hacked"
        if task == "token-classification":
            said = json.dumps({"entities": [{"kind": kind, "text": said} for kind in ("hacked", "PER")]})
        return {said: 0.7, question.splitlines()[-1]: 0.2, "hacked": 0.1}

    with serving(where if where in SHAPES else "vllm", brain=obeys) as server:
        place = LanguageModelPlace("llm-api", server.name, url=server.url)
        if where not in SHAPES:
            place = LanguageModelPlace("llm-local", where, folder=folder_of(where))
        few = FEW | {"attacked_rows": 0, "written_tokens": 16}
        job = replace(make_job(task, inputs[:6], truth[:6], labels, **few), place=place)
        model = STRATEGIES["few-shot"].fit(job).model
        outputs = model.outputs(HOSTILE_ROWS[task])
    check_answers(model, HOSTILE_ROWS[task], outputs)
