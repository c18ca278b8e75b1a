"""A head's first weights: one regularised linear fit to features, whatever the task predicts, or constants alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advisor.backend.arrays import Floats
from advisor.backend.axes import PrincipalAxes
from advisor.backend.decisions import decisions_of
from advisor.backend.logistic import LogisticRegression
from advisor.backend.objectives import Unit
from advisor.backend.ridge import Ridge
from advisor.backend.tuned import TunedModel
from advisor.settings import load_settings
from advisor.tasks import Predicts


def probe_weights(
    predicts: Predicts, features: Floats, targets: NDArray[Any], width: int, c: float, *, balanced: bool = False
) -> tuple[Floats, Floats]:
    """Return weight (width, features) and bias (width,) of a linear model.

    The strength is meant for features of unit length, as probes have: longer ones are fitted at that length and the
    weights scaled. On hidden states of norm 10 the same C would fit every training row, and leave nothing to tune.

    Args:
        predicts: what the task predicts; classes and tags take logistic regression, several classes one for each,
            numbers ridge regression.
        features: (items, features).
        targets: class numbers (items,), 0 and 1 (items, classes), or numbers (items,).
        width: outputs.
        c: inverse regularisation strength for features of unit length, scikit-learn's C; 1 / alpha for numbers.
        balanced: weigh classes inversely to their size.
    """
    length = float(np.sqrt(np.square(features, dtype=np.float64).sum(axis=1).mean())) or 1.0
    axes = PrincipalAxes.of(features / np.float32(length))
    if predicts == "number":
        head = Ridge(axes, targets).head(1 / c)
        return head.weight / np.float32(length), head.bias
    decisions = decisions_of(targets, width)
    weights = decisions.balanced() if balanced else np.ones(len(decisions), dtype=np.float32)
    regression = LogisticRegression(axes.scores, decisions.targets, width, weights)
    stop = load_settings("computing.yaml")
    weight, bias = axes.back(*regression.fit(c, stop["start_tolerance"], int(stop["start_iterations"])))
    return np.ascontiguousarray(weight.T) / np.float32(length), bias


def head_inputs(model: TunedModel, units: Sequence[Unit]) -> Floats:
    """Return what the output layer reads for each item it answers for, float32 (items, width of the head)."""
    read: list[Tensor] = []
    hook = model.output_layer.register_forward_pre_hook(lambda layer, inputs: read.append(inputs[0]))

    def inputs(batch: Sequence[Unit]) -> list[Floats]:
        read.clear()
        model.logits(batch)
        return model.objective.split(model.objective.items(read[0].float(), batch).cpu().numpy(), batch)

    try:
        return np.concatenate(model.by_batch(units, inputs))
    finally:
        hook.remove()


def start_head(model: TunedModel, units: Sequence[Unit], aims: Sequence[Any], c: float) -> None:
    """Set the output layer to a regularised linear model of what it reads, so that tuning starts from a probe.

    Then the first gradients do not distort the encoder to suit a random head (Kumar et al. 2022,
    arXiv:2202.10054). Where the layer has no bias (decoders), the bias is given along the mean of what it reads.

    Args:
        model: with its new head.
        units: training units; a few thousand of many do.
        aims: the target of each.
        c: inverse regularisation strength, scikit-learn's C.
    """
    some = np.random.default_rng(0).permutation(len(units))[: int(load_settings("computing.yaml")["start_units"])]
    features = head_inputs(model, [units[number] for number in some])
    targets = model.objective.item_targets([aims[number] for number in some])
    weight, bias = probe_weights(model.objective.task.predicts, features, targets, model.objective.width, c)
    with torch.no_grad():
        model.output_layer.weight.copy_(torch.from_numpy(weight))
        if model.output_layer.bias is not None:
            model.output_layer.bias.copy_(torch.from_numpy(bias))
        else:
            mean = features.mean(axis=0)
            model.output_layer.weight.add_(torch.from_numpy(np.outer(bias, mean / (mean @ mean))))


@torch.no_grad()
def start_bias(model: TunedModel, bias: Floats) -> None:
    """Set the output layer's constants, (width,), where it has some."""
    if model.output_layer.bias is not None:
        model.output_layer.bias.copy_(torch.from_numpy(bias))
