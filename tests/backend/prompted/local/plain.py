"""Scores and answers by plain transformers, one prompt and one choice at a time: what ours must equal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from advisor.backend.loading import quiet_transformers
from advisor.backend.prompted.prompt import Prompt


def opened(folder: Path, auto: str) -> tuple[Any, Any]:
    """Return the model and its tokenizer."""
    with quiet_transformers():
        model = getattr(transformers, auto).from_pretrained(folder, dtype=torch.float32).eval()
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def prompt_text(tokenizer: Any, prompt: Prompt) -> tuple[str, str]:
    """Return a prompt's text and what stands between it and its answer."""
    if tokenizer.chat_template:
        return tokenizer.apply_chat_template(prompt.messages(), tokenize=False, add_generation_prompt=True), ""
    return prompt.text(), " "


def causal_scores(folder: Path, prompts: Sequence[Prompt], choices: Sequence[str]) -> Any:
    model, tokenizer = opened(folder, "AutoModelForCausalLM")
    found = np.zeros((len(prompts), len(choices)))
    for row, prompt in enumerate(prompts):
        text, lead = prompt_text(tokenizer, prompt)
        before = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        for column, choice in enumerate(choices):
            ids = torch.tensor([tokenizer(text + lead + choice, add_special_tokens=False)["input_ids"]])
            with torch.inference_mode():
                likely = model(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
            found[row, column] = likely[range(before - 1, ids.shape[1] - 1), ids[0, before:]].mean()
    return found


def seq2seq_scores(folder: Path, prompts: Sequence[Prompt], choices: Sequence[str]) -> Any:
    model, tokenizer = opened(folder, "AutoModelForSeq2SeqLM")
    found = np.zeros((len(prompts), len(choices)))
    for row, prompt in enumerate(prompts):
        inputs = tokenizer(prompt.text(), return_tensors="pt")
        for column, choice in enumerate(choices):
            labels = torch.tensor([tokenizer(text_target=choice)["input_ids"]])
            with torch.inference_mode():
                logits = model(input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, labels=labels).logits
            likely = logits[0].log_softmax(-1)[range(labels.shape[1]), labels[0]]
            around = {*tokenizer.all_special_ids} - {tokenizer.unk_token_id}
            words = [place for place, token in enumerate(labels[0].tolist()) if token not in around]
            found[row, column] = likely[words].mean()
    return found


def causal_likelihoods(folder: Path, prompts: Sequence[Prompt], answers: Sequence[str]) -> Any:
    """Return summed log-likelihood and tokens of an answer a prompt, with what the template puts behind it."""
    model, tokenizer = opened(folder, "AutoModelForCausalLM")
    found = []
    for prompt, answer in zip(prompts, answers, strict=True):
        text, lead = prompt_text(tokenizer, prompt)
        whole = f"{text}{lead}{answer}\n\n"
        if tokenizer.chat_template:
            said = [*prompt.messages(), {"role": "assistant", "content": answer}]
            whole = tokenizer.apply_chat_template(said, tokenize=False)
        before = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        ids = torch.tensor([tokenizer(whole, add_special_tokens=False)["input_ids"]])
        with torch.inference_mode():
            likely = model(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
        own = likely[range(before - 1, ids.shape[1] - 1), ids[0, before:]]
        found.append((float(own.sum()), len(own)))
    return np.array(found)


def seq2seq_likelihoods(folder: Path, prompts: Sequence[Prompt], answers: Sequence[str]) -> Any:
    """Return summed log-likelihood and tokens of an answer a prompt, the token that ends it included."""
    model, tokenizer = opened(folder, "AutoModelForSeq2SeqLM")
    found = []
    for prompt, answer in zip(prompts, answers, strict=True):
        inputs, labels = tokenizer(prompt.text(), return_tensors="pt"), torch.tensor([tokenizer(answer)["input_ids"]])
        with torch.inference_mode():
            logits = model(input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, labels=labels).logits
        likely = logits[0].log_softmax(-1)[range(labels.shape[1]), labels[0]]
        counted = [place for place, token in enumerate(labels[0].tolist()) if place or token != tokenizer.bos_token_id]
        found.append((float(likely[counted].sum()), len(counted)))
    return np.array(found)


def masked_scores(folder: Path, prompts: Sequence[Prompt], choices: Sequence[str]) -> Any:
    model, tokenizer = opened(folder, "AutoModelForMaskedLM")
    found = np.zeros((len(prompts), len(choices)))
    for row, prompt in enumerate(prompts):
        text = prompt.text()
        before = len(tokenizer(text)["input_ids"]) - 1
        for column, choice in enumerate(choices):
            whole = tokenizer(f"{text} {choice}", return_tensors="pt").input_ids
            end, likely = whole.shape[1] - 1, []
            for place in range(before, end):
                gaps = whole.clone()
                gaps[0, place:end] = tokenizer.mask_token_id
                with torch.inference_mode():
                    likely.append(model(input_ids=gaps).logits[0, place].log_softmax(-1)[whole[0, place]])
            found[row, column] = torch.stack(likely).mean()
    return found


def entailment_scores(folder: Path, prompts: Sequence[Prompt], choices: Sequence[str]) -> Any:
    model, tokenizer = opened(folder, "AutoModelForSequenceClassification")
    found = np.zeros((len(prompts), len(choices)))
    for row, prompt in enumerate(prompts):
        for column, choice in enumerate(choices):
            with torch.inference_mode():
                logits = model(**tokenizer(prompt.question, choice, return_tensors="pt")).logits[0]
            found[row, column] = logits.log_softmax(-1)[1]
    return found


def greedy(folder: Path, auto: str, prompt: Prompt, tokens: int) -> list[int]:
    """Return the tokens that `generate` writes after a prompt."""
    model, tokenizer = opened(folder, auto)
    text, _ = prompt_text(tokenizer, prompt)
    ids = tokenizer(text, add_special_tokens=model.config.is_encoder_decoder, return_tensors="pt")
    with quiet_transformers(), torch.inference_mode():
        made = model.generate(
            input_ids=ids.input_ids, attention_mask=ids.attention_mask, do_sample=False, max_new_tokens=tokens,
            pad_token_id=0,
        )[0]  # fmt: skip
    return list(made.tolist()[1 if model.config.is_encoder_decoder else ids.input_ids.shape[1] :])
