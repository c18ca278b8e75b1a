"""The objective of tags: one for each word, read from the word's first token."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from advisor.backend.arrays import Floats
from advisor.backend.objectives.base import Objective, Unit, balanced_label_weights
from advisor.backend.objectives.tokens import word_units
from advisor.tasks import Input


class Tags(Objective):
    """A tag a word; a word beyond the limit is taken to be outside of everything."""

    auto_class = "AutoModelForTokenClassification"
    prefix_space = True

    def configuration(self) -> dict[str, Any]:
        """Return the tags."""
        return {
            "num_labels": len(self.labels),
            "id2label": dict(enumerate(self.labels)),
            "label2id": {name: number for number, name in enumerate(self.labels)},
        }

    def units(self, tokenizer: Any, inputs: Sequence[Input], limit: int) -> list[Unit]:
        """Return a unit a row."""
        return word_units(tokenizer, inputs, limit)

    def aims(self, units: Sequence[Unit], targets: NDArray[Any]) -> list[Any]:
        """Return the tag numbers of the words that the unit holds."""
        return [targets[unit.row][_held(unit)] for unit in units]

    def weight(self, aim: Any) -> float:
        """Return the weight of its words."""
        return float(len(aim) if self.label_weights is None else self.label_weights[aim].sum())

    def loss(self, logits: Tensor, units: Sequence[Unit], aims: Sequence[Any]) -> Tensor:
        """Return cross-entropy over words."""
        target = torch.tensor(np.concatenate(aims), device=logits.device)
        weights = None if self.label_weights is None else self.label_weights.to(logits.device)
        return cross_entropy(
            self.items(logits, units), target, weight=weights, label_smoothing=self.smoothing, reduction="sum"
        )

    def prepare(self, targets: NDArray[Any], *, balanced: bool) -> None:
        """Weigh tags inversely to how often they occur, if asked."""
        if balanced:
            self.label_weights = balanced_label_weights(np.bincount(np.concatenate(targets), minlength=self.width))

    def items(self, read: Tensor, units: Sequence[Unit]) -> Tensor:
        """Return what is read at the first token of every word that is there."""
        held = [unit.marks[_held(unit)] for unit in units if unit.marks is not None]
        rows = np.repeat(np.arange(len(units)), [len(places) for places in held])
        places = np.concatenate(held)
        return read[torch.from_numpy(rows).to(read.device), torch.from_numpy(places).to(read.device)]

    def item_targets(self, aims: Sequence[Any]) -> NDArray[Any]:
        """Return the tag number of every word."""
        return np.concatenate(aims)

    def found(self, logits: Tensor, units: Sequence[Unit]) -> list[Floats]:
        """Return (words there, tags) of probabilities a unit."""
        return self.split(torch.softmax(self.items(logits, units), dim=-1).cpu().numpy(), units)

    def split(self, items: Floats, units: Sequence[Unit]) -> list[Floats]:
        """Return the words of each unit."""
        return np.split(items, np.cumsum([_held(unit).sum() for unit in units])[:-1])

    def merged(self, units: Sequence[Unit], found: Sequence[Floats], inputs: Sequence[Input]) -> Floats:
        """Return (words in all, tags)."""
        rows: list[Floats] = []
        for unit, known in zip(units, found, strict=True):
            held = _held(unit)
            row = np.zeros((len(held), self.width), dtype=np.float32)
            row[:, self.outside] = 1.0
            row[held] = known
            rows.append(row)
        return np.concatenate(rows) if rows else np.zeros((0, self.width), dtype=np.float32)

    @property
    def outside(self) -> int:
        """Number of the tag that means nothing."""
        return self.labels.index("O") if "O" in self.labels else 0


def _held(unit: Unit) -> NDArray[np.bool_]:
    """Return which words of its row have a token in the unit."""
    assert unit.marks is not None
    return unit.marks >= 0
