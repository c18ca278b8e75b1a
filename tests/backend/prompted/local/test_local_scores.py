"""Scores equal those of plain transformers, however prompts are packed, batched and cached."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from advisor.backend.alignment.generator import Generator
from advisor.backend.devices import Device
from advisor.backend.prompted.local import load_language_model
from advisor.backend.prompted.local.causal import CausalModel, best_reader
from advisor.backend.prompted.local.copying import CopyingReader
from advisor.backend.prompted.local.packed import PackedReader
from advisor.backend.prompted.local.reader import CausalNet
from advisor.backend.prompted.local.whole import WholeReader
from advisor.backend.prompted.prompt import Prompt
from advisor.errors import RunError
from tests.backend.prompted.local import plain
from tests.backend.prompted.local.conftest import CHOICES, PROMPTS
from tests.language_models import COPYING, SHARING, WHOLE

Folder = Callable[[str], Path]


@pytest.mark.parametrize("name", [*SHARING, *COPYING, *WHOLE])
def test_causal_models_score_as_plain_transformers_do(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    assert isinstance(model, CausalModel)
    kinds = {PackedReader: SHARING, CopyingReader: COPYING, WholeReader: WHOLE}
    assert name in kinds[type(model.reader)]  # type: ignore[index]
    scores = model.score(PROMPTS, CHOICES)
    np.testing.assert_allclose(scores, plain.causal_scores(language_model(name), PROMPTS, CHOICES), atol=1e-4)
    assert (model.reads, model.writes) == ("prompts", True)


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_sequence_to_sequence_models_do(language_model: Folder, cpu: Device, name: str) -> None:
    scores = load_language_model(language_model(name), cpu, name=name).score(PROMPTS[:3], CHOICES)
    np.testing.assert_allclose(scores, plain.seq2seq_scores(language_model(name), PROMPTS[:3], CHOICES), atol=1e-4)


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_masked_models_do(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    np.testing.assert_allclose(
        model.score(PROMPTS[:3], CHOICES), plain.masked_scores(language_model(name), PROMPTS[:3], CHOICES), atol=1e-4
    )
    assert (model.reads, model.writes) == ("prompts", False)


def test_models_of_entailment_do(language_model: Folder, cpu: Device) -> None:
    model = load_language_model(language_model("nli"), cpu, name="nli")
    hypotheses = ["this is praise.", "this is about delivery."]
    np.testing.assert_allclose(
        model.score(PROMPTS, hypotheses), plain.entailment_scores(language_model("nli"), PROMPTS, hypotheses), atol=1e-4
    )
    assert (model.reads, model.writes) == ("hypotheses", False)


ANSWERS = ["praise", "it is praise, I think.", "a question about delivery to Norway", "€ 5 – schön", "complaint"]


@pytest.mark.parametrize("name", ["llama", "llama-chat", "llama-chat-without-system", "gpt2", "bloom", "mamba"])
def test_given_answers_are_as_likely_as_plain_transformers_say(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    prompts = [prompt._replace(instruction="") for prompt in PROMPTS] if name.endswith("system") else PROMPTS
    steps: list[tuple[int, int]] = []
    found = model.likelihoods(prompts, ANSWERS, lambda done, total: steps.append((done, total)))
    expected = plain.causal_likelihoods(language_model(name), prompts, ANSWERS)
    np.testing.assert_array_equal(found[:, 1], expected[:, 1])
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e-4)
    assert steps[-1] == (5, 5)
    assert model.likelihoods([], []).shape == (0, 2)


def test_a_bare_prompt_finds_answers_as_likely_as_the_model_before_tuning(language_model: Folder, cpu: Device) -> None:
    folder, questions = language_model("llama-chat"), [prompt.question for prompt in PROMPTS]
    prompted = load_language_model(folder, cpu, name="llama-chat")
    found = prompted.likelihoods([Prompt("", (), question, "Answer:") for question in questions], ANSWERS)
    untuned = Generator.pretrained(folder, cpu, task="generation", max_length=None, answer_tokens=8)
    np.testing.assert_allclose(found, untuned.likelihoods(questions, ANSWERS), rtol=1e-4)


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_so_are_those_of_sequence_to_sequence_models(language_model: Folder, cpu: Device, name: str) -> None:
    found = load_language_model(language_model(name), cpu, name=name).likelihoods(PROMPTS, ANSWERS)
    np.testing.assert_allclose(found, plain.seq2seq_likelihoods(language_model(name), PROMPTS, ANSWERS), rtol=1e-4)


def test_an_answer_that_does_not_fit_is_cut(language_model: Folder, cpu: Device) -> None:
    model = load_language_model(language_model("llama"), cpu, name="llama")
    assert isinstance(model, CausalModel)
    whole = model.likelihoods(PROMPTS[:1], ["praise " * 40])
    model.context = model.tokens(PROMPTS[0]) + 5
    (cut,) = model.likelihoods(PROMPTS[:1], ["praise " * 40])
    assert cut[1] == 5 < whole[0, 1] and whole[0, 0] < cut[0] < 0


@pytest.mark.parametrize("name", ["bert", "nli"])
def test_models_that_do_not_write_tell_nothing(language_model: Folder, cpu: Device, name: str) -> None:
    found = load_language_model(language_model(name), cpu, name=name).likelihoods(PROMPTS, ANSWERS)
    assert found.shape == (5, 2) and not found.any()


@pytest.mark.parametrize("name", ["llama", "mistral-window", "bloom", "lfm2", "mamba", "t5", "bert", "nli"])
def test_a_prompt_alone_scores_as_among_others(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    together = model.score(PROMPTS, CHOICES)
    for _ in range(2):
        alone = [model.score([prompt], CHOICES)[0] for prompt in reversed(PROMPTS)]
        np.testing.assert_allclose(alone[::-1], together, atol=1e-5)
    np.testing.assert_array_equal(
        load_language_model(language_model(name), cpu, name=name).score(PROMPTS, CHOICES), together
    )


@pytest.mark.parametrize("name", ["llama", "t5", "bert", "nli"])
def test_no_prompts_have_no_scores(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    assert model.score([], CHOICES).shape == (0, len(CHOICES))
    assert model.usage.requests == 0


@pytest.mark.parametrize("name", ["llama", "bloom"])
def test_what_prompts_share_is_computed_once(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    assert isinstance(model, CausalModel)
    taken_in = record_tokens(model)
    wholes = [model.tokens(prompt) * (1 if name == "llama" else len(CHOICES)) for prompt in PROMPTS]
    model.score(PROMPTS, CHOICES)
    assert sum(taken_in) < 0.6 * sum(wholes)
    taken_in.clear()
    model.score(PROMPTS[:1], CHOICES)
    model.score(PROMPTS[1:2], CHOICES)
    taken_in.clear()
    model.score(PROMPTS[:1], CHOICES)
    assert sum(taken_in) < wholes[0] / 2, "what the last prompts shared serves the next ones too"


@pytest.mark.parametrize("name", ["llama", "bloom", "t5", "bert", "nli"])
def test_scarce_memory_makes_batches_smaller(language_model: Folder, cpu: Device, name: str) -> None:
    model: Any = load_language_model(language_model(name), cpu, name=name)
    expected = model.score(PROMPTS, CHOICES)
    fail_beyond(model, 3 * expected.size * 10)
    np.testing.assert_allclose(model.score(PROMPTS, CHOICES), expected, atol=1e-5)
    fail_beyond(model, 1)
    for prompts in (PROMPTS, [prompt._replace(instruction="another one", turns=()) for prompt in PROMPTS]):
        with pytest.raises(RunError, match="not even one prompt fits in memory"):
            model.score(prompts, CHOICES)


@pytest.mark.parametrize("name", ["llama", "bloom", "t5", "bert", "nli"])
def test_half_precision_scores_alike(language_model: Folder, name: str) -> None:
    exact, rough = (
        load_language_model(language_model(name), Device("cpu", precision, "for tests"), name=name)
        for precision in ("fp32", "bf16")
    )
    np.testing.assert_allclose(rough.score(PROMPTS, CHOICES), exact.score(PROMPTS, CHOICES), atol=0.2)
    if isinstance(exact, CausalModel) and isinstance(rough, CausalModel):
        assert type(rough.reader) is type(exact.reader)


def test_progress_counts_prompts(language_model: Folder, cpu: Device) -> None:
    for name in ("llama", "bloom", "t5", "bert", "nli"):
        reported: list[tuple[int, int]] = []
        model = load_language_model(language_model(name), cpu, name=name)
        model.score(PROMPTS, CHOICES, lambda done, total, seen=reported: seen.append((done, total)))
        assert reported[-1] == (len(PROMPTS), len(PROMPTS))
        assert reported == sorted(reported)
        assert model.usage == (len(PROMPTS), model.usage.tokens_in, 0, 0.0)
        assert model.usage.tokens_in > 100


def test_a_model_that_packs_wrongly_is_read_otherwise(
    language_model: Folder, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_language_model(language_model("llama"), cpu, name="llama")
    assert isinstance(model, CausalModel)
    net: CausalNet = model.reader.net  # type: ignore[attr-defined]
    plainly = net.logits

    def without_positions(wanted: Any = None, **inputs: Any) -> Any:
        return plainly(wanted, **{key: value for key, value in inputs.items() if key != "position_ids"})

    monkeypatch.setattr(net, "logits", without_positions)
    assert type(best_reader(net)) is CopyingReader
    monkeypatch.setattr(net, "goes_on", lambda ids, cache=None: (None, None))
    assert type(best_reader(net)) is WholeReader


def record_tokens(model: CausalModel) -> list[int]:
    """Return a list that every forward pass adds its number of tokens to."""
    taken_in: list[int] = []
    net: CausalNet = model.reader.net  # type: ignore[attr-defined]
    plainly = net.logits

    def logits(wanted: Any = None, **inputs: Any) -> Any:
        taken_in.append(inputs["input_ids"].numel())
        return plainly(wanted, **inputs)

    def goes_on(ids: Any, cache: Any = None) -> Any:
        taken_in.append(ids.numel())
        return plainly_going_on(ids, cache)

    plainly_going_on = net.goes_on
    net.logits, net.goes_on = logits, goes_on  # type: ignore[method-assign]
    return taken_in


def fail_beyond(model: Any, tokens: int) -> None:
    """Let memory run out for more tokens than these at once."""
    inner = model.reader.net.model if hasattr(model, "reader") else model.model
    inner = getattr(inner, "encoder", None) or inner
    forward = getattr(inner, "full_forward", inner.forward)
    inner.full_forward = forward

    def scarce(*args: Any, **inputs: Any) -> Any:
        if inputs["input_ids"].numel() > tokens:
            raise torch.OutOfMemoryError("out of memory")
        return forward(*args, **inputs)

    inner.forward = scarce
