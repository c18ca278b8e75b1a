"""Attention on a processor: each type's own, eager, with a padding mask as narrow as the scores it is added to."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advisor.backend.devices import Device
from advisor.knowledge.pretrained import read_config

_NARROW = "eager with a narrow mask"
_FP32_ALONE = {"deberta"}


def attention(device: Device) -> str | None:
    """Return the attention that is fastest on short texts: eager on a CPU, elsewhere fused where the type has it."""
    return "eager" if device.kind == "cpu" else None


def able_device(device: Device, folder: Path) -> Device:
    """Return the device, in fp32 for a model whose attention fails in bf16.

    DeBERTa's first version comes to fp32 queries beside bf16 scores, and fills these with the least fp32 number.

    Raises:
        OSError, ValueError: the folder has no ``config.json``, or it is damaged.
    """
    return device.in_fp32() if read_config(folder).get("model_type") in _FP32_ALONE else device


def narrow_mask(model: Any, device: Device) -> None:
    """Have a model's eager attention add masks in bf16 where a processor computes in bf16 and its type allows that.

    Under autocast transformers makes the mask in fp32; added to bf16 scores it makes them and the probabilities fp32,
    to be rounded again for the product with the values: 6 bytes are kept of a score instead of 2. A bf16 mask gives the
    same sums.
    """
    asks = getattr(model, "_supports_attention_backend", False) and hasattr(_beside(model), "eager_attention_forward")
    if device.kind == "cpu" and device.bf16 and asks:
        _register()
        model.set_attn_implementation(_NARROW)


@cache
def _register() -> None:
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(_NARROW, _attend)
    AttentionMaskInterface.register(_NARROW, _mask)


def _attend(module: Any, *args: Any, **options: Any) -> tuple[Tensor, Tensor | None]:
    """Attend as the module's type does eagerly, by the function that transformers has beside each type's layers."""
    attended: tuple[Tensor, Tensor | None] = _beside(module).eager_attention_forward(module, *args, **options)
    return attended


def _beside(module: Any) -> Any:
    return sys.modules[type(module).__module__]


def _mask(**options: Any) -> Tensor | None:
    from transformers.masking_utils import eager_mask

    if torch.is_autocast_enabled("cpu"):
        options["dtype"] = torch.get_autocast_dtype("cpu")
    made: Tensor | None = eager_mask(**options)
    return made
