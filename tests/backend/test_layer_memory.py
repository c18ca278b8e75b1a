from pathlib import Path

import numpy as np
import pytest

from advisor.backend import layer_memory
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.layer_memory import LayerMemory
from tests.backend.conftest import MakeEncoder

TEXTS = ["a good film", "the awful meal", "a good film", "not quite fine"]


@pytest.fixture
def read(make_encoder: MakeEncoder, cpu: Device, monkeypatch: pytest.MonkeyPatch) -> tuple[Encoder, list[list[str]]]:
    """An encoder, and the texts of every time it reads layer by layer."""
    seen: list[list[str]] = []
    embed = Encoder.embed_layers

    def counted(self, texts, progress=None):  # type: ignore[no-untyped-def]
        seen.append(list(texts))
        return embed(self, texts, progress)

    monkeypatch.setattr(Encoder, "embed_layers", counted)
    return Encoder.load(make_encoder(), cpu), seen


def test_each_text_is_read_once(read: tuple[Encoder, list[list[str]]]) -> None:
    encoder, seen = read
    memory = LayerMemory()
    first = memory.read(encoder, TEXTS)
    again = memory.read(encoder, [*TEXTS[1:3], "poor service"])
    assert seen == [[TEXTS[0], TEXTS[1], TEXTS[3]], ["poor service"]]
    assert np.array_equal(again[:2], first[1:3])
    np.testing.assert_allclose(first, encoder.embed_layers(TEXTS), atol=1e-6)


def test_another_encoder_is_another_memory(
    read: tuple[Encoder, list[list[str]]], make_encoder: MakeEncoder, cpu: Device, tmp_path: Path
) -> None:
    encoder, seen = read
    memory = LayerMemory()
    memory.read(encoder, TEXTS)
    memory.read(Encoder.load(make_encoder(num_hidden_layers=1), cpu), TEXTS)
    assert seen[0] == seen[1]


def test_it_is_bounded(read: tuple[Encoder, list[list[str]]], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, seen = read
    monkeypatch.setattr(
        layer_memory, "load_settings", lambda file: {"layer_memory_numbers": 3 * 3 * encoder.hidden_size}
    )
    memory = LayerMemory()
    memory.read(encoder, TEXTS)
    memory.read(encoder, ["poor service", TEXTS[0]])
    assert seen[1] == ["poor service", TEXTS[0]]
