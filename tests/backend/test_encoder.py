from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.errors import InputError, RunError

TEXTS = ["good film", "", "the awful meal of a bad trip " * 3, " \n ", "quite poor service", "good"]


@pytest.fixture
def encoder(make_encoder: Callable[..., Path], cpu: Device) -> Encoder:
    return Encoder.load(make_encoder(), cpu)


@torch.no_grad()
def one_by_one(encoder: Encoder, texts: list[str]) -> np.ndarray:
    vectors = []
    for text in texts:
        ids = torch.tensor([encoder.tokenizer(text, truncation=True, max_length=encoder.max_length)["input_ids"]])
        hidden = encoder.model(input_ids=ids).last_hidden_state[0]
        vector = hidden[0] if encoder.pooling == "cls" else hidden.mean(0)
        vectors.append((vector / vector.norm()).numpy())
    return np.array(vectors)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_batches_give_the_vectors_of_single_texts(make_encoder: Callable[..., Path], cpu: Device, pooling: str) -> None:
    encoder = Encoder.load(make_encoder(pooling=pooling), cpu)
    assert (encoder.pooling, encoder.trained_pooling) == (pooling, True)
    assert encoder.embed(TEXTS) == pytest.approx(one_by_one(encoder, TEXTS), abs=1e-5)
    assert encoder.embed([]).shape == (0, 32)


def test_texts_are_cut_at_the_limit(make_encoder: Callable[..., Path], cpu: Device) -> None:
    folder = make_encoder(pooling=None)
    assert Encoder.load(folder, cpu).max_length == 36
    encoder = Encoder.load(folder, cpu, max_length=6)
    assert (encoder.max_length, encoder.pooling, encoder.trained_pooling) == (6, "mean", False)
    long = "the awful meal of a bad trip"
    assert encoder.embed([long]) == pytest.approx(encoder.embed(["the awful meal of"]), abs=1e-6)


@torch.no_grad()
def states(encoder: Encoder, batch: Any) -> torch.Tensor:
    """Return (layers + 1, length, hidden) of one row."""
    found = encoder.model(input_ids=torch.tensor([batch["input_ids"]]), output_hidden_states=True)
    return torch.stack(list(found.hidden_states))[:, 0]


def test_layers_are_averaged_and_all_are_to_be_had(encoder: Encoder) -> None:
    of_layer = encoder.embed_layers(TEXTS)
    assert of_layer.shape == (len(TEXTS), 3, 32)
    assert encoder.depth == 2
    assert of_layer[:, 2] == pytest.approx(encoder.embed(TEXTS), abs=1e-6)
    assert of_layer[:, 1] == pytest.approx(replace(encoder, layers=(1,)).embed(TEXTS), abs=1e-6)
    both = replace(encoder, layers=(0, 2)).embed(["good film"])[0]
    mean = states(encoder, encoder.tokenizer("good film"))[[0, 2]].mean(0).mean(0)
    assert both == pytest.approx((mean / mean.norm()).numpy(), abs=1e-5)


@pytest.mark.parametrize("long_texts", ["head-tail", "windows"])
def test_long_texts_are_read_beyond_the_limit(make_encoder: Callable[..., Path], cpu: Device, long_texts: str) -> None:
    encoder = replace(Encoder.load(make_encoder(), cpu, max_length=6), long_texts=long_texts)
    words = ["good", "bad", "fine", "poor", "great", "awful", "film", "meal", "trip"]
    kept = {"head-tail": [[words[0], *words[-3:]]], "windows": [words[:3], words[3:6], words[6:]]}
    pooled = [states(encoder, encoder.tokenizer(" ".join(part)))[-1].mean(0) for part in kept[long_texts]]
    mean = torch.stack(pooled).mean(0)
    texts = ["good film", " ".join(words), ""]
    seen: list[tuple[int, int]] = []
    found = encoder.embed(texts, lambda *step: seen.append(step))
    assert found[1] == pytest.approx((mean / mean.norm()).numpy(), abs=1e-5)
    assert found[[0, 2]] == pytest.approx(replace(encoder, long_texts="truncate").embed(["good film", ""]), abs=1e-6)
    assert seen[-1] == (3, 3)


def test_a_word_is_the_mean_of_its_tokens(encoder: Encoder) -> None:
    rows = [("good-film", "trip"), (), ("the", "awful.meal", "of"), ("very",) * 50]
    found, seen = encoder.embed_words(rows)
    hidden = states(encoder, encoder.tokenizer(["good-film", "trip"], is_split_into_words=True))[-1]
    mean = hidden[1:4].mean(0)
    assert found.shape == (55, 32)
    assert found[0] == pytest.approx((mean / mean.norm()).numpy(), abs=1e-5)
    assert seen[:5].all()
    assert seen[5:].sum() == 34
    assert not found[5 + 34 :].any()
    of_layer, again = encoder.embed_word_layers(rows)
    assert of_layer[:, 2] == pytest.approx(found, abs=1e-6)
    assert np.array_equal(seen, again)
    assert encoder.embed_words([])[0].shape == (0, 32)


def test_loading_writes_nothing(
    make_encoder: Callable[..., Path], cpu: Device, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = make_encoder()
    capfd.readouterr()
    Encoder.load(folder, cpu)
    assert capfd.readouterr() == ("", "")


def test_bf16_holds_frozen_weights_only(make_encoder: Callable[..., Path], cpu: Device) -> None:
    folder, bf16 = make_encoder(), Device("cpu", "bf16", "for tests")
    frozen, trained = Encoder.load(folder, bf16), Encoder.load(folder, bf16, frozen=False)
    assert {parameter.dtype for parameter in frozen.model.parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in trained.model.parameters()} == {torch.float32}
    vectors = frozen.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert (vectors * Encoder.load(folder, cpu).embed(TEXTS)).sum(axis=1) == pytest.approx(1, abs=1e-2)


class Short(torch.nn.Module):
    """A model that runs out of memory above ``most`` tokens."""

    def __init__(self, model: Any, most: int) -> None:
        super().__init__()
        self.model, self.most, self.config = model, most, model.config

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        if input_ids.numel() > self.most:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 7 bytes")
        return self.model(input_ids=input_ids, attention_mask=attention_mask)


def test_less_memory_means_smaller_batches(encoder: Encoder) -> None:
    expected = encoder.embed(TEXTS * 4)
    encoder.model = Short(encoder.model, most=60)
    seen: list[tuple[int, int]] = []
    assert encoder.embed(TEXTS * 4, lambda *step: seen.append(step)) == pytest.approx(expected, abs=1e-5)
    assert seen[-1] == (24, 24)


def test_memory_for_not_one_text_is_an_error(encoder: Encoder) -> None:
    encoder.model = Short(encoder.model, most=3)
    with pytest.raises(RunError, match="not even one text"):
        encoder.embed(TEXTS)


def test_a_folder_without_a_model_is_refused(tmp_path: Path, cpu: Device) -> None:
    with pytest.raises(InputError, match="no encoder can be loaded"):
        Encoder.load(tmp_path, cpu)
