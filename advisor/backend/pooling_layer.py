"""Mean pooling as one more encoder layer, so that a stock classifier pools as its encoder was trained to.

A stock BERT-like classifier reads the first token only. One appended transformer layer with fixed weights
moves the mean of all tokens there. With h_1 … h_n the encoder's output and h_1 its first token:

    query = key = 0                   all scores are 0: attention is uniform over the tokens, padding aside
    value = identity                  each head passes on the mean of its slice: together mean(h)
    attention output = s · identity   the residual adds the token itself: s·mean(h) + h_1
    normalisation, gain 1, bias 0     u = LN(s·mean(h) + h_1) = LN(mean(h) + h_1/s)
    feed-forward = 0                  the residual keeps u, and LN(u) = u

LN takes the scale away, so with s = 1024 the first token weighs a thousandth of the mean: u is the
normalised mean. While training, u is computed straight from h (`text_vector`) and put through the stock head
as if it were a first token (`head_logits`); `pooling_layer` appends the layer for the time of an export. Then
the files hold a model of the encoder's own type, one layer deeper, that needs no code of ours.

The head's hidden layer (the pooler) starts as a multiple of the identity small enough for tanh and gelu to be
nearly linear there, so that the head starts out as a linear one on u.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from advisor.backend.pooling import pool

_SCALE = 1024.0
_POOLER_START = 0.5
_TYPES = {"bert", "roberta", "xlm-roberta", "camembert", "electra"}


def expressible(config: Any) -> bool:
    """Whether a layer of this type of encoder can hold the mean: positions must not enter its attention."""
    positions = getattr(config, "position_embedding_type", None) or "absolute"
    return config.model_type in _TYPES and positions == "absolute"


def text_vector(hidden: Tensor, mask: Tensor, epsilon: float) -> Tensor:
    """Return u of the module's derivation, (rows, hidden), from token vectors (rows, length, hidden)."""
    summed = _SCALE * pool(hidden, mask, "mean") + hidden[:, 0]
    return nn.functional.layer_norm(summed.float(), summed.shape[-1:], eps=epsilon)


def head_logits(model: Any, vectors: Tensor) -> Tensor:
    """Put text vectors (rows, hidden) through the stock head of ``model``; return logits (rows, classes)."""
    first_token = vectors.unsqueeze(1)
    if model.config.model_type == "bert":
        return model.classifier(model.dropout(model.base_model.pooler(first_token)))  # type: ignore[no-any-return]
    return model.classifier(first_token)  # type: ignore[no-any-return]


@torch.no_grad()
def start_near_linear(model: Any) -> None:
    """Set the stock head's hidden layer to a small multiple of the identity and its output layer to zero."""
    bert = model.config.model_type == "bert"
    hidden = model.base_model.pooler.dense if bert else model.classifier.dense
    output = model.classifier if bert else model.classifier.out_proj
    hidden.weight.copy_(_POOLER_START * torch.eye(hidden.out_features))
    for parameter in (hidden.bias, output.weight, output.bias):
        parameter.zero_()


@contextmanager
def pooling_layer(model: Any) -> Iterator[None]:
    """Have ``model`` one layer deeper, by the layer that pools, for the time of the block."""
    layers = model.base_model.encoder.layer
    layers.append(_fixed_layer(layers[-1], model.config))
    model.config.num_hidden_layers += 1
    try:
        yield
    finally:
        del layers[-1]
        model.config.num_hidden_layers -= 1


@torch.no_grad()
def _fixed_layer(like: nn.Module, config: Any) -> nn.Module:
    layer: Any = type(like)(config).to(next(like.parameters())).train(like.training)
    for parameter in layer.parameters():
        parameter.zero_()
    identity = torch.eye(config.hidden_size)
    layer.attention.self.value.weight.copy_(identity)
    layer.attention.output.dense.weight.copy_(_SCALE * identity)
    layer.attention.output.LayerNorm.weight.fill_(1)
    layer.output.LayerNorm.weight.fill_(1)
    return layer  # type: ignore[no-any-return]
