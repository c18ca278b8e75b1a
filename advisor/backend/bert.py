"""A BERT's forward pass without dropout, read from its own files: transformers' modelling code takes seconds to import.

Post-norm transformer layers as in Devlin et al. 2019 (arXiv:1810.04805). What another type, another activation or an
unusual file needs is left to transformers.
"""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from advisor.files import write_json

_PREFIX = "bert."
_BODY = ("embeddings.", "encoder.", "pooler.")
_EMBEDDINGS = {
    "words": "embeddings.word_embeddings",
    "places": "embeddings.position_embeddings",
    "kinds": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}
_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mixed": "attention.output.dense",
    "mixed_norm": "attention.output.LayerNorm",
    "widened": "intermediate.dense",
    "narrowed": "output.dense",
    "narrowed_norm": "output.LayerNorm",
}


class Bert(nn.Module):
    """A BERT without dropout and heads.

    Args:
        config: the content of ``config.json``.
        fused: whether attention is one fused kernel; plain products are faster in bf16 on a processor.
    """

    def __init__(self, config: dict[str, Any], *, fused: bool) -> None:
        super().__init__()
        self.config = SimpleNamespace(**config)
        width, epsilon = config["hidden_size"], config["layer_norm_eps"]
        self.words = _table(config["vocab_size"], width)
        self.places = _table(config["max_position_embeddings"], width)
        self.kinds = _table(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, epsilon)
        self.layers = nn.ModuleList(
            _Layer(width, config["intermediate_size"], config["num_attention_heads"], epsilon, fused)
            for _ in range(config["num_hidden_layers"])
        )

    def get_input_embeddings(self) -> nn.Embedding:
        """Return the table of token embeddings, as transformers names it."""
        return self.words

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, output_hidden_states: bool = False
    ) -> SimpleNamespace:
        """Return ``last_hidden_state``, (rows, length, hidden), from ids and mask, both (rows, length).

        With ``output_hidden_states`` also ``hidden_states``: the embeddings and what each layer makes of them.
        """
        hidden = self.words(input_ids) + self.places.weight[: input_ids.shape[1]] + self.kinds.weight[0]
        hidden = self.norm(hidden)
        padded = attention_mask is not None and not bool(attention_mask.all())
        seen = attention_mask[:, None, None, :].bool() if padded and attention_mask is not None else None
        states = [hidden]
        for layer in self.layers:
            hidden = layer(hidden, seen)
            if output_hidden_states:
                states.append(hidden)
        return SimpleNamespace(last_hidden_state=hidden, hidden_states=states if output_hidden_states else None)


class _Layer(nn.Module):
    """Attention among the tokens of a row, then two layers on each token, each added to its input and normalised."""

    def __init__(self, width: int, inner: int, heads: int, epsilon: float, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.query, self.key, self.value, self.mixed = (nn.Linear(width, width) for _ in range(4))
        self.widened, self.narrowed = nn.Linear(width, inner), nn.Linear(inner, width)
        self.mixed_norm, self.narrowed_norm = nn.LayerNorm(width, epsilon), nn.LayerNorm(width, epsilon)

    def forward(self, hidden: Tensor, seen: Tensor | None) -> Tensor:
        query, key, value = (
            made(hidden).unflatten(-1, (self.heads, -1)).transpose(1, 2) for made in (self.query, self.key, self.value)
        )
        if self.fused:
            attended = scaled_dot_product_attention(query, key, value, attn_mask=seen)
        else:
            scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
            if seen is not None:
                scores = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
            attended = scores.softmax(-1) @ value
        hidden = self.mixed_norm(hidden + self.mixed(attended.transpose(1, 2).flatten(2)))
        normalised: Tensor = self.narrowed_norm(hidden + self.narrowed(gelu(self.widened(hidden))))
        return normalised


def read_bert(folder: Path, *, dtype: torch.dtype, fused: bool) -> Bert | None:
    """Read a BERT from ``config.json`` and ``model.safetensors``; None where the folder holds anything else."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if not _plain(config):
            return None
        weights = {
            name.removeprefix(_PREFIX): tensor for name, tensor in load_file(folder / "model.safetensors").items()
        }
        with torch.device("meta"):
            model = Bert(config, fused=fused)
        names = {name: _file_name(name) for name in model.state_dict()}
        model.load_state_dict({name: weights[kept].to(dtype) for name, kept in names.items()}, assign=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError):
        return None
    return model


def write_bert(model: Bert, source: Path, folder: Path) -> None:
    """Write a model's weights in fp32 and its configuration, as transformers and `read_bert` read them.

    Args:
        model: read from ``source``, then perhaps tuned.
        source: where it came from; what is there of the encoder beside it, such as a pooler, is kept.
        folder: where to write.
    """
    kept = {name.removeprefix(_PREFIX): tensor for name, tensor in load_file(source / "model.safetensors").items()}
    weights = {name: tensor for name, tensor in kept.items() if name.startswith(_BODY) and tensor.is_floating_point()}
    weights |= {_file_name(name): tensor for name, tensor in model.state_dict().items()}
    whole = {name: tensor.to("cpu", torch.float32).contiguous() for name, tensor in weights.items()}
    save_file(whole, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((source / "config.json").read_text(encoding="utf-8")) | {"architectures": ["BertModel"]}
    config.pop("torch_dtype", None)
    write_json(folder / "config.json", config | {"dtype": "float32"})


def _table(rows: int, width: int) -> nn.Embedding:
    """Return an embedding without values; drawing some on the meta device would import all of torch._dynamo."""
    return nn.Embedding(rows, width, _weight=torch.empty(rows, width))


def _plain(config: Any) -> bool:
    """Whether a configuration asks for nothing that is not written out here."""
    expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    refused = ("is_decoder", "add_cross_attention", "quantization_config")
    return all(config.get(key, value) == value for key, value in expected.items()) and not any(map(config.get, refused))


def _file_name(name: str) -> str:
    """Return a parameter's name in the file, such as ``encoder.layer.0.attention.self.query.bias``."""
    *outer, part, kind = name.split(".")
    if not outer:
        return f"{_EMBEDDINGS[part]}.{kind}"
    return f"encoder.layer.{outer[1]}.{_LAYER[part]}.{kind}"
