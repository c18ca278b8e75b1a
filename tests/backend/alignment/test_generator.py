"""Generators against plain transformers: likelihoods, written answers, files; and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from advisor.backend.alignment.generator import Generator
from advisor.backend.alignment.observing import observe
from advisor.backend.devices import Device
from advisor.backend.predictor import load_model, writes
from advisor.errors import InputError
from advisor.tasks import Chat, Message
from tests.backend.alignment.conftest import ASKED, OTHER, RIGHT, MakeGenerator, rows_of

KINDS = ["llama", "qwen2", "mistral", "gpt2"]
TALK = Chat((Message("system", "be brief"), Message("user", "which colour has the sky?")))


def opened(folder: Path, cpu: Device, **changes: Any) -> Generator:
    return Generator.pretrained(
        folder, cpu, **{"task": "generation", "max_length": None, "answer_tokens": 12, **changes}
    )


def plainly(folder: Path, prompt: list[dict[str, str]], answer: str) -> tuple[float, int]:
    """Log-likelihood and tokens of an answer by transformers alone."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    start = len(tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False))
    said = [*prompt, {"role": "assistant", "content": answer}]
    ids = torch.tensor([tokenizer.apply_chat_template(said, return_dict=False)])
    with torch.no_grad():
        chances = model(ids).logits[0].log_softmax(-1)
    picked = chances[start - 1 : -1].gather(1, ids[0, start:, None])
    return float(picked.sum()), len(picked)


@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_are_those_of_plain_transformers(kind: str, generator: MakeGenerator, cpu: Device) -> None:
    folder = generator(kind, chat=True)
    model = opened(folder, cpu)
    inputs, answers = [*ASKED[:3], TALK], [RIGHT[0], OTHER, "a", RIGHT[0]]
    found = model.likelihoods(inputs, answers)
    for one, answer, line in zip(inputs, answers, found, strict=True):
        assert line.tolist() == pytest.approx(plainly(folder, model.chats.messages(one), answer), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_plain_transformers(kind: str, generator: MakeGenerator, cpu: Device) -> None:
    folder = generator(kind, chat=True)
    model, tokenizer = opened(folder, cpu), AutoTokenizer.from_pretrained(folder)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    written = model.write([*ASKED[:3], TALK])
    for one, text in zip([*ASKED[:3], TALK], written, strict=True):
        ids = torch.tensor([model.chats.prompt(one)])
        ends = model.chats.ends(None)
        said = plain.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, eos_token_id=ends,
            pad_token_id=ends[0],
        )[0, ids.shape[1] :]  # fmt: skip
        assert (
            text == tokenizer.decode([token for token in said if token not in ends], skip_special_tokens=True).strip()
        )


def test_an_answer_that_does_not_fit_is_cut(generator: MakeGenerator, cpu: Device) -> None:
    folder = generator(chat=True)
    whole, short = opened(folder, cpu), opened(folder, cpu, max_length=30)
    prompt = len(whole.chats.prompt(ASKED[0]))
    assert short.likelihoods(ASKED[:1], ["it is blue. " * 20])[0, 1] == 30 - prompt
    assert opened(folder, cpu, max_length=16).likelihoods(["which colour? " * 20], ["blue"]).tolist() == [[0, 0]]
    assert len(short.write(["which colour? " * 50])) == 1


def test_what_was_written_loads_as_it_was(generator: MakeGenerator, cpu: Device, tmp_path: Path) -> None:
    model = opened(generator(dtype="bfloat16"), cpu, max_length=100)
    model.save(tmp_path)
    again = load_model(tmp_path, cpu)
    assert writes(again)
    assert isinstance(again, Generator)
    assert (again.task, again.max_length, again.answer_tokens) == ("generation", 100, 12)
    assert np.allclose(again.in_fp32().outputs(ASKED), model.in_fp32().outputs(ASKED), atol=1e-5)
    assert again.write(ASKED[:2]) == model.write(ASKED[:2])
    kept = AutoModelForCausalLM.from_pretrained(tmp_path, dtype="auto")
    assert kept.dtype == torch.bfloat16


def test_a_damaged_record_is_refused(generator: MakeGenerator, cpu: Device, tmp_path: Path) -> None:
    opened(generator(), cpu).save(tmp_path)
    (tmp_path / "generator.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path, cpu)


def test_observations_rest_on_likelihoods(generator: MakeGenerator, cpu: Device) -> None:
    model = opened(generator(chat=True), cpu)
    shown, texts = observe(model, rows_of("demonstrations", 1))
    assert np.array_equal(shown[:, :2], model.likelihoods(ASKED, RIGHT))
    assert texts == model.write(ASKED)
    assert shown[:, 4].tolist() == [1] * len(ASKED)
    model.task = "preference"
    paired = observe(model, rows_of("pairs", 1)).numbers
    chosen, rejected = model.likelihoods(ASKED, RIGHT), model.likelihoods(ASKED, [OTHER] * len(ASKED))
    assert np.allclose(paired[:, [0, 1, 3, 4]], np.hstack([chosen, rejected]), atol=1e-4)
    assert np.array_equal(paired[:, [2, 5]], paired[:, [0, 3]])
    assert observe(model, rows_of("thumbs", 1)).numbers[:, 4].tolist() == [0] * len(ASKED)


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_models_that_do_not_write_are_refused(name: str, architecture: Any, cpu: Device) -> None:
    with pytest.raises(InputError, match="name a causal language model"):
        opened(architecture(name, head=True), cpu)


def test_an_encoder_decoder_is_refused(tmp_path: Path, generator: MakeGenerator, cpu: Device) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained(generator())
    tokenizer.save_pretrained(tmp_path)
    config = T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="name a causal language model"):
        opened(tmp_path, cpu)
