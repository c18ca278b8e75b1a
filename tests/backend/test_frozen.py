import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from advisor.backend import frozen as module
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.frozen import FrozenModel
from advisor.backend.head import LinearHead
from advisor.backend.predictor import load_model
from advisor.backend.usage import usage
from advisor.errors import InputError

TEXTS = ["good film", "", "the awful meal of a bad trip " * 9]


def frozen(folder: Path, device: Device) -> FrozenModel:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(3, 32)).astype(np.float32)
    head = LinearHead(weight, np.array([0.1, 0, -0.1], dtype=np.float32))
    return FrozenModel(Encoder.load(folder, device, max_length=20), head, ["good", "bad", "größer"])


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_the_documented_lines_give_the_same_probabilities(
    make_encoder: Callable[..., Path],
    cpu: Device,
    tmp_path: Path,
    pooling: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved = frozen(make_encoder(pooling=pooling), cpu)
    saved.save(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    lines = usage(tmp_path / "model", "model")
    exec(lines.replace('texts = ["…"]', f"texts = {TEXTS!r}"), names)
    assert names["probabilities"].tolist() == pytest.approx(saved.outputs(TEXTS), abs=1e-5)
    if pooling == "mean":
        documented = str(module.__doc__).split("::\n\n")[1].replace("    ", "").strip()
        assert lines.rstrip().endswith(documented)


def test_a_saved_model_comes_back(make_encoder: Callable[..., Path], cpu: Device, tmp_path: Path) -> None:
    saved = frozen(make_encoder(pooling="cls"), cpu)
    saved.chosen["c"] = 4.0
    saved.save(tmp_path)
    loaded = load_model(tmp_path, cpu)
    assert loaded.labels == ["good", "bad", "größer"]
    assert loaded.outputs(TEXTS) == pytest.approx(saved.outputs(TEXTS), abs=1e-6)
    details = json.loads((tmp_path / "head.json").read_text(encoding="utf-8"))
    assert details == {
        "schema": 2,
        "task": "text-classification",
        "pooling": "cls",
        "max_length": 20,
        "normalised": True,
        "c": 4.0,
        "labels": ["good", "bad", "größer"],
    }
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {
        ".json",
        ".safetensors",
        ".txt",
    }


def test_a_bf16_encoder_is_saved_as_fp32(make_encoder: Callable[..., Path], tmp_path: Path) -> None:
    frozen(make_encoder(), Device("cpu", "bf16", "for tests")).save(tmp_path)
    assert {tensor.dtype for tensor in load_file(tmp_path / "model.safetensors").values()} == {np.dtype("float32")}


def test_probabilities_do_not_depend_on_windows(
    make_encoder: Callable[..., Path], cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = frozen(make_encoder(), cpu)
    expected = whole.outputs(TEXTS * 3)
    monkeypatch.setattr("advisor.backend.frozen._WINDOW", 2)
    seen: list[tuple[int, int]] = []
    assert whole.outputs(TEXTS * 3, lambda *step: seen.append(step)) == pytest.approx(expected, abs=1e-6)
    assert seen[-1] == (9, 9)
    assert expected.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_damaged_model_is_refused(make_encoder: Callable[..., Path], cpu: Device, tmp_path: Path) -> None:
    frozen(make_encoder(), cpu).save(tmp_path)
    (tmp_path / "head.safetensors").unlink()
    with pytest.raises(InputError, match="no readable head"):
        load_model(tmp_path, cpu)
