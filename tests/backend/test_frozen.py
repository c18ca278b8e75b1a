import json
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from advisor.run.reload import Frozen
from advisor.tasks import Input, Pair

TEXTS = ["good film", "", "the awful meal of a bad trip " * 9]
PAIRS = [Pair("good film", "bad meal"), Pair("", "poor service"), Pair(TEXTS[2], "trip")]
WORDS = [("good", "fine-film"), ("awful",), ("very",) * 30]
LABELS = ["good", "bad", "größer"]
TAGS = ["O", "B-x", "I-x"]
MODELS: dict[str, tuple[str, Sequence[Input], list[str]]] = {
    "class": ("text-classification", TEXTS, LABELS),
    "classes": ("multi-label", TEXTS, LABELS),
    "pair": ("pair-classification", PAIRS, LABELS),
    "number": ("regression", TEXTS, []),
    "number of a pair": ("regression", PAIRS, []),
    "tags": ("token-classification", WORDS, TAGS),
}


def frozen(folder: Path, device: Device, kind: str = "class", **reading: Any) -> FrozenModel:
    task, inputs, labels = MODELS[kind]
    reads = module.reads_of(inputs)
    generator = np.random.default_rng(0)
    outputs = max(1, len(labels))
    weight = generator.normal(size=(outputs, 128 if reads == "pair" else 32)).astype(np.float32)
    head = LinearHead(weight, np.linspace(0.1, -0.1, outputs, dtype=np.float32))
    encoder = replace(Encoder.load(folder, device, max_length=20), **reading)
    thresholds = np.array([0.5, 0.3, 0.7], dtype=np.float32) if task == "multi-label" else None
    return FrozenModel(encoder, head, list(labels), task, reads, thresholds)


def documented(saved: FrozenModel, kind: str, folder: Path) -> dict[str, Any]:
    """Run the lines of the saved model's card on the kind's inputs."""
    _, inputs, _ = MODELS[kind]
    saved.save(folder / "model")
    lines = usage(folder / "model", str(folder / "model"))
    names: dict[str, Any] = {}
    shown = {"text": 'texts = ["…"]', "pair": 'pairs = [("…", "…")]', "words": 'sentences = [["…", "…"]]'}[saved.reads]
    assert shown in lines
    given = [list(one) if saved.reads == "words" else tuple(one) if saved.reads == "pair" else one for one in inputs]
    exec(lines.replace(shown, f"{shown.split()[0]} = {given!r}"), names)
    return names


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_the_documented_lines_give_the_same_probabilities(
    make_encoder: Callable[..., Path], cpu: Device, tmp_path: Path, pooling: str
) -> None:
    saved = frozen(make_encoder(pooling=pooling), cpu)
    found = documented(saved, "class", tmp_path)
    assert found["probabilities"].tolist() == pytest.approx(saved.outputs(TEXTS), abs=1e-5)
    if pooling == "mean":
        lines = usage(tmp_path / "model", "model")
        assert str(module.__doc__).split("::\n\n")[1].replace("    ", "").strip() in lines


@pytest.mark.parametrize("kind", list(MODELS))
@pytest.mark.parametrize(
    "reading",
    [{}, {"layers": (1,)}, {"layers": (0, 1)}, {"long_texts": "head-tail"}, {"long_texts": "windows", "layers": (1,)}],
    ids=str,
)
def test_every_kind_comes_back_in_this_package_and_without_it(
    make_encoder: Callable[..., Path], cpu: Device, tmp_path: Path, kind: str, reading: dict[str, Any]
) -> None:
    task, inputs, labels = MODELS[kind]
    if kind == "tags":
        reading = reading | {"long_texts": "truncate"}
    saved = frozen(make_encoder(), cpu, kind, **reading)
    wanted = saved.outputs(inputs)
    assert wanted.shape == (sum(map(len, WORDS)) if kind == "tags" else len(inputs), max(1, len(labels)))
    names = documented(saved, kind, tmp_path)
    loaded = load_model(tmp_path / "model", cpu)
    assert (loaded.task, loaded.labels) == (task, labels)
    assert loaded.outputs(inputs) == pytest.approx(wanted, abs=1e-5)
    again = Frozen(str(tmp_path / "model")).predict([list(one) if kind == "tags" else one for one in inputs], labels)
    assert np.array(again) == pytest.approx(wanted, abs=1e-5)
    if kind == "tags":
        assert [tag for row in names["tags"] for tag in row] == [TAGS[tag] for tag in wanted.argmax(axis=1)]
    elif "number" in kind:
        assert names["values"].tolist() == pytest.approx(wanted[:, 0], abs=1e-5)
    else:
        assert names["probabilities"].tolist() == pytest.approx(wanted, abs=1e-5)
    if kind == "classes":
        assert loaded.thresholds is not None
        given = wanted >= loaded.thresholds
        assert names["labels"] == [[label for label, yes in zip(labels, row, strict=True) if yes] for row in given]


def test_words_beyond_the_limit_are_outside(make_encoder: Callable[..., Path], cpu: Device) -> None:
    found = frozen(make_encoder(), cpu, "tags").outputs(WORDS)
    assert (found[3 + 18 :] == [1, 0, 0]).all()
    assert (found[: 3 + 18].max(axis=1) < 1).all()


def test_probabilities_are_those_of_their_task(make_encoder: Callable[..., Path], cpu: Device) -> None:
    folder = make_encoder()
    assert frozen(folder, cpu).outputs(TEXTS).sum(axis=1) == pytest.approx(1, abs=1e-5)
    several = frozen(folder, cpu, "classes")
    logits = several.head.logits(several.encoder.embed(TEXTS))
    assert several.outputs(TEXTS) == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-5)
    number = frozen(folder, cpu, "number")
    assert number.outputs(TEXTS) == pytest.approx(number.head.logits(number.encoder.embed(TEXTS)), abs=1e-6)
    assert number.outputs([]).shape == (0, 1)


def test_what_is_kept_of_a_model(make_encoder: Callable[..., Path], cpu: Device, tmp_path: Path) -> None:
    saved = frozen(make_encoder(pooling="cls"), cpu)
    saved.chosen["c"] = 4.0
    saved.save(tmp_path)
    assert json.loads((tmp_path / "head.json").read_text(encoding="utf-8")) == {
        "schema": 2,
        "task": "text-classification",
        "labels": LABELS,
        "reads": "text",
        "pooling": "cls",
        "layers": [],
        "long_texts": "truncate",
        "max_length": 20,
        "normalised": True,
        "chosen": {"c": 4.0},
    }
    suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert suffixes <= {".json", ".safetensors", ".txt"}


def test_a_model_of_the_first_schema_comes_back(make_encoder: Callable[..., Path], cpu: Device, tmp_path: Path) -> None:
    saved = frozen(make_encoder(), cpu)
    saved.save(tmp_path)
    first = {"schema": 1, "pooling": "mean", "max_length": 20, "normalised": True, "labels": LABELS}
    (tmp_path / "head.json").write_text(json.dumps(first))
    assert load_model(tmp_path, cpu).outputs(TEXTS) == pytest.approx(saved.outputs(TEXTS), abs=1e-6)
    assert np.array(Frozen(str(tmp_path)).predict(TEXTS, LABELS)) == pytest.approx(saved.outputs(TEXTS), abs=1e-5)


def test_a_bf16_encoder_is_saved_as_fp32(make_encoder: Callable[..., Path], tmp_path: Path, cpu: Device) -> None:
    folder = make_encoder()
    saved = frozen(folder, Device("cpu", "bf16", "for tests"), layers=(1,))
    saved.save(tmp_path)
    assert {tensor.dtype for tensor in load_file(tmp_path / "model.safetensors").values()} == {np.dtype("float32")}
    exact = frozen(folder, cpu, layers=(1,)).outputs(TEXTS)
    assert saved.in_fp32().outputs(TEXTS) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("kind", ["class", "pair", "tags"])
def test_outputs_do_not_depend_on_windows(
    make_encoder: Callable[..., Path], cpu: Device, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    whole, inputs = frozen(make_encoder(), cpu, kind), [*MODELS[kind][1]] * 3
    expected = whole.outputs(inputs)
    monkeypatch.setattr(module, "_WINDOW", 2)
    seen: list[tuple[int, int]] = []
    assert whole.outputs(inputs, lambda *step: seen.append(step)) == pytest.approx(expected, abs=1e-6)
    assert seen[-1] == (9, 9)


def test_a_damaged_model_is_refused(make_encoder: Callable[..., Path], cpu: Device, tmp_path: Path) -> None:
    frozen(make_encoder(), cpu).save(tmp_path)
    (tmp_path / "head.safetensors").unlink()
    with pytest.raises(InputError, match="no readable head"):
        load_model(tmp_path, cpu)


def test_a_tuned_model_has_no_lines_here(tmp_path: Path) -> None:
    assert usage(tmp_path, "model") == ""
