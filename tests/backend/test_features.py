from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.backend import features as module
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.features import FeatureCache, features_of, identity
from advisor.tasks import Pair

TEXTS = ["good film", "bad meal", "good film", "", "awful trip"]


@pytest.fixture
def encoder(make_encoder: Callable[..., Path], cpu: Device, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    loaded = Encoder.load(make_encoder(), cpu)
    embed = loaded.embed
    embedded: list[str] = []

    def counting(texts: Sequence[str], progress: object = None) -> np.ndarray:
        embedded.extend(texts)
        return embed(texts, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(loaded, "embed", counting)
    monkeypatch.setattr(loaded, "embedded", embedded, raising=False)
    return loaded


def test_duplicates_are_embedded_once_and_known_texts_never_again(tmp_path: Path, encoder: Encoder) -> None:
    first = FeatureCache(tmp_path).embed(encoder, TEXTS)
    assert encoder.embedded == ["good film", "bad meal", "", "awful trip"]  # type: ignore[attr-defined]
    again = FeatureCache(tmp_path).embed(encoder, ["the room", *reversed(TEXTS)])
    assert encoder.embedded[4:] == ["the room"]  # type: ignore[attr-defined]
    assert np.array_equal(again[1:][::-1], first)
    assert first == pytest.approx(Encoder.embed(encoder, TEXTS), abs=1e-5)
    assert first.dtype == np.float32


def test_without_a_folder_nothing_is_kept(encoder: Encoder) -> None:
    cache = FeatureCache(None)
    assert np.array_equal(cache.embed(encoder, TEXTS), cache.embed(encoder, TEXTS))
    assert len(encoder.embedded) == 8  # type: ignore[attr-defined]
    assert cache.embed(encoder, []).shape == (0, encoder.hidden_size)


def test_a_killed_run_loses_one_window_at_most(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WINDOW", 2)
    counting = encoder.embed

    def killed(texts: Sequence[str], progress: object = None) -> np.ndarray:
        if "awful trip" in texts:
            raise KeyboardInterrupt
        return counting(texts)

    monkeypatch.setattr(encoder, "embed", killed)
    with pytest.raises(KeyboardInterrupt):
        FeatureCache(tmp_path).embed(encoder, ["good", "bad", "fine", "awful trip"])
    monkeypatch.setattr(encoder, "embed", counting)
    FeatureCache(tmp_path).embed(encoder, ["good", "bad", "fine", "awful trip"])
    assert encoder.embedded == ["good", "bad", "fine", "awful trip"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("damage", [b"", b"\xff" * 40, None])
def test_a_damaged_file_is_computed_again(tmp_path: Path, encoder: Encoder, damage: bytes | None) -> None:
    first = FeatureCache(tmp_path).embed(encoder, TEXTS)
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-7] if damage is None else damage)
    assert np.array_equal(FeatureCache(tmp_path).embed(encoder, TEXTS), first)
    assert len(encoder.embedded) == 8  # type: ignore[attr-defined]
    FeatureCache(tmp_path).embed(encoder, TEXTS)
    assert len(encoder.embedded) == 8  # type: ignore[attr-defined]


def test_an_encoder_is_known_by_its_content(make_encoder: Callable[..., Path], cpu: Device) -> None:
    encoder = Encoder.load(make_encoder(), cpu)
    assert identity(encoder) == identity(Encoder.load(make_encoder(), cpu))
    others = [
        Encoder.load(make_encoder(intermediate_size=40), cpu),
        replace(encoder, pooling="cls"),
        replace(encoder, max_length=8),
        replace(encoder, layers=(1,)),
        replace(encoder, long_texts="windows"),
        replace(encoder, device=Device("cpu", "bf16", "")),
    ]
    assert len({identity(other) for other in [encoder, *others]}) == 7


def test_progress_counts_known_texts_too(tmp_path: Path, encoder: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    FeatureCache(tmp_path).embed(encoder, TEXTS[:2])
    FeatureCache(tmp_path).embed(encoder, TEXTS, lambda *step: seen.append(step))
    assert seen[0] == (2, 4)
    assert seen[-1] == (4, 4)


def test_each_kind_of_input_has_its_features(tmp_path: Path, encoder: Encoder) -> None:
    cache = FeatureCache(tmp_path)
    texts, seen = features_of(encoder, cache, TEXTS)
    assert texts.shape == (5, 32) and seen.all()
    pairs, _ = features_of(encoder, cache, [Pair("good film", "bad meal"), Pair("awful trip", "good film")])
    assert pairs[:, :32] == pytest.approx(texts[[0, 4]], abs=1e-6)
    assert pairs[:, 32:64] == pytest.approx(texts[[1, 2]], abs=1e-6)
    assert len(encoder.embedded) == 4  # type: ignore[attr-defined]
    words, seen = features_of(encoder, cache, [("good", "film"), ("very",) * 40])
    assert words.shape == (42, 32)
    assert seen.sum() == 36
