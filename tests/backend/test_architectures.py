"""Every architecture through what is done with an encoder, from loading to use by others."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, pipeline

from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.new_head import with_new_head
from advisor.backend.objectives import objective_for
from advisor.backend.pooling import declared_pooling, pool
from advisor.backend.predictor import load_model
from advisor.backend.rows import Rows
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning import fine_tune
from advisor.backend.tuning_settings import ReadingSettings, TuningSettings
from advisor.estimates.forecast import default_settings
from advisor.knowledge.hyperparameters import default_values
from advisor.run import reload
from advisor.strategies import STRATEGIES, FitJob
from tests.architectures import ARCHITECTURES, SENTENCES, SPREAD, few, task_rows

Architecture = Callable[..., Path]
WRITTEN = [*SENTENCES[:6], "the parcel " * 60]
TEXTS = [*WRITTEN, ""]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_texts_become_vectors_whatever_else_is_in_the_batch(architecture: Architecture, cpu: Device, name: str) -> None:
    encoder = Encoder.load(architecture(name, head=True), cpu)
    assert encoder.max_length == ARCHITECTURES[name].usable
    assert max(map(len, encoder.tokenize(TEXTS))) == encoder.max_length
    vectors = encoder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.hidden_size) == (len(TEXTS), 32)
    np.testing.assert_allclose(vectors, np.concatenate([encoder.embed([text]) for text in TEXTS]), atol=1e-5)
    assert encoder.embed_layers(TEXTS).shape == (len(TEXTS), 3, 32)
    words, seen = encoder.for_words().embed_words([tuple(text.split()) for text in WRITTEN])
    assert words.shape == (sum(len(text.split()) for text in WRITTEN), 32)
    assert seen[:40].all()
    assert not seen[-1]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_frozen_weights_may_be_bf16(architecture: Architecture, cpu: Device, name: str) -> None:
    exact, rounded = (
        Encoder.load(architecture(name), device).embed(SENTENCES[:4])
        for device in (cpu, Device("cpu", "bf16", "for tests"))
    )
    assert (exact * rounded).sum(axis=1) == pytest.approx(1, abs=0.02)


def test_a_decoder_pads_with_its_end_of_text_on_the_right(architecture: Architecture, cpu: Device) -> None:
    tokenizer = Encoder.load(architecture("gpt2"), cpu).tokenizer
    assert (tokenizer.pad_token, tokenizer.padding_side) == ("<|endoftext|>", "right")


@pytest.mark.parametrize(
    ("modes", "found"),
    [
        ('{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}', ("cls", True)),
        ('{"pooling_mode_mean_tokens": true}', ("mean", True)),
        ('{"pooling_mode_lasttoken": true}', ("last", True)),
        ('{"pooling_mode": "lasttoken"}', ("last", True)),
        ('{"pooling_mode": "cls"}', ("cls", True)),
        ('{"pooling_mode_max_tokens": true}', ("mean", False)),
    ],
)
def test_the_pooling_that_files_declare(tmp_path: Path, modes: str, found: tuple[str, bool]) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(modes, encoding="utf-8")
    assert declared_pooling(tmp_path) == found


def test_the_last_token_is_the_last_that_is_not_padding() -> None:
    hidden = torch.arange(12.0).reshape(2, 3, 2)
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    assert pool(hidden, mask, "last").tolist() == [[2.0, 3.0], [10.0, 11.0]]


READING = ReadingSettings(long_texts="truncate", overlap=0.3, longest_answer=9)
TASK_TEXTS = [*SENTENCES[:12], *SENTENCES[20:]]
TASK_CLASSES = np.array([0] * 10 + [1] * 2 + [2] * 10)
LABELS = ["praise", "complaint", "question"]


def settings(**changes: Any) -> TuningSettings:
    short = {"epochs": 0.1, "min_steps": 3, "evaluations": 1, "head_c": 1.0}
    return TuningSettings(**(default_values("full-fine-tuning") | short | changes))


def tuned(folder: Path, device: Device, task: str, rows: Rows, labels: list[str], **changes: Any) -> TunedModel:
    return fine_tune(folder, task, labels, rows, None, settings(**changes), seed=1, device=device)


def text_rows() -> Rows:
    return Rows(TASK_TEXTS, TASK_CLASSES, list(range(len(TASK_TEXTS))))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_probe_on_frozen_features_is_exported_and_read_back(
    architecture: Architecture, cpu: Device, tmp_path: Path, name: str
) -> None:
    job = FitJob(
        task="text-classification",
        encoder=architecture(name, head=True),
        labels=LABELS,
        descriptions={},
        training=text_rows(),
        validation=None,
        settings=default_settings("linear-probe"),
        seed=1,
        device=cpu,
        workspace=tmp_path,
        cache=None,
    )
    model = STRATEGIES["linear-probe"].fit(job).model
    model.save(tmp_path / "model")
    wanted = model.outputs(TEXTS)
    np.testing.assert_allclose(load_model(tmp_path / "model", cpu).outputs(TEXTS), wanted, atol=1e-5)
    fresh = reload.Frozen(str(tmp_path / "model")).predict(TEXTS, LABELS)
    np.testing.assert_allclose(np.array(fresh), wanted, atol=1e-4)


@pytest.mark.parametrize("name", few("bert", "roberta", "deberta-v2", "gpt2"))
def test_a_tuned_model_is_exported_and_read_back_here_and_by_a_pipeline(
    architecture: Architecture, cpu: Device, tmp_path: Path, name: str
) -> None:
    model = tuned(architecture(name, head=True), cpu, "text-classification", text_rows(), LABELS)
    made = ARCHITECTURES[name]
    discarded, _, added = model.head_note.partition("; head added: ")
    assert (made.discarded or made.head) in discarded
    assert added.startswith("the last token" if made.decoder else "the first token")
    model.save(tmp_path / "model")
    wanted = model.outputs(TEXTS)
    np.testing.assert_allclose(load_model(tmp_path / "model", cpu).outputs(TEXTS), wanted, atol=1e-5)
    classify = pipeline("text-classification", model=str(tmp_path / "model"), device="cpu")
    found = classify(WRITTEN, top_k=None, truncation=True, batch_size=4)
    by_label = [{entry["label"]: entry["score"] for entry in row} for row in found]
    np.testing.assert_allclose(
        [[row[label] for label in LABELS] for row in by_label], model.outputs(WRITTEN), atol=1e-4
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("task", ["text-classification", "token-classification", "question-answering"])
def test_under_every_head_lies_the_encoder_of_the_files(
    architecture: Architecture, cpu: Device, name: str, task: str
) -> None:
    folder = architecture(name, head=True)
    alone = AutoModel.from_pretrained(folder).state_dict()
    objective = objective_for(task, [] if task == "question-answering" else LABELS, READING)
    model = with_new_head(folder, objective, cpu, seed=0)
    under = model.model.base_model.state_dict()
    assert all(torch.equal(weight, alone[key]) for key, weight in under.items() if "pooler" not in key)
    assert len(under) >= len(alone) - 2
    assert (ARCHITECTURES[name].discarded or ARCHITECTURES[name].head) in model.head_note


@pytest.mark.parametrize("name", few("bert", "albert", "gpt2"))
def test_a_probe_start_gives_what_the_probe_says(architecture: Architecture, cpu: Device, name: str) -> None:
    started = tuned(
        architecture(name), cpu, "text-classification", text_rows(), LABELS, min_steps=1, learning_rate=1e-30,
        head_learning_rate=1e-30, head_c=100.0,
    )  # fmt: skip
    shares = started.outputs(TASK_TEXTS).mean(axis=0)
    np.testing.assert_allclose(shares, np.bincount(TASK_CLASSES) / len(TASK_CLASSES), atol=0.1)


@pytest.mark.parametrize("name", few("bert", "albert", "gpt2"))
def test_only_the_upper_half_of_the_layers_learns(architecture: Architecture, cpu: Device, name: str) -> None:
    before = load_file(architecture(name) / "model.safetensors")
    model = tuned(architecture(name), cpu, "text-classification", text_rows(), LABELS, trained_share=0.5)
    after = {key: weight.detach() for key, weight in model.model.base_model.named_parameters()}
    learnt = {key for key, weight in after.items() if key in before and not torch.equal(before[key], weight)}
    layered = {key for key in after if re.search(r"\.?(layer|layers|h|albert_layers)\.\d+\.", key)}
    lower = set() if name == "albert" else {key for key in layered if re.search(r"(layer|layers|h)\.0\.", key)}
    assert layered - lower <= learnt
    assert not learnt & lower
    assert not any("embeddings.word" in key or "tok_emb" in key or "wte" in key for key in learnt)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("task", ["regression", "pair-classification", "token-classification", "question-answering"])
def test_every_task_has_its_head_on_every_architecture(
    architecture: Architecture, cpu: Device, tmp_path: Path, name: str, task: str
) -> None:
    rows, labels = task_rows(task)
    steps, start = (30, 1.0) if task == "regression" else (3, None)
    model = tuned(architecture(name, head=True), cpu, task, rows, labels, head_c=start, min_steps=steps)
    wanted = model.outputs(rows.inputs)
    if task == "regression":
        assert abs(wanted.mean() - 5) < 1.5
    model.save(tmp_path / "model")
    np.testing.assert_allclose(load_model(tmp_path / "model", cpu).outputs(rows.inputs), wanted, atol=1e-4)
    plain = [list(entry) if isinstance(entry, tuple) else entry for entry in rows.inputs]
    fresh = reload.tuned(str(tmp_path / "model"), task, plain, labels)
    np.testing.assert_allclose(np.array(fresh), wanted, atol=1e-3)


def test_the_head_of_another_task_is_drawn_anew(architecture: Architecture, cpu: Device, tmp_path: Path) -> None:
    earlier = tuned(architecture("roberta"), cpu, "text-classification", text_rows(), LABELS)
    earlier.save(tmp_path / "earlier")
    objective = objective_for("text-classification", ["a", "b", "c"], earlier.objective.reading)
    again = with_new_head(tmp_path / "earlier", objective, cpu, seed=2)
    assert "discarded: classifier.out_proj" in again.head_note
    assert "untrained but for classifier.dense, kept from the files" in again.head_note
    assert not torch.equal(again.output_layer.weight, earlier.output_layer.weight)
    assert again.output_layer.weight.std() < 2 * SPREAD


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_type_with_a_choice_of_pooling_takes_the_declared_one(
    architecture: Architecture, cpu: Device, tmp_path: Path, pooling: str
) -> None:
    shutil.copytree(architecture("modernbert"), tmp_path / "model")
    (tmp_path / "model" / "1_Pooling").mkdir()
    modes = {f"pooling_mode_{'mean_tokens' if pooling == 'mean' else 'cls_token'}": True}
    (tmp_path / "model" / "1_Pooling" / "config.json").write_text(json.dumps(modes), encoding="utf-8")
    objective = objective_for(
        "text-classification", LABELS, ReadingSettings(long_texts="truncate", overlap=0.3, longest_answer=9)
    )
    model = with_new_head(tmp_path / "model", objective, cpu, seed=2)
    assert model.model.config.classifier_pooling == pooling
    assert ("the mean of the tokens" in model.head_note) == (pooling == "mean")
