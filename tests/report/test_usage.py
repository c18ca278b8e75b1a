"""The lines of Python that a card gives for a whole model, carried out as they stand."""

import ast
import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.backend.adapter_settings import LoraSettings
from advisor.backend.adapters import AdaptedModel, add_adapters
from advisor.backend.devices import Device
from advisor.backend.new_head import with_new_head
from advisor.backend.objectives import objective_for
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import ReadingSettings
from advisor.estimates.forecast import default_settings
from advisor.knowledge.hyperparameters import default_values
from advisor.report.usage import adapter_usage, pipeline_usage
from advisor.tasks import Pair
from tests.tiny import write_tiny_encoder

pytestmark = pytest.mark.parametrize("adapter", [False, True], ids=["whole", "adapter"])
LABELS = {
    "text-classification": ["no", "yes"],
    "multi-label": ["a", "b", "c"],
    "pair-classification": ["no", "yes"],
    "regression": [],
    "token-classification": ["O", "B-X", "I-X"],
    "question-answering": [],
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("usage") / "encoder")


def printed(
    encoder: Path, task: str, folder: Path, monkeypatch: pytest.MonkeyPatch, adapter: bool, **typed: str
) -> tuple[TunedModel, Any]:
    """The model, and what its lines print with a text in each place of ``…``."""
    values = default_values("full-fine-tuning")
    reading = ReadingSettings(**{name: values[name] for name in ReadingSettings.model_fields})
    model = with_new_head(encoder, objective_for(task, LABELS[task], reading), Device("cpu", "fp32", ""), seed=1)
    if task == "multi-label":
        model.thresholds = np.array([0.0, 0.999, 0.0], dtype=np.float32)
    if adapter:
        settings = default_settings("lora")
        assert isinstance(settings, LoraSettings)
        add_adapters(model.model, settings, seed=1, base=encoder)
        model = AdaptedModel.around(model, encoder, settings)
    model.save(folder / "model")
    lines = (adapter_usage if adapter else pipeline_usage)(task, pairs=task == "pair-classification")
    for text in typed.values():
        lines = lines.replace("…", text, 1)
    monkeypatch.chdir(folder)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="peft|transformers")
        exec(compile(lines, "usage", "exec"), {})
    return model, out.getvalue().strip()


def test_classes(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: bool) -> None:
    model, said = printed(encoder, "text-classification", tmp_path, monkeypatch, adapter, text="works well")
    scores = {row["label"]: row["score"] for row in ast.literal_eval(said)[0]}
    expected = model.outputs(["works well"])[0]
    assert [scores["no"], scores["yes"]] == pytest.approx(expected.tolist(), abs=1e-5)


def test_pairs(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: bool) -> None:
    model, said = printed(
        encoder, "pair-classification", tmp_path, monkeypatch, adapter, first="works well", second="it broke"
    )
    (rows,) = ast.literal_eval(said)
    expected = model.outputs([Pair("works well", "it broke")])[0]
    assert {row["label"]: row["score"] for row in rows}["yes"] == pytest.approx(expected[1], abs=1e-5)


def test_label_sets_with_their_thresholds(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: bool
) -> None:
    model, said = printed(encoder, "multi-label", tmp_path, monkeypatch, adapter, text="works well")
    scores = {row["label"]: row["score"] for row in ast.literal_eval(said)}
    expected = model.outputs(["works well"])[0]
    assert scores == pytest.approx({"a": expected[0], "c": expected[2]}, abs=1e-5)


def test_numbers(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: bool) -> None:
    model, said = printed(encoder, "regression", tmp_path, monkeypatch, adapter, text="works well")
    assert ast.literal_eval(said)[0]["score"] == pytest.approx(model.outputs(["works well"])[0, 0], abs=1e-5)


def test_tags(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: bool) -> None:
    _, said = printed(encoder, "token-classification", tmp_path, monkeypatch, adapter, text="works well")
    assert "entity_group" in said or said in ("[[]]", "[]")


def test_answers(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: bool) -> None:
    context = "it arrived broken and late, worst support I have ever had"
    model, said = printed(
        encoder, "question-answering", tmp_path, monkeypatch, adapter, question="when?", context=context
    )
    start, end, _ = model.outputs([Pair("when?", context)])[0]
    assert said == context[int(start) : int(end)]
