"""Optimiser steps one after the other: what tuning and more pre-training share, and what a checkpoint keeps.

Everything random is drawn from the seed and the number of the step or epoch, so that a run taken up again draws the
same as one that was never stopped.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from advisor.backend.batching import token_batches
from advisor.backend.devices import Device
from advisor.backend.tuning_settings import StepSettings
from advisor.backend.within_memory import out_of_memory
from advisor.errors import RunError

OnEvent = Callable[[dict[str, Any]], None]
StepProgress = Callable[[int, int, float], None]


class Updates(ABC):
    """A run between two updates: weights, optimiser, where it stands, the best so far; and the update itself.

    Attributes:
        parameters: what learns, by name.
        optimizer: its groups say by ``peak`` how large their steps become.
        lengths: tokens of each row; a row is what goes through the model at once.
        steps: updates in all.
        batch_tokens: tokens in memory at once, padding included; halved where they are too many.
    """

    optimizer: torch.optim.AdamW
    lengths: np.ndarray
    steps: int

    def __init__(self, model: nn.Module, device: Device, settings: StepSettings, seed: int, notify: OnEvent) -> None:
        self.network, self.device, self.step_settings = model, device, settings
        self.seed, self.notify = seed, notify
        self.parameters = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self.batch_tokens = settings.batch_tokens
        self.step = 0
        self.stopped = False
        self.worse = 0
        self.best: dict[str, Tensor] | None = None
        self.best_step = 0
        self.best_score: tuple[float, float] | None = None
        self.history: list[dict[str, float]] = []

    @abstractmethod
    def batch(self) -> np.ndarray:
        """Return the numbers of the rows that the next update is computed from."""

    @abstractmethod
    def backward(self, rows: np.ndarray) -> float:
        """Compute the gradients of the batch's loss from nothing, within the token budget; return the loss."""

    @abstractmethod
    def set_rates(self) -> None:
        """Set the optimiser's rates, and what learns, for the next update."""

    @property
    def tokens_at_once(self) -> int:
        """How many tokens are computed at once."""
        return self.batch_tokens

    def update(self) -> float:
        """Take one optimiser step from the next batch; return its mean loss.

        Running out of memory halves what is computed at once, down to one row, and computes the batch again.

        Raises:
            RunError: one row or the optimiser's state does not fit in memory, or the loss is no number any more.
        """
        rows = self.batch()
        self.set_rates()
        while True:
            try:
                loss = self.backward(rows)
                break
            except (MemoryError, RuntimeError) as failure:
                if not out_of_memory(failure):
                    raise
            self._halve(rows)
        try:
            norm = nn.utils.clip_grad_norm_(self.parameters.values(), self.step_settings.gradient_norm)
            if not math.isfinite(loss + norm.item()):
                raise RunError(f"training diverged at step {self.step + 1} of {self.steps}; set a lower learning_rate")
            self.optimizer.step()
        except (MemoryError, RuntimeError) as failure:
            if not out_of_memory(failure):
                raise
            raise RunError("the optimiser's state does not fit in memory; use a smaller encoder") from None
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss

    @torch.no_grad()
    def set_weights(self, weights: dict[str, Tensor]) -> None:
        """Copy ``weights`` into the trained parameters."""
        for name, parameter in self.parameters.items():
            parameter.copy_(weights[name])

    def _halve(self, rows: np.ndarray) -> None:
        """Halve the token budget to what is less than the batch needs now."""
        self.optimizer.zero_grad(set_to_none=True)
        longest = int(self.lengths[rows].max())
        at_once = min(self.tokens_at_once // longest, len(rows))
        if at_once <= 1:
            raise RunError(
                f"out of memory on a single text of {longest} tokens; set a smaller max_length or use a smaller encoder"
            )
        self.batch_tokens = math.ceil(longest * (at_once // 2) * self.batch_tokens / self.tokens_at_once)
        if self.device.kind == "cuda":
            torch.cuda.empty_cache()
        self.notify({"event": "out of memory", "step": self.step, "batch_tokens": self.batch_tokens})


class SummedUpdates(Updates):
    """A run whose loss is a mean over rows, so that a batch can be computed in parts one after the other."""

    @abstractmethod
    def weight(self, rows: np.ndarray) -> float:
        """Return how much rows count in a mean loss."""

    @abstractmethod
    def loss(self, rows: np.ndarray) -> Tensor:
        """Return the loss of some of the batch's rows, summed by their weights."""

    def backward(self, rows: np.ndarray) -> float:
        """Accumulate the gradients of the batch's mean loss, in parts that fit the token budget."""
        self.optimizer.zero_grad(set_to_none=True)
        dropout = self.step_settings.dropout
        self.network.train(dropout)
        whole, total = max(self.weight(rows), 1e-12), 0.0
        with torch.random.fork_rng(enabled=dropout):
            if dropout:
                torch.manual_seed(self.seed * 1_000_003 + self.step)
            for part in token_batches(self.lengths[rows].tolist(), self.tokens_at_once):
                loss = self.loss(rows[part]) / whole
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.item()
        return total


def adamw(
    groups: Iterable[tuple[float, Sequence[nn.Parameter]]], weight_decay: float, device: Device
) -> torch.optim.AdamW:
    """Return AdamW over groups of parameters with their highest rates; only matrices decay."""
    made: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for peak, members in groups:
        for parameter in members:
            made.setdefault((peak, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": members, "lr": peak, "peak": peak, "weight_decay": weight_decay if matrix else 0.0}
            for (peak, matrix), members in made.items()
        ],
        fused=device.kind in {"cpu", "cuda", "mps"},
    )


def rate_factor(done: int, steps: int, warmup: float, schedule: str = "linear") -> float:
    """Return the share of the highest rate for the next step: a linear rise, then a fall to 0, linear or cosine.

    Args:
        done: steps taken.
        steps: steps in all.
        warmup: share of the steps over which it rises.
        schedule: ``linear`` or ``cosine``.
    """
    share = (done + 1) / (steps + 1)
    if share < warmup:
        return share / warmup
    left = (1 - share) / (1 - warmup)
    return left if schedule == "linear" else (1 - math.cos(math.pi * left)) / 2
