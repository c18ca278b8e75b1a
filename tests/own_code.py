"""A tiny encoder whose type transformers does not know: its Python code lies beside its weights."""

import json
from pathlib import Path

from tests.architectures import write_architecture

CONFIGURATION = """
from transformers import PretrainedConfig


class OwnConfig(PretrainedConfig):
    model_type = "own-encoder"

    def __init__(self, vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, **others):
        self.vocab_size, self.hidden_size, self.num_hidden_layers = vocab_size, hidden_size, num_hidden_layers
        self.num_attention_heads = num_attention_heads
        super().__init__(**others)
"""
MODELLING = """
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput

from .configuration_own import OwnConfig


class OwnPreTrainedModel(PreTrainedModel):
    config_class = OwnConfig
    base_model_prefix = "own"

    def _init_weights(self, module):
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.data.normal_(std=0.2)


class OwnModel(OwnPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)
        width = config.hidden_size
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(config.num_hidden_layers))
        self.post_init()

    def get_input_embeddings(self):
        return self.words

    def forward(self, input_ids=None, attention_mask=None, **others):
        hidden = self.words(input_ids)
        for layer in self.layers:
            hidden = hidden + layer(hidden).tanh()
        return BaseModelOutput(last_hidden_state=hidden)


class OwnForSequenceClassification(OwnPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.own = OwnModel(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, labels=None, **others):
        hidden = self.own(input_ids).last_hidden_state
        return SequenceClassifierOutput(logits=self.classifier(hidden[:, 1]))
"""


def write_own_code(folder: Path) -> Path:
    """Write the model, with random weights, and the tokenizer of a BERT."""
    import torch
    from safetensors.torch import save_file

    write_architecture(folder, "bert")
    for name in ("config.json", "model.safetensors"):
        (folder / name).unlink()
    (folder / "configuration_own.py").write_text(CONFIGURATION, encoding="utf-8")
    (folder / "modeling_own.py").write_text(MODELLING, encoding="utf-8")
    tokens = len(json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    config = {
        "model_type": "own-encoder", "architectures": ["OwnModel"], "vocab_size": tokens, "hidden_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 48, "pad_token_id": 0,
        "auto_map": {
            "AutoConfig": "configuration_own.OwnConfig",
            "AutoModel": "modeling_own.OwnModel",
            "AutoModelForSequenceClassification": "modeling_own.OwnForSequenceClassification",
        },
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    draw = torch.Generator().manual_seed(3)
    shapes = {"words.weight": (tokens, 32)}
    shapes |= {
        f"layers.{n}.{kind}": (32, 32) if kind == "weight" else (32,) for n in (0, 1) for kind in ("weight", "bias")
    }
    weights = {name: torch.randn(shape, generator=draw) * 0.2 for name, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
