"""Generators that learn: losses fall, preferences are learnt, adapters equal merged models, training goes on."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from advisor.backend.alignment import trainers
from advisor.backend.alignment.fitting import Aligned, align
from advisor.backend.alignment.generator import Generator
from advisor.backend.alignment.observing import observe
from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.devices import Device
from advisor.backend.evaluation import headline
from advisor.backend.loading import quiet_transformers
from advisor.errors import InputError, RunError
from tests.backend.alignment.conftest import ASKED, MakeGenerator, quick, rows_of

KINDS = {"sft": "demonstrations", "dpo": "pairs", "kto": "thumbs"}


class Stopped(Exception):
    """What takes the place of a crash."""


def fit(base: Path, kind: str, folder: Path, settings: AlignmentSettings, device: Device, **changes: Any) -> Aligned:
    rows = rows_of(KINDS[kind])
    options: dict[str, Any] = {"validation": rows.take(list(range(len(ASKED)))), "seed": 3, **changes}
    return align(
        base,
        "generation" if kind == "sft" else "preference",
        ["sft"] if kind == "sft" else ["sft", kind],  # type: ignore[list-item]
        rows,
        settings=settings,
        device=device,
        workspace=folder,
        **options,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "chat"), [("adapters", True), ("all", False)])
def test_demonstrations_are_learnt(
    weights: str, chat: bool, generator: MakeGenerator, cpu: Device, tmp_path: Path
) -> None:
    base, rows = generator(chat=chat), rows_of("demonstrations", 1)
    before = Generator.pretrained(base, cpu, task="generation", max_length=None, answer_tokens=12)
    found = fit(base, "sft", tmp_path, quick(weights=weights), cpu)
    told = found.stages["sft"]
    assert told["last_loss"] < told["first_loss"]
    after = headline("generation", observe(found.model, rows).numbers, rows, [])
    assert after["perplexity"] < headline("generation", observe(before, rows).numbers, rows, [])["perplexity"]
    best = min(entry["eval_loss"] for entry in told["evaluations"])
    assert math.log(after["perplexity"]) == pytest.approx(best, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["adapters", "all"])
@pytest.mark.parametrize("kind", ["dpo", "kto"])
def test_preferences_are_learnt(kind: str, weights: str, generator: MakeGenerator, cpu: Device, tmp_path: Path) -> None:
    rows = rows_of(KINDS[kind], 1)
    found = fit(generator(chat=True), kind, tmp_path, quick(weights=weights, chosen_weight=0), cpu)
    numbers = observe(found.model, rows).numbers
    measures = headline("preference", numbers, rows, [])
    assert measures["preference_accuracy"] > 0.9
    assert measures["margin"] > 0
    assert set(found.stages) == {"sft", kind}
    told = found.stages[kind]["evaluations"]
    if kind == "dpo":
        margins = 0.1 * (numbers[:, 0] - numbers[:, 2] - numbers[:, 3] + numbers[:, 5])
        loss = float(np.log1p(np.exp(-margins)).mean())
        assert min(entry["eval_loss"] for entry in told) == pytest.approx(loss, abs=1e-3)


@pytest.mark.slow
def test_chosen_answers_stay_likely_where_writing_them_counts(
    generator: MakeGenerator, cpu: Device, tmp_path: Path
) -> None:
    base, rows, likely = generator(chat=True), rows_of("pairs", 1), []
    for weight in (0, 1):
        found = fit(base, "dpo", tmp_path / str(weight), quick(weights="all", chosen_weight=weight), cpu)
        numbers = observe(found.model, rows).numbers
        assert headline("preference", numbers, rows, [])["preference_accuracy"] > 0.9
        likely.append(float(numbers[:, 0].sum() / numbers[:, 1].sum()))
    assert likely[1] > likely[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_adapters_kept_apart_give_the_logits_of_merged_ones(
    kind: str, generator: MakeGenerator, cpu: Device, tmp_path: Path
) -> None:
    from peft import PeftModel

    base = generator(kind, chat=True)
    merged = fit(base, "dpo", tmp_path / "fit", quick(), cpu).model
    apart = fit(base, "dpo", tmp_path / "apart", quick(export="adapter"), cpu).model
    for name, model in (("merged", merged), ("adapter", apart)):
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)
    ids = torch.tensor([merged.chats.prompt(ASKED[0])])
    whole = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    with quiet_transformers():
        adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "adapter").eval()
    untuned = AutoModelForCausalLM.from_pretrained(base).eval()
    with torch.no_grad():
        one, other, before = (model(ids).logits for model in (whole, adapted, untuned))
    assert torch.allclose(one, other, atol=1e-4)
    assert not torch.allclose(one, before, atol=1e-2)
    loaded = Generator.load(tmp_path / "adapter", cpu)
    assert np.allclose(loaded.outputs(ASKED), merged.outputs(ASKED), atol=1e-4)
    assert np.allclose(apart.outputs(ASKED), merged.outputs(ASKED), atol=1e-4)
    assert not (tmp_path / "adapter" / "model.safetensors").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("stopped", "weights"), [("sft", "all"), ("dpo", "adapters")])
def test_training_goes_on_where_it_was_stopped(
    stopped: str, weights: str, generator: MakeGenerator, cpu: Device, tmp_path: Path
) -> None:
    base, settings = generator(chat=True), quick(weights=weights, evaluations=4)
    whole = fit(base, "dpo", tmp_path / "whole", settings, cpu)
    seen: list[dict[str, Any]] = []

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "losses" and event["stage"] == stopped and event["step"] > 6:
            raise Stopped

    with pytest.raises(Stopped):
        fit(base, "dpo", tmp_path / "parts", settings, cpu, on_event=stop)
    again = fit(base, "dpo", tmp_path / "parts", settings, cpu, on_event=seen.append)
    resumed = [event for event in seen if event["event"] == "resumed"]
    assert [event["stage"] for event in resumed] == [stopped]
    assert resumed[0]["step"] > 0
    assert np.allclose(again.model.outputs(ASKED), whole.model.outputs(ASKED), atol=1e-4)
    done: list[dict[str, Any]] = []
    fit(base, "dpo", tmp_path / "parts", settings, cpu, on_event=done.append)
    assert {event["event"] for event in done} == {"tuned"}


@pytest.mark.slow
def test_running_out_of_memory_halves_what_is_computed_at_once(
    generator: MakeGenerator, cpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, seen = trainers._trainer, []

    def small(course: trainers.Course, at_once: int) -> Any:
        seen.append(at_once)
        if at_once > 2:
            raise MemoryError
        return made(course, at_once)

    monkeypatch.setattr(trainers, "_trainer", small)
    fit(generator(chat=True), "sft", tmp_path, quick(), cpu)
    assert seen == [8, 4, 2]


def test_checkpoints_of_other_settings_are_refused(generator: MakeGenerator, cpu: Device, tmp_path: Path) -> None:
    (tmp_path / "last").mkdir()
    (tmp_path / "last" / "of.json").write_text(json.dumps({"fingerprint": "another"}), encoding="utf-8")
    with pytest.raises(RunError, match="checkpoints of other settings, data or model"):
        fit(generator(), "sft", tmp_path, quick(), cpu)


def test_unfinished_checkpoints_are_passed_over(tmp_path: Path) -> None:
    for name, whole in (("checkpoint-2", True), ("checkpoint-10", True), ("checkpoint-12", False)):
        (tmp_path / name).mkdir()
        if whole:
            (tmp_path / name / "trainer_state.json").touch()
    found = trainers._whole_checkpoint(tmp_path)
    assert found == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-12").exists()


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="no adapter to keep"):
        quick(weights="all", export="adapter")


def test_judgements_of_one_kind_are_refused() -> None:
    from advisor.backend.alignment.lessons import Lessons

    with pytest.raises(InputError, match="kto needs approved and disapproved answers"):
        trainers._weights(Lessons([{"label": True}] * 3, 1, 0, 0))
    weights = trainers._weights(Lessons([{"label": True}] * 3 + [{"label": False}], 1, 0, 0))
    assert weights == {"desirable_weight": 1.0, "undesirable_weight": 3.0}
