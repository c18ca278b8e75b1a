"""More pre-training on unlabelled texts: what is guessed, learnt and written, and going on after a stop."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from advisor.backend.checkpoint import LAST
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.language_modelling import LanguageModel
from advisor.backend.pretraining import RECORD, Pretrained, pretrain
from advisor.backend.pretraining_settings import PretrainingSettings
from advisor.errors import InputError, RunError
from advisor.knowledge.hyperparameters import default_values
from advisor.knowledge.pretrained import pretraining_head
from tests.architectures import ARCHITECTURES, SENTENCES, few

SHORT = {
    "epochs": 0.1,
    "min_steps": 4,
    "head_steps": 2,
    "update_tokens": 128,
    "batch_tokens": 128,
    "held_out_share": 0.2,
}
Architecture = Callable[..., Path]


def settings(**changes: Any) -> PretrainingSettings:
    return PretrainingSettings(**(default_values("domain-adaptive-pretraining") | SHORT | changes))


@pytest.fixture
def make(architecture: Architecture, cpu: Device, tmp_path: Path) -> Callable[..., Pretrained]:
    def run(name: str = "bert", head: bool = False, folder: str = "more", **options: Any) -> Pretrained:
        changes = {key: options.pop(key) for key in list(options) if key in PretrainingSettings.model_fields}
        options = {"seed": 3, "device": cpu, "folder": tmp_path / folder, "save_seconds": 0.0} | options
        encoder = options.pop("encoder", None) or architecture(name, head=head)
        return pretrain(encoder, options.pop("texts", SENTENCES), settings(**changes), **options)

    return run


def weights(made: Pretrained) -> dict[str, torch.Tensor]:
    return load_file(made.folder / "model.safetensors")


def same(left: Pretrained, right: Pretrained) -> bool:
    one, other = weights(left), weights(right)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", few("bert", "albert", "gpt2"))
@pytest.mark.parametrize("head", [False, True])
def test_every_architecture_goes_on_learning(
    make: Callable[..., Pretrained], architecture: Architecture, cpu: Device, name: str, head: bool
) -> None:
    before = Encoder.load(architecture(name, head=head), cpu)
    made = make(name, head)
    after = Encoder.load(made.folder, cpu)
    assert type(after.model) is type(before.model)
    assert (after.max_length, after.hidden_size) == (before.max_length, before.hidden_size)
    assert after.tokenize(SENTENCES) == before.tokenize(SENTENCES)
    assert np.abs(after.embed(SENTENCES) - before.embed(SENTENCES)).max() > 1e-4
    assert pretraining_head(made.folder).startswith("none in the files")
    assert {tensor.dtype for tensor in weights(made).values()} == {torch.float32}
    assert made.steps == 4
    new = not head or name == "electra"
    assert ("new language-model head" in made.note) == (new and name != "gpt2")
    assert ("next token" in made.note) == ARCHITECTURES[name].decoder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_it_learns_the_texts(make: Callable[..., Pretrained], name: str) -> None:
    events: list[dict[str, Any]] = []
    circle = ["the", "parcel", "came", "early", "and", "everything", "was", "in", "it"]
    texts = [" ".join((circle * 3)[start : start + length]) for start in range(9) for length in (9, 12, 15)]
    made = make(name, texts=texts, min_steps=80, learning_rate=1e-2, on_event=events.append)
    assert made.loss_after < made.loss_before - 0.5
    assert [event["event"] for event in events] == ["language-model head", "held-out loss", "pre-trained"]
    assert events[-1]["loss_after"] == pytest.approx(made.loss_after, abs=1e-5)


def test_a_new_head_learns_alone_first(
    make: Callable[..., Pretrained], cpu: Device, architecture: Architecture
) -> None:
    only_head = make(head_steps=6, min_steps=1, learning_rate=1e-30)
    bare = load_file(architecture("bert") / "model.safetensors")
    assert all(torch.allclose(bare[name], tensor) for name, tensor in weights(only_head).items())


def test_everything_beside_the_weights_is_kept(
    make: Callable[..., Pretrained], architecture: Architecture, tmp_path: Path
) -> None:
    encoder = tmp_path / "sentences"
    shutil.copytree(architecture("bert"), encoder)
    (encoder / "1_Pooling").mkdir()
    (encoder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}', encoding="utf-8")
    (encoder / "sentence_bert_config.json").write_text('{"max_seq_length": 20}', encoding="utf-8")
    (encoder / "README.md").write_text("of another model", encoding="utf-8")
    made = make(encoder=encoder)
    kept = {path.relative_to(encoder).as_posix() for path in encoder.rglob("*") if path.is_file()} - {"README.md"}
    assert {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()} == kept | {
        RECORD
    }
    pooler = "pooler.dense.weight"
    assert torch.equal(weights(made)[pooler], load_file(encoder / "model.safetensors")[pooler])


def test_the_seed_decides_and_global_randomness_stays(make: Callable[..., Pretrained]) -> None:
    state = torch.random.get_rng_state()
    first, again, other = make(), make(folder="again"), make(folder="other", seed=4)
    assert torch.equal(state, torch.random.get_rng_state())
    assert same(first, again)
    assert not same(first, other)


@pytest.mark.parametrize("stop_at", [1, 2, 4])
def test_a_resumed_run_equals_an_uninterrupted_one(
    make: Callable[..., Pretrained], tmp_path: Path, stop_at: int
) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(step: int, *_: object) -> None:
        if step == stop_at:
            raise Interrupted

    whole = make(folder="whole")
    with pytest.raises(Interrupted):
        make(checkpoints=tmp_path / "kept", progress=interrupt)
    assert not (tmp_path / "more").exists()
    steps: list[int] = []
    resumed = make(checkpoints=tmp_path / "kept", progress=lambda step, *_: steps.append(step))
    assert steps == list(range(stop_at + 1, 7))
    assert same(whole, resumed)
    assert (resumed.loss_before, resumed.loss_after) == (whole.loss_before, whole.loss_after)


def test_what_is_finished_is_not_done_again(make: Callable[..., Pretrained]) -> None:
    made = make()

    def never(*_: object) -> None:
        raise AssertionError

    assert make(progress=never) == Pretrained(
        made.folder, round(made.loss_before, 6), round(made.loss_after, 6), made.steps, made.note
    )
    record = json.loads((made.folder / RECORD).read_text(encoding="utf-8"))
    assert record["steps"] == 4
    (made.folder / RECORD).write_text("{", encoding="utf-8")
    steps: list[int] = []
    make(progress=lambda step, *_: steps.append(step))
    assert len(steps) == 6


def test_a_checkpoint_of_other_texts_is_refused(make: Callable[..., Pretrained], tmp_path: Path) -> None:
    make(checkpoints=tmp_path / "kept")
    assert (tmp_path / "kept" / LAST).exists()
    with pytest.raises(RunError, match="checkpoint of other settings, data or encoder"):
        make(checkpoints=tmp_path / "kept", texts=SENTENCES[:20])


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_exhausted_memory_halves_what_is_computed_at_once(
    make: Callable[..., Pretrained], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole = make(name, folder="whole", dropout=False)
    loss, events = LanguageModel.loss, []

    def limited(self: LanguageModel, guesses: Any) -> torch.Tensor:
        if len(guesses) > 2 and torch.is_grad_enabled():
            raise MemoryError
        return loss(self, guesses)

    monkeypatch.setattr(LanguageModel, "loss", limited)
    small = make(name, dropout=False, on_event=events.append)
    assert name == "gpt2" or any(event["event"] == "out of memory" for event in events)
    assert small.loss_after == pytest.approx(whole.loss_after, rel=1e-4)
    for key, tensor in weights(whole).items():
        torch.testing.assert_close(tensor, weights(small)[key], atol=2e-4, rtol=1e-3)


def test_what_is_hidden(architecture: Architecture, cpu: Device) -> None:
    model = LanguageModel.load(architecture("bert"), cpu, seed=0)
    row = model.rows([" ".join(["parcel early screen"] * 12)])[0]
    chosen = settings(masked_share=0.5)
    hidden = kept = changed = 0
    for number in range(300):
        guess = model.guess(row, np.random.default_rng(number), chosen)
        assert len(guess.places) in {17, 18, 19}
        np.testing.assert_array_equal(guess.answers, row[guess.places])
        assert not set(row[guess.places].tolist()) & model.special
        there = guess.ids[guess.places]
        hidden += int((there == model.tokenizer.mask_token_id).sum())
        kept += int((there == guess.answers).sum())
        changed += len(there)
    assert hidden / changed == pytest.approx(0.8, abs=0.02)
    assert kept / changed == pytest.approx(0.1, abs=0.02)


def test_long_texts_are_read_to_their_end(architecture: Architecture, cpu: Device) -> None:
    model = LanguageModel.load(architecture("bert"), cpu, seed=0, max_length=10)
    rows = model.rows(["the parcel came early " * 5, "", "parcel"])
    assert [len(row) for row in rows] == [10, 10, 6]


def test_what_cannot_be_pre_trained_is_refused(
    make: Callable[..., Pretrained], architecture: Architecture, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="at least two unlabelled texts"):
        make(texts=["the parcel came early", "the parcel came early"])
    without = tmp_path / "without"
    shutil.copytree(architecture("bert"), without)
    details = json.loads((without / "tokenizer_config.json").read_text(encoding="utf-8"))
    del details["mask_token"]
    (without / "tokenizer_config.json").write_text(json.dumps(details | {"tokenizer_class": "TokenizersBackend"}))
    with pytest.raises(InputError, match="no token that hides others"):
        make(encoder=without)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="cannot be pre-trained further"):
        make(encoder=tmp_path / "nothing")
