"""The layers of a model, from its embeddings up: which learn, and how deep each parameter lies."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from advisor.backend.tuning_settings import TuningSettings


def depths(model: Any) -> dict[str, int]:
    """Return how high each parameter lies, by name: 0 for embeddings, then 1 for the lowest layer and so on.

    What the encoder registers after its layers, and every head, lies one above the highest layer.
    """
    encoder = model.base_model
    layers = layer_list(encoder)
    of_layer = {
        id(parameter): number for number, layer in enumerate(layers, start=1) for parameter in layer.parameters()
    }
    found: dict[int, int] = {}
    reached = 0
    for parameter in encoder.parameters():
        reached = max(reached, of_layer.get(id(parameter), 0))
        above = len(layers) + 1 if reached == len(layers) else 0
        found[id(parameter)] = of_layer.get(id(parameter), above)
    return {name: found.get(id(parameter), len(layers) + 1) for name, parameter in model.named_parameters()}


def freeze(model: Any, settings: TuningSettings) -> None:
    """Switch off the gradients of what shall not learn: the token embeddings, and all below the trained layers."""
    if settings.freeze_token_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    if settings.trained_share == 1:
        return
    layers = len(layer_list(model.base_model))
    lowest = layers - math.ceil(settings.trained_share * layers) + 1
    found = depths(model)
    for name, parameter in model.named_parameters():
        if found[name] < lowest:
            parameter.requires_grad_(False)


@contextmanager
def recomputed(model: Any, *, on: bool) -> Iterator[None]:
    """Let the backward pass compute each layer's activations again, where ``on``: only the layers' inputs are kept.

    Chen et al. 2016 (arXiv:1604.06174). What dropout drew is drawn again.
    """
    layers = layer_list(model.base_model) if on else ()
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def layer_list(encoder: nn.Module) -> nn.ModuleList:
    """Return the encoder's layers, its longest list of modules."""
    return max((module for module in encoder.modules() if isinstance(module, nn.ModuleList)), key=len)
