"""Loading of weights and tokenizers from a folder: quietly, and with one sentence where it fails."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from advisor.backend.bert import read_bert
from advisor.backend.remote_code import allowed
from advisor.errors import InputError


@contextmanager
def loading(folder: Path, failed: str) -> Iterator[None]:
    """Load quietly, and turn what transformers raises into one sentence.

    Args:
        folder: what is loaded.
        failed: what to say of it when that fails.

    Raises:
        InputError: it failed.
    """
    try:
        with quiet_transformers():
            yield
    except (OSError, ValueError, ImportError, SafetensorError) as failure:
        reason = str(failure).strip().partition("\n")[0]
        if "trust_remote_code" in str(failure):
            reason = "it comes with Python code of its own; read that, then allow it by --trust-remote-code"
        raise InputError(f"{folder}: {failed} ({reason})") from None


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from writing progress bars and notices about discarded heads."""
    from transformers import utils

    reports: Any = utils.logging

    verbosity, bars = reports.get_verbosity(), reports.is_progress_bar_enabled()
    reports.set_verbosity(logging.ERROR)
    reports.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        reports.set_verbosity(verbosity)
        if bars:
            reports.enable_progress_bar()


def load_weights(folder: Path, dtype: torch.dtype, *, fused: bool = True, dropout: bool = False) -> Any:
    """Load a model without heads; fused attention where its type has it.

    Args:
        folder: where its files are.
        dtype: of the weights.
        fused: whether attention is one fused kernel.
        dropout: whether the model must have its own dropout.
    """
    model = None if dropout else read_bert(folder, dtype=dtype, fused=fused)
    if model is not None:
        return model
    from transformers import AutoModel

    attention = None if fused else "eager"
    return AutoModel.from_pretrained(
        folder, dtype=dtype, attn_implementation=attention, trust_remote_code=allowed(folder)
    )


def load_tokenizer(folder: Path, *, words: bool = False) -> Any:
    """Load a tokenizer that pads on the right, with its end of text where it has no padding token (decoders).

    Args:
        folder: where its files are.
        words: whether it is given words, as `tokenizer_of_words` has it.

    Raises:
        OSError: the folder holds no tokenizer.
        ValueError: the tokenizer cannot be made, or has no token to pad with.
    """
    tokenizer = _tokenizer(folder)
    return tokenizer_of_words(tokenizer, folder) if words else tokenizer


def tokenizer_of_words(tokenizer: Any, folder: Path) -> Any:
    """Return a tokenizer for words that are told apart: one that knows a word's start by a space is told to see one.

    Args:
        tokenizer: as `load_tokenizer` made it.
        folder: where its files are.
    """
    if getattr(tokenizer, "add_prefix_space", None) is not False:
        return tokenizer
    return _tokenizer(folder, add_prefix_space=True)


def _tokenizer(folder: Path, **options: Any) -> Any:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=allowed(folder), **options)
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise ValueError("its tokenizer knows no words; tokenizer.json, or the vocabulary, is missing")
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        if not (tokenizer.eos_token or tokenizer.unk_token):
            raise ValueError("its tokenizer has no token to pad with; give it a pad_token in tokenizer_config.json")
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def pad_alike(config: Any, tokenizer: Any) -> None:
    """Tell a decoder what its tokenizer pads with: its head looks for the last token before."""
    text = config.get_text_config()
    if text.pad_token_id is None or is_decoder(text):
        text.pad_token_id = tokenizer.pad_token_id


def is_decoder(config: Any) -> bool:
    """Whether a token sees only those before it: the types that transformers can have write but not fill gaps."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    kind = config.model_type
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
