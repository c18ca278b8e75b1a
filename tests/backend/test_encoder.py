from collections.abc import Callable
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
    assert max(len(row) for row in encoder.tokenize(TEXTS)) == 6


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
