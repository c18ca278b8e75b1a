"""Tiny encoders of several types, made from a config, with a tokenizer built on the spot."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

from advisor.backend.devices import Device

SENTENCE = "the a of good bad fine poor great awful film meal trip very not quite really service room"
WORDS = SENTENCE.split()
SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
    "type_vocab_size": 2,
}

MakeEncoder = Callable[..., Path]


@pytest.fixture(scope="session")
def cpu() -> Device:
    return Device("cpu", "fp32", "for tests")


@pytest.fixture(scope="session")
def make_encoder(tmp_path_factory: pytest.TempPathFactory) -> MakeEncoder:
    """Return a function that writes an encoder's folder: ``make_encoder(model_type, pooling, **config)``."""

    def make(model_type: str = "bert", pooling: str | None = "mean", **changes: object) -> Path:
        folder = tmp_path_factory.mktemp(model_type)
        vocabulary = {word: index for index, word in enumerate([*SPECIAL.values(), *WORDS])}
        tokens = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        tokens.pre_tokenizer = pre_tokenizers.Whitespace()
        ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
        tokens.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
        )
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, model_max_length=36, **SPECIAL)
        config = AutoConfig.for_model(model_type, vocab_size=len(vocabulary), pad_token_id=0, **{**SIZES, **changes})
        with torch.random.fork_rng():
            torch.manual_seed(7)
            AutoModel.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if pooling:
            (folder / "1_Pooling").mkdir()
            modes = {
                "pooling_mode_cls_token": pooling == "cls",
                "pooling_mode_mean_tokens": pooling == "mean",
                "pooling_mode_lasttoken": pooling == "last",
            }
            (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
        return folder

    return make
