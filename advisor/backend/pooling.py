"""Pooling: how the vectors of tokens become one of the text, and which way an encoder's files declare."""

import json
from pathlib import Path

import torch
from torch import Tensor


def pool(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Turn token vectors (rows, length, hidden) into text vectors (rows, hidden)."""
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        return hidden[torch.arange(len(hidden)), mask.sum(1).clamp(min=1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def declared_pooling(folder: Path) -> tuple[str, bool]:
    """Return the pooling a sentence-transformers folder declares and True; ``mean`` and False for any other."""
    try:
        modes = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "mean", False
    for pooling, name in (("cls", "cls_token"), ("last", "lasttoken"), ("mean", "mean_tokens")):
        if modes.get(f"pooling_mode_{name}") or modes.get("pooling_mode") in (pooling, name):
            return pooling, True
    return "mean", False
