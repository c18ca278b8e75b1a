"""A linear head on frozen features: its numbers, and what they are to be put on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from advisor.backend.arrays import Floats, softmax
from advisor.errors import InputError
from advisor.files import write_json, write_with
from advisor.tasks import TASKS

HEAD_WEIGHTS = "head.safetensors"
HEAD_DETAILS = "head.json"


class HeadDetails(BaseModel):
    """The content of ``head.json``; what else stands in it, such as the C chosen, is kept and decides nothing.

    Attributes:
        format: of the file; 1 knew text classification alone.
        task: what the head answers.
        labels: names of its rows; empty for a number, which has one row.
        reads: what it is asked about: a text, a pair of texts, or the words of a row.
        pooling: how token vectors become a vector of a text, or of a word: their mean, the first one, the last one.
        layers: hidden states that are averaged before that, from 0, the embeddings; empty for the last.
        long_texts: what happens to a text beyond the limit, as ``advisor.backend.long_texts.cut`` has it.
        frame: special tokens before and behind a text, where it is cut so.
        max_length: longest input of the encoder in tokens, special ones included.
        normalised: whether that vector is divided by its length.
        thresholds: probability from which a class holds, one a class, for multi-label alone.
    """

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    format: Literal[1, 2] = Field(2, alias="schema")
    task: str = "text-classification"
    labels: list[str]
    reads: Literal["text", "pair", "words"] = "text"
    pooling: Literal["mean", "cls", "last"]
    layers: list[Annotated[int, Field(ge=0)]] = Field(default_factory=list)
    long_texts: Literal["truncate", "head-tail", "windows"] = "truncate"
    frame: tuple[list[int], list[int]] | None = None
    max_length: int = Field(ge=1)
    normalised: bool = True
    thresholds: list[float] | None = None

    @model_validator(mode="after")
    def _fits_task(self) -> "HeadDetails":
        task = TASKS.get(self.task)
        if task is None:
            raise ValueError(f"no task is called '{self.task}'")
        if self.reads not in task.reads:
            raise ValueError(f"{self.task} is not about {self.reads}")
        if (self.frame is None) == (self.long_texts != "truncate"):
            raise ValueError("a frame goes with texts that are cut in another way than at their end")
        if bool(self.labels) == (task.predicts in {"number", "span"}):
            raise ValueError(f"{len(self.labels)} labels do not go with {self.task}")
        if (self.thresholds is not None) != (task.predicts == "classes"):
            raise ValueError("thresholds go with multi-label, and with nothing else")
        if self.thresholds is not None and len(self.thresholds) != len(self.labels):
            raise ValueError(f"{len(self.thresholds)} thresholds for {len(self.labels)} labels")
        return self

    @property
    def rows(self) -> int:
        """How many rows the head has."""
        return max(1, len(self.labels))


@dataclass(frozen=True)
class LinearHead:
    """Logits, or a number, as features @ weightᵀ + bias.

    Attributes:
        weight: (outputs, hidden) float32.
        bias: (outputs,) float32.
    """

    weight: Floats
    bias: Floats

    def logits(self, features: Floats) -> Floats:
        """Return (rows, outputs) logits, or numbers, of (rows, hidden) features."""
        logits: Floats = features @ self.weight.T
        logits += self.bias
        return logits

    def probabilities(self, features: Floats) -> Floats:
        """Return (rows, outputs) probabilities, each row summing to one."""
        return softmax(self.logits(features))

    def scaled(self, factor: float) -> "LinearHead":
        """Return the head whose logits are ``factor`` times as large: a temperature of 1 / ``factor``."""
        return LinearHead(self.weight * np.float32(factor), self.bias * np.float32(factor))

    def save(self, folder: Path, details: HeadDetails) -> None:
        """Write ``head.safetensors``, then ``head.json``."""
        tensors = {"weight": np.ascontiguousarray(self.weight), "bias": np.ascontiguousarray(self.bias)}
        write_with(folder / HEAD_WEIGHTS, lambda path: save_file(tensors, path))
        write_json(folder / HEAD_DETAILS, details.model_dump(mode="json", by_alias=True, exclude_none=True))

    @classmethod
    def load(cls, folder: Path) -> tuple["LinearHead", HeadDetails]:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: a file is absent or damaged, or the two don't belong together.
        """
        try:
            details = HeadDetails.model_validate(_content(folder))
            tensors = load_file(folder / HEAD_WEIGHTS)
            head = cls(tensors["weight"], tensors["bias"])
        except ValidationError as failure:
            problem = failure.errors()[0]
            at = ".".join(map(str, problem["loc"])) or HEAD_DETAILS
            raise InputError(f"{folder}: no readable head there ({at}: {problem['msg']})") from None
        except (OSError, ValueError, KeyError, SafetensorError) as failure:
            raise InputError(f"{folder}: no readable head there ({failure})") from None
        if head.weight.ndim != 2 or head.bias.shape != (details.rows,) or len(head.weight) != details.rows:
            raise InputError(f"{folder}: {HEAD_WEIGHTS} and {HEAD_DETAILS} do not belong together")
        return head, details


def _content(folder: Path) -> Any:
    return json.loads((folder / HEAD_DETAILS).read_text(encoding="utf-8"))
