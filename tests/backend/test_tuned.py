import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import pipeline

from advisor.backend.devices import Device
from advisor.backend.tuned import TunedModel
from advisor.errors import InputError, RunError
from tests.backend.classifiers import LABELS, new_model

TEXTS = ["good film", "a very very awful meal of the trip", "fine", "unknown words only", ""]


@pytest.fixture(params=["mean", "cls", None])
def classifier(request, make_encoder, cpu):
    made = new_model(make_encoder("bert", request.param), cpu)
    with torch.no_grad():
        made.model.classifier.weight.normal_(generator=torch.Generator().manual_seed(1))
    return made


def test_probabilities_have_a_row_for_each_text_in_order(classifier):
    reports = []
    found = classifier.outputs(TEXTS, lambda done, rows: reports.append((done, rows)))
    assert found.shape == (5, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    alone = np.concatenate([classifier.outputs([text]) for text in TEXTS])
    np.testing.assert_allclose(found, alone, atol=1e-6)
    assert reports[-1] == (5, 5)
    assert classifier.outputs([]).shape == (0, 3)


@pytest.mark.parametrize(("limit", "texts", "width"), [(36, 3, 16), (36, 1, 10), (14, 3, 14), (14, 1, 10)])
def test_texts_are_padded_to_few_widths_within_the_limit_but_for_one_that_is_answered(classifier, limit, texts, width):
    classifier.max_length = limit
    seen = []
    embeddings = classifier.model.get_input_embeddings()
    embeddings.register_forward_pre_hook(lambda layer, given: seen.append(tuple(given[0].shape)))
    units = classifier.units([TEXTS[1], "fine", "good film"][:texts])
    with torch.no_grad():
        classifier.logits(units)
    classifier.logits(units)
    assert seen == [(texts, width), (texts, min(limit, 16))]


def test_a_saved_model_gives_the_same_probabilities_here_and_in_a_pipeline(classifier, tmp_path, cpu):
    wanted = classifier.outputs(TEXTS)
    classifier.save(tmp_path / "model")
    again = TunedModel.load(tmp_path / "model", cpu)
    assert again.labels == LABELS
    assert again.max_length == classifier.max_length
    np.testing.assert_allclose(again.outputs(TEXTS), wanted, atol=1e-4)
    plain = pipeline("text-classification", model=str(tmp_path / "model"), top_k=None, device="cpu")
    found = [{entry["label"]: entry["score"] for entry in row} for row in plain(TEXTS, batch_size=5)]
    np.testing.assert_allclose([[row[label] for label in LABELS] for row in found], wanted, atol=1e-4)
    too_long = plain(["very good film " * 100], truncation=True)
    assert {entry["label"] for entry in too_long[0]} == set(LABELS)


def test_weights_held_in_bf16_for_answers_change_none(classifier, tmp_path, cpu):
    classifier.save(tmp_path / "model")
    narrow = TunedModel.load(tmp_path / "model", Device("cpu", "bf16", "for the test"))
    wide = replace(TunedModel.load(tmp_path / "model", cpu), device=narrow.device)
    assert narrow.output_layer.weight.dtype == torch.bfloat16
    np.testing.assert_array_equal(narrow.outputs(TEXTS), wide.outputs(TEXTS))
    np.testing.assert_array_equal(narrow.in_fp32().outputs(TEXTS), wide.in_fp32().outputs(TEXTS))


def test_saving_replaces_an_older_folder_and_leaves_nothing_beside_it(classifier, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old.txt").write_text("old")
    classifier.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert "old.txt" not in names
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["id2label"] == {str(index): label for index, label in enumerate(LABELS)}
    assert config["num_hidden_layers"] == (3 if classifier.mean_pooled else 2)


def test_prediction_goes_on_in_smaller_batches_when_memory_runs_out(make_encoder, cpu, monkeypatch):
    made = new_model(make_encoder("bert", None), cpu, seed=0)
    texts = ["good film", "a bad meal"] * 40
    wanted = made.outputs(texts)
    logits = TunedModel.logits

    def at_most(rows_allowed):
        def limited(self, rows):
            if len(rows) > rows_allowed:
                raise MemoryError
            return logits(self, rows)

        return limited

    monkeypatch.setattr(TunedModel, "logits", at_most(16))
    np.testing.assert_allclose(made.outputs(texts), wanted, atol=1e-6)
    monkeypatch.setattr(TunedModel, "logits", at_most(0))
    with pytest.raises(RunError, match="not even one text fits in memory"):
        made.outputs(texts)


@pytest.mark.parametrize("damage", ["nothing there", "cut short", "no config"])
def test_a_folder_without_a_usable_model_is_refused_in_one_sentence(classifier, tmp_path, cpu, damage):
    folder = tmp_path / "model"
    if damage == "nothing there":
        folder.mkdir()
    else:
        classifier.save(folder)
    if damage == "cut short":
        (folder / "model.safetensors").write_bytes(b"short")
    if damage == "no config":
        (folder / "config.json").unlink()
    for load in (
        TunedModel.load,
        lambda folder, cpu: new_model(folder, cpu, seed=0),
    ):
        with pytest.raises(InputError, match="no model can be loaded from there"):
            load(folder, cpu)


def test_a_part_that_is_missing_is_not_made_up(classifier, make_encoder, tmp_path, cpu):
    with pytest.raises(InputError, match=r"its weights lack classifier\.bias"):
        TunedModel.load(make_encoder("bert", "mean"), cpu)
    classifier.save(tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").unlink()
    (tmp_path / "model" / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    with pytest.raises(InputError, match="its tokenizer knows no words"):
        TunedModel.load(tmp_path / "model", cpu)
