"""An objective: what a tuned model learns for a task - rows as units of tokens, the head, the loss, the outputs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advisor.backend.arrays import Floats
from advisor.backend.tuning_settings import ReadingSettings
from advisor.tasks import Input, Task


class Unit(NamedTuple):
    """What goes through the model at once: a row, or a window of one.

    Attributes:
        row: number of the row it belongs to.
        ids: token ids, special ones included.
        kinds: which of two texts each token is of, 0 or 1; None where the model is not told.
        marks: for tags, the first token of each word, -1 for a word that has none here; for spans, the characters of
            the context that each token covers, ``(0, 0)`` outside the context.
    """

    row: int
    ids: list[int]
    kinds: list[int] | None = None
    marks: NDArray[np.int64] | None = None


@dataclass
class Objective(ABC):
    """What is learnt for one task; the numbers of a unit's target are its *aim*.

    Attributes:
        labels: classes or tags in the order of the model's outputs; empty for numbers and spans.
        reading: how long inputs are read.
        smoothing: probability mass that the loss spreads over all labels.
        label_weights: weight of each label in the loss; equal where None.
        auto_class: name of transformers' class of the model with its head.
        prefix_space: whether the tokenizer must be told that words stand apart.
        probed: whether a linear probe can start the head.
        offset: whether the output layer can add a constant; those of decoders cannot.
    """

    task: Task
    labels: list[str]
    reading: ReadingSettings
    smoothing: float = 0.0
    label_weights: Tensor | None = field(default=None, repr=False)
    offset: bool = True

    auto_class: ClassVar[str]
    prefix_space: ClassVar[bool] = False
    probed: ClassVar[bool] = True

    @property
    def width(self) -> int:
        """How many numbers the head gives."""
        return len(self.labels)

    def model_class(self) -> Any:
        """Return transformers' class of the model with its head."""
        import transformers

        return getattr(transformers, self.auto_class)

    @abstractmethod
    def configuration(self) -> dict[str, Any]:
        """Return what the model's configuration must say of the head."""

    @abstractmethod
    def units(self, tokenizer: Any, inputs: Sequence[Input], limit: int) -> list[Unit]:
        """Return the units of all rows, in their order; none is longer than ``limit`` tokens."""

    @abstractmethod
    def aims(self, units: Sequence[Unit], targets: NDArray[Any]) -> list[Any]:
        """Return each unit's aim for the targets of `Rows`."""

    @abstractmethod
    def weight(self, aim: Any) -> float:
        """Return how much a unit counts in the mean loss."""

    @abstractmethod
    def loss(self, logits: Tensor, units: Sequence[Unit], aims: Sequence[Any]) -> Tensor:
        """Return the loss summed over a batch, by the weights of its units."""

    @abstractmethod
    def found(self, logits: Tensor, units: Sequence[Unit]) -> list[Floats]:
        """Return what the model says of each unit, before `merged` puts windows and rows together."""

    @abstractmethod
    def merged(self, units: Sequence[Unit], found: Sequence[Floats], inputs: Sequence[Input]) -> Floats:
        """Return the outputs of all rows as one array, as `advisor.backend.predictor` defines them."""

    def items(self, read: Tensor, units: Sequence[Unit]) -> Tensor:
        """Return what the output layer reads for each item it answers for, (items, width of the head).

        Args:
            read: what it read, (units, width), or (units, length, width) where it reads every token.
            units: the batch.
        """
        if read.ndim == 2:
            return read
        last = torch.tensor([len(unit.ids) - 1 for unit in units], device=read.device)
        return read[torch.arange(len(units), device=read.device), last]

    def split(self, items: Floats, units: Sequence[Unit]) -> list[Floats]:
        """Return the items of each unit, (its items, …)."""
        return list(items[:, None])

    def item_targets(self, aims: Sequence[Any]) -> NDArray[Any]:
        """Return the target of each item of `items`."""
        return np.array(aims)

    def prepare(self, targets: NDArray[Any], *, balanced: bool) -> None:  # noqa: B027 - most need nothing
        """Learn from the training targets what the loss needs to know of them."""

    def first_bias(self, targets: NDArray[Any]) -> Floats | None:
        """Return what the output layer's constants start from, (width,), where zero would be far off."""
        return None

    def read(self, output: Any) -> Tensor:
        """Return the logits in a model's output, float32."""
        return output.logits.float()  # type: ignore[no-any-return]

    def finish(self, output_layer: Any) -> None:  # noqa: B027 - most need nothing
        """Change the output layer so that an export answers without this objective."""


def balanced_label_weights(counts: NDArray[np.int64]) -> Tensor:
    """Return weights inverse to how often each label occurs, scikit-learn's formula."""
    return torch.tensor(counts.sum() / (len(counts) * np.maximum(counts, 1)), dtype=torch.float32)
