"""The task's head on a pre-trained model: which weights come off, which layer answers, and both in words."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from advisor.backend.loading import is_decoder
from advisor.backend.objectives import Objective
from advisor.backend.remote_code import allowed
from advisor.knowledge.pretrained import name_parts, pretraining_head


def output_layer(model: Any) -> nn.Linear:
    """Return the layer whose outputs are the logits: the last linear one that is not the encoder's."""
    encoder = {id(module) for module in model.base_model.modules()}
    return [part for part in model.modules() if isinstance(part, nn.Linear) and id(part) not in encoder][-1]


def unread(model: Any, missing: Collection[str]) -> list[str]:
    """Return the encoder's parameters that a loading did not find in the files, its pooler aside.

    Some types (Llama, Qwen) call their encoder another name under a head than the files do.
    """
    prefix = f"{model.base_model_prefix}."
    return [name for name in missing if name.startswith(prefix) and not name.startswith(f"{prefix}pooler.")]


def read_encoder(model: Any, folder: Path) -> None:
    """Give the encoder under a head the weights of the files, read as an encoder alone.

    Raises:
        ValueError: some are not there.
    """
    from transformers import AutoModel

    alone = AutoModel.from_pretrained(folder, dtype=torch.float32, trust_remote_code=allowed(folder))
    found = model.base_model.load_state_dict(alone.state_dict(), strict=False)
    absent = [name for name in found.missing_keys if not name.startswith("pooler.")]
    if absent:
        raise ValueError(f"no weights for {name_parts(absent)}")


def renew(model: Any, missing: Collection[str]) -> list[str]:
    """Draw the output layer anew where the files held one, of another task; return the names of what was dropped.

    Args:
        model: with its head.
        missing: names of parameters that the files did not hold.
    """
    layer = output_layer(model)
    own = {id(parameter) for parameter in layer.parameters()}
    held = [name for name, parameter in model.named_parameters() if id(parameter) in own and name not in missing]
    if held:
        with torch.no_grad():
            layer.weight.normal_(std=getattr(model.config, "initializer_range", None) or 0.02)
            if layer.bias is not None:
                layer.bias.zero_()
    return held


def head_note(
    folder: Path, model: Any, objective: Objective, *, dropped: Sequence[str], missing: Collection[str], mean: bool
) -> str:
    """Say which head was discarded and which one put on.

    Args:
        folder: of the pre-trained model.
        model: with its new head.
        objective: of the task.
        dropped: names of weights in the files that go unused.
        missing: names of parameters that the files did not hold.
        mean: whether the head reads the mean of the tokens.
    """
    gone = name_parts(dropped) or pretraining_head(folder)
    return f"pre-training head discarded: {gone}; head added: {_added(model, objective, mean)}, {_new(model, missing)}"


def _added(model: Any, objective: Objective, mean: bool) -> str:
    match objective.task.predicts:
        case "tags":
            return f"every word's first token → {objective.width} tags"
        case "span":
            return "every token → start and end of the answer"
        case kind:
            made = "a number" if kind == "number" else f"{objective.width} classes"
    if is_decoder(model.config):
        return f"the last token → {made}"
    source = "the mean of the tokens, as the encoder was trained" if mean else "the first token"
    width = model.config.hidden_size
    return f"{source} → {width} × {width} → {made}"


def _new(model: Any, missing: Collection[str]) -> str:
    """Say that the head is untrained, but for layers that it shares with the pre-training head."""
    encoder = {id(parameter) for parameter in model.base_model.parameters()}
    own = {id(parameter) for parameter in output_layer(model).parameters()}
    kept = [
        name
        for name, parameter in model.named_parameters()
        if id(parameter) not in encoder | own and name not in missing
    ]
    return f"untrained but for {name_parts(kept)}, kept from the files" if kept else "untrained"
