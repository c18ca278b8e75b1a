"""Untrained weights: what a model's files lack, drawn at random even where the model's own code forgets to."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def unset_shown() -> Iterator[None]:
    """Have new memory hold NaN, so that :func:`draw_unset` can tell what nothing was written to."""
    before, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warns)


def draw_unset(model: nn.Module, missing: Collection[str]) -> None:
    """Draw the layers anew, as their kind does by itself, that hold a parameter which was left unset.

    transformers makes what files lack from empty memory and leaves the rest to the ``_init_weights`` of the type; one
    that came with a model as code of its own may fill weights and pass over biases.

    Args:
        model: loaded within :func:`unset_shown`.
        missing: names of parameters that the files did not hold.

    Raises:
        ValueError: such a layer is of a kind that does not say how it is drawn.
    """
    for name, parameter in model.named_parameters():
        if name in missing and parameter.isnan().any():
            layer: Any = model.get_submodule(name.rpartition(".")[0])
            if not hasattr(layer, "reset_parameters"):
                raise ValueError(f"its code leaves {name} without a value")
            layer.reset_parameters()
