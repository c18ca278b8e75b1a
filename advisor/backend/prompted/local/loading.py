"""Loading a language model from a folder: which kind it is, by its configuration and by what its files hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from advisor.backend.devices import Device
from advisor.backend.loading import load_tokenizer, loading
from advisor.backend.prompted.language_model import LanguageModel
from advisor.backend.prompted.local.causal import CausalModel
from advisor.backend.prompted.local.entailment import EntailmentModel, entailment_label
from advisor.backend.prompted.local.masked import MaskedModel
from advisor.backend.prompted.local.seq2seq import Seq2SeqModel
from advisor.backend.remote_code import allowed
from advisor.errors import InputError
from advisor.knowledge.pretrained import read_config, usable_positions

# Tokenizers without a limit declare an astronomical one.
_NO_LIMIT = 10**9
_STRETCHED = ("dynamic", "longrope", "su")


def load_language_model(folder: Path, device: Device, *, name: str) -> LanguageModel:
    """Return the language model in a folder, ready to answer.

    Args:
        folder: configuration, tokenizer and safetensors of a causal, sequence-to-sequence or masked language model, or
            of a classifier that tells entailment.
        device: where to compute; where it has bf16, in bf16.
        name: what to call it.

    Raises:
        InputError: there is none, its weights are pickled, or its files lack the head that answers.
    """
    with loading(folder, "no language model can be loaded from there"):
        config = read_config(folder)
        if not list(folder.glob("*.safetensors")):
            raise InputError(f"{folder}: no safetensors there; pickled weights can run code and are not loaded")
        kind = kind_of(config)
        tokenizer = load_tokenizer(folder)
        model = _load(folder, kind, device)
    context = _context(folder, config)
    if kind == "classifier":
        entailment = entailment_label(model.config)
        if entailment is None:
            raise InputError(
                f"{name}: a classifier without a label of entailment, so that it cannot be prompted; "
                "name a language model, or a classifier trained on natural language inference"
            )
        return EntailmentModel(name, model, tokenizer, device, context, entailment)
    made: dict[str, Callable[..., LanguageModel]]
    made = {"causal": CausalModel, "seq2seq": Seq2SeqModel, "masked": MaskedModel}
    return made[kind](name, model, tokenizer, device, context)


def kind_of(config: dict[str, Any]) -> str:
    """Return ``classifier``, ``seq2seq``, ``masked`` or ``causal``, by the class a model was saved from, or its type.

    Raises:
        InputError: it is none of these.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    made_as = str((config.get("architectures") or [""])[0])
    kind = config.get("model_type")
    if made_as.endswith("ForSequenceClassification"):
        return "classifier"
    if config.get("is_encoder_decoder") and kind in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
        return "seq2seq"
    if kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not made_as.endswith(("ForCausalLM", "LMHeadModel")):
        return "masked"
    if kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or made_as.endswith("ForCausalLM"):
        return "causal"
    raise InputError(
        f"models of type {kind!r} cannot be prompted here; name a causal, sequence-to-sequence or masked language "
        "model, or one trained on natural language inference"
    )


def _load(folder: Path, kind: str, device: Device) -> Any:
    """Return a model with the head that answers, on the device.

    Raises:
        InputError: its files do not hold all weights of that head.
    """
    import transformers

    made = {
        "causal": transformers.AutoModelForCausalLM,
        "seq2seq": transformers.AutoModelForSeq2SeqLM,
        "masked": transformers.AutoModelForMaskedLM,
        "classifier": transformers.AutoModelForSequenceClassification,
    }[kind]
    dtype = torch.bfloat16 if device.bf16 else torch.float32
    model, report = made.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, output_loading_info=True, trust_remote_code=allowed(folder)
    )
    if report["missing_keys"]:
        first = sorted(report["missing_keys"])[0]
        raise InputError(
            f"{folder}: its files lack weights of the language model ({first}), as an encoder's do; "
            "name a model that was saved with its head"
        )
    return model.to(device.torch).eval()


def _context(folder: Path, config: dict[str, Any]) -> int | None:
    """Return the tokens that fit: by the positions, and as the tokenizer declares."""
    limits = [usable_positions(config), steady_positions(config)]
    try:
        declared = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("model_max_length")
    except FileNotFoundError:
        declared = None
    limits.append(int(declared) if isinstance(declared, int | float) and 0 < declared < _NO_LIMIT else None)
    return min((limit for limit in limits if limit is not None), default=None)


def steady_positions(config: dict[str, Any]) -> int | None:
    """Return up to how many tokens a position means the same however long the text is; None where it always does.

    Some rotary encodings stretch all positions once a text is longer than those the model was first trained on. What
    prompts share could then not be computed once, for short and long ones would see it differently.
    """
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rotary.get("rope_type", rotary.get("type")) not in _STRETCHED:
        return None
    name = "original_max_position_embeddings"
    found = rotary.get(name) or config.get(name) or config.get("max_position_embeddings")
    return int(found) if found else None
