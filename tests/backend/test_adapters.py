"""Low-rank adapters: what learns, and that merged and kept adapters answer alike, here and through PEFT."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline

from advisor.backend.adapter_settings import LoraSettings
from advisor.backend.adapters import adapted_layers, add_adapters, hub_name
from advisor.backend.checkpoint import LAST, read_checkpoint
from advisor.backend.devices import Device
from advisor.backend.predictor import load_model
from advisor.backend.rows import Rows
from advisor.errors import RunError
from advisor.estimates.forecast import default_settings
from advisor.run import reload
from advisor.strategies import STRATEGIES, FitJob, Fitted
from tests.architectures import ARCHITECTURES, SENTENCES, few, task_rows

Architecture = Callable[..., Path]
LABELS = ["praise", "complaint", "question"]
ROWS = Rows(SENTENCES, np.repeat(np.arange(3), 10), list(range(30)))
TEXTS = [*SENTENCES[::4], "the parcel " * 60]


@pytest.fixture
def fit(architecture: Architecture, cpu: Device, tmp_path: Path) -> Callable[..., Fitted]:
    def run(encoder: str | Path, workspace: str = "work", event: Any = None, **changes: Any) -> Fitted:
        short = {"epochs": 0.1, "min_steps": 3, "rank": 4, "alpha": 8, "head_c": 1.0}
        job = FitJob(
            task="text-classification",
            encoder=architecture(encoder, head=True) if isinstance(encoder, str) else encoder,
            labels=LABELS,
            descriptions={},
            training=ROWS,
            validation=None,
            settings=default_settings("lora").model_copy(update=short | changes),
            seed=1,
            device=cpu,
            workspace=tmp_path / workspace,
            cache=None,
            event=event or (lambda event: None),
        )
        return STRATEGIES["lora"].fit(job)

    return run


@pytest.mark.parametrize("name", few("bert", "albert"))
def test_merged_and_kept_adapters_answer_alike(
    fit: Callable[..., Fitted], cpu: Device, tmp_path: Path, name: str
) -> None:
    kept, merged = fit(name, export="adapter").model, fit(name, workspace="other").model
    wanted = merged.outputs(TEXTS)
    assert np.ptp(wanted, axis=0).max() > 0.01
    np.testing.assert_allclose(kept.outputs(TEXTS), wanted, atol=1e-5)
    kept.save(tmp_path / "adapter")
    merged.save(tmp_path / "merged")
    for folder in ("adapter", "merged"):
        np.testing.assert_allclose(load_model(tmp_path / folder, cpu).outputs(TEXTS), wanted, atol=1e-5)
    assert not any("lora" in key for key in load_file(tmp_path / "merged" / "model.safetensors"))
    classify = pipeline("text-classification", model=str(tmp_path / "merged"), device="cpu")
    rows = [{entry["label"]: entry["score"] for entry in row} for row in classify(TEXTS, top_k=None, truncation=True)]
    np.testing.assert_allclose([[row[label] for label in LABELS] for row in rows], wanted, atol=1e-4)


@pytest.mark.parametrize("name", ["deberta-v2", "modernbert", "albert", "gpt2", "pooled"])
def test_a_kept_adapter_loads_with_peft_as_documented(
    fit: Callable[..., Fitted], make_encoder: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    from peft import PeftModel

    fitted = fit(make_encoder("bert", "mean") if name == "pooled" else name, export="adapter")
    fitted.model.save(tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "config.json", "tokenizer.json"} <= names
    assert "model.safetensors" not in names
    base_name = json.loads((tmp_path / "model" / "adapter_config.json").read_text())["base_model_name_or_path"]
    config = AutoConfig.from_pretrained(tmp_path / "model")
    base = AutoModelForSequenceClassification.from_pretrained(base_name, config=config)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="peft|transformers")
        model = PeftModel.from_pretrained(base, str(tmp_path / "model")).eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    batch = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="pt")
    with torch.inference_mode():
        found = model(**batch).logits.softmax(-1)
    np.testing.assert_allclose(found.numpy(), fitted.model.outputs(TEXTS), atol=1e-4)
    assert [config.id2label[number] for number in range(3)] == LABELS


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_adapters_lie_on_every_linear_layer_of_the_encoder(architecture: Architecture, name: str) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(architecture(name), num_labels=3)
    settings = default_settings("lora")
    assert isinstance(settings, LoraSettings)
    layers = [layer for layer, _ in adapted_layers(model)]
    add_adapters(model, settings, seed=0, base=architecture(name))
    assert [layer for layer, _ in adapted_layers(model)] == layers
    learn = {key for key, parameter in model.named_parameters() if parameter.requires_grad}
    adapted = {key.split(".lora_")[0] for key in learn if ".lora_" in key}
    assert adapted == set(layers)
    assert len(layers) == {"albert": 6, "gpt2": 8, "modernbert": 8, "qwen2": 14}.get(name, 12)
    beside = {key for key in learn if ".lora_" not in key}
    assert beside == {
        key
        for key in dict(model.named_parameters())
        if key.startswith(("classifier", "pre_classifier", "score", "head", "pooler")) or ".pooler." in key
    }


@pytest.mark.slow
@pytest.mark.parametrize("export", ["merged", "adapter"])
@pytest.mark.parametrize("task", ["regression", "pair-classification", "token-classification", "question-answering"])
@pytest.mark.parametrize("name", ["bert", "deberta-v2", "qwen2"])
def test_every_task_is_exported_and_read_back(
    architecture: Architecture, cpu: Device, tmp_path: Path, name: str, task: str, export: str
) -> None:
    rows, labels = task_rows(task)
    job = FitJob(
        task=task, encoder=architecture(name, head=True), labels=labels, descriptions={}, training=rows,
        validation=None, seed=1, device=cpu, workspace=tmp_path / "work", cache=None,
        settings=default_settings("lora").model_copy(update={"epochs": 0.1, "min_steps": 3, "export": export}),
    )  # fmt: skip
    if (name, task, export) == ("qwen2", "question-answering", "adapter"):
        with pytest.raises(RunError, match="adapters cannot be kept apart; export them merged"):
            STRATEGIES["lora"].fit(job)
        return
    model = STRATEGIES["lora"].fit(job).model
    model.save(tmp_path / "model")
    wanted = model.outputs(rows.inputs)
    np.testing.assert_allclose(load_model(tmp_path / "model", cpu).outputs(rows.inputs), wanted, atol=1e-4)
    plain = [list(entry) if isinstance(entry, tuple) else entry for entry in rows.inputs]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="peft|transformers")
        fresh = reload.tuned(str(tmp_path / "model"), task, plain, labels)
    np.testing.assert_allclose(np.array(fresh), wanted, atol=1e-3)


def test_a_checkpoint_holds_what_learns_alone_and_is_taken_up(fit: Callable[..., Fitted], tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    whole = fit("roberta", workspace="whole", dropout=True).model
    kept = read_checkpoint(tmp_path / "whole" / LAST)
    assert kept is not None
    names = {key.partition("/")[2] for key in kept[0] if key.startswith("weight/")}
    assert all(".lora_" in name or name.startswith("classifier") for name in names)
    again = fit("roberta", workspace="whole", dropout=True).model
    np.testing.assert_array_equal(again.outputs(TEXTS), whole.outputs(TEXTS))


def test_a_model_of_the_hub_is_named_with_its_commit(tmp_path: Path) -> None:
    folder = tmp_path / "models--google-bert--bert-base-uncased" / "snapshots" / ("0" * 40)
    assert hub_name(folder) == ("google-bert/bert-base-uncased", "0" * 40)
    assert hub_name(tmp_path) == (str(tmp_path), None)
