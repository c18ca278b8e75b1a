"""The wide encoder: a BERT of random weights beside the embedded one, so that what grows with the width is measured."""

import json
import shutil
from pathlib import Path

import torch

from advisor.backend.loading import quiet_transformers

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
_HEAD_UNITS = 64


def write_wide_encoder(source: Path, folder: Path, *, hidden: int, layers: int) -> Path:
    """Write an encoder with the tokenizer of another BERT and other sizes; return its folder.

    Args:
        source: folder of a BERT.
        folder: a new one.
        hidden: its width, a multiple of 64; feed-forward layers are four times as wide.
        layers: how many.
    """
    from transformers import BertConfig, BertModel

    given = json.loads((source / "config.json").read_text(encoding="utf-8"))
    sizes = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // _HEAD_UNITS,
        "intermediate_size": 4 * hidden,
    }
    folder.mkdir(parents=True)
    with torch.random.fork_rng(), quiet_transformers():
        BertModel(BertConfig(**given | sizes)).save_pretrained(folder)
    for name in _TOKENIZER:
        if (source / name).exists():
            shutil.copy(source / name, folder / name)
    return folder
