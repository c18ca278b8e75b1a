"""Every architecture through what is done with an encoder, from loading to use by others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder, declared_pooling, pool
from tests.architectures import ARCHITECTURES, SENTENCES

Architecture = Callable[..., Path]
TEXTS = [*SENTENCES[:6], "", "the parcel " * 60]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_texts_become_vectors_whatever_else_is_in_the_batch(architecture: Architecture, cpu: Device, name: str) -> None:
    encoder = Encoder.load(architecture(name, head=True), cpu)
    assert encoder.max_length == ARCHITECTURES[name].usable
    assert max(len(row) for row in encoder.tokenize(TEXTS)) == encoder.max_length
    vectors = encoder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.hidden_size) == (len(TEXTS), 32)
    np.testing.assert_allclose(vectors, np.concatenate([encoder.embed([text]) for text in TEXTS]), atol=1e-5)


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
