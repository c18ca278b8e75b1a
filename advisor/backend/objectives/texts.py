"""Objectives of whole texts and pairs: one class, several classes, or a number."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from advisor.backend.arrays import Floats
from advisor.backend.objectives.base import Objective, Unit, balanced_label_weights
from advisor.backend.objectives.tokens import cut_units, pair_units
from advisor.tasks import Input, Pair


class TextObjective(Objective):
    """A head on one vector a text."""

    auto_class = "AutoModelForSequenceClassification"
    problem: str

    def configuration(self) -> dict[str, Any]:
        """Return problem type and label names."""
        names = self.labels or ["value"]
        return {
            "problem_type": self.problem,
            "num_labels": len(names),
            "id2label": dict(enumerate(names)),
            "label2id": {name: number for number, name in enumerate(names)},
        }

    def units(self, tokenizer: Any, inputs: Sequence[Input], limit: int) -> list[Unit]:
        """Return a unit a row, or several where a long text is read in windows; the longer of a pair is cut."""
        if inputs and isinstance(inputs[0], Pair):
            return pair_units(tokenizer, inputs, limit)
        return cut_units(tokenizer, inputs, limit, self.reading.long_texts)

    def aims(self, units: Sequence[Unit], targets: NDArray[Any]) -> list[Any]:
        """Return the row's target for each of its units."""
        return [targets[unit.row] for unit in units]

    def weight(self, aim: Any) -> float:
        """Return 1: every unit counts alike."""
        return 1.0

    def found(self, logits: Tensor, units: Sequence[Unit]) -> list[Floats]:
        """Return (1, width) of probabilities or values a unit."""
        return self.split(self.activated(logits).cpu().numpy(), units)

    def merged(self, units: Sequence[Unit], found: Sequence[Floats], inputs: Sequence[Input]) -> Floats:
        """Return (rows, width): the mean over a row's windows."""
        merged: Floats = np.zeros((len(inputs), self.width), dtype=np.float32)
        if units:
            rows = np.array([unit.row for unit in units])
            np.add.at(merged, rows, np.concatenate(found))
            merged /= np.bincount(rows, minlength=len(inputs))[:, None]
        return merged

    @abstractmethod
    def activated(self, logits: Tensor) -> Tensor:
        """Return what logits mean: probabilities, or values in the label's unit."""


@dataclass
class OneClass(TextObjective):
    """One of several classes, by softmax."""

    problem = "single_label_classification"

    def prepare(self, targets: NDArray[Any], *, balanced: bool) -> None:
        """Weigh classes inversely to their size, if asked."""
        if balanced:
            self.label_weights = balanced_label_weights(np.bincount(targets, minlength=self.width))

    def weight(self, aim: Any) -> float:
        """Return the weight of the class."""
        return 1.0 if self.label_weights is None else float(self.label_weights[aim])

    def loss(self, logits: Tensor, units: Sequence[Unit], aims: Sequence[Any]) -> Tensor:
        """Return cross-entropy, label smoothing included."""
        target = torch.tensor(np.array(aims), device=logits.device)
        weights = None if self.label_weights is None else self.label_weights.to(logits.device)
        return cross_entropy(logits, target, weight=weights, label_smoothing=self.smoothing, reduction="sum")

    def activated(self, logits: Tensor) -> Tensor:
        """Return probabilities that sum to one."""
        return torch.softmax(logits, dim=-1)


@dataclass
class SeveralClasses(TextObjective):
    """Each of several classes by itself, by the logistic function."""

    problem = "multi_label_classification"

    def prepare(self, targets: NDArray[Any], *, balanced: bool) -> None:
        """Weigh a class's positive rows by the square root of how many negative ones come on one, if asked."""
        if balanced:
            positive = targets.sum(axis=0)
            ratio = (len(targets) - positive) / np.maximum(positive, 1)
            self.label_weights = torch.tensor(np.sqrt(np.maximum(ratio, 1)), dtype=torch.float32)

    def first_bias(self, targets: NDArray[Any]) -> Floats:
        """Return the log-odds of each class's share: most rows lack most classes, which steps should not have to learn.

        The first gradients are then not all about that (Lin et al. 2017, arXiv:1708.02002, section 3.3).
        """
        shares = (targets.sum(axis=0) + 1) / (len(targets) + 2)
        bias: Floats = np.log(shares / (1 - shares)).astype(np.float32)
        return bias

    def loss(self, logits: Tensor, units: Sequence[Unit], aims: Sequence[Any]) -> Tensor:
        """Return binary cross-entropy, the mean over classes."""
        target = torch.tensor(np.array(aims), device=logits.device)
        weights = None if self.label_weights is None else self.label_weights.to(logits.device)
        losses = binary_cross_entropy_with_logits(logits, target, pos_weight=weights, reduction="sum")
        return losses / self.width

    def activated(self, logits: Tensor) -> Tensor:
        """Return a probability a class."""
        return torch.sigmoid(logits)


@dataclass
class Number(TextObjective):
    """A number, by squared error in units of the training targets' standard deviation.

    Attributes:
        mean, deviation: of the training targets; 0 and 1 once the output layer holds them.
    """

    mean: float = 0.0
    deviation: float = 1.0

    problem = "regression"

    @property
    def width(self) -> int:
        """One number."""
        return 1

    def prepare(self, targets: NDArray[Any], *, balanced: bool) -> None:
        """Take the targets' mean and standard deviation, from 0 where the output layer cannot add the mean."""
        self.mean = float(targets.mean()) if self.offset else 0.0
        self.deviation = float(np.sqrt(np.square(targets - self.mean).mean())) or 1.0

    def loss(self, logits: Tensor, units: Sequence[Unit], aims: Sequence[Any]) -> Tensor:
        """Return the squared error."""
        target = torch.tensor((np.array(aims) - self.mean) / self.deviation, dtype=torch.float32, device=logits.device)
        return mse_loss(logits[:, 0], target, reduction="sum")

    def item_targets(self, aims: Sequence[Any]) -> NDArray[Any]:
        """Return the targets in the loss's unit."""
        return (np.array(aims, dtype=np.float32) - self.mean) / self.deviation

    def activated(self, logits: Tensor) -> Tensor:
        """Return values in the label's unit."""
        return logits * self.deviation + self.mean

    @torch.no_grad()
    def finish(self, output_layer: Any) -> None:
        """Write mean and deviation into the output layer, so that it gives values in the label's unit."""
        output_layer.weight.mul_(self.deviation)
        if output_layer.bias is not None:
            output_layer.bias.mul_(self.deviation).add_(self.mean)
        self.mean, self.deviation = 0.0, 1.0
