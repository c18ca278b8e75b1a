"""A training run between two updates: weights, optimiser, where it stands, and the best so far.

Everything random is drawn from the seed and the number of the step or epoch, so that a run taken up again
draws the same as one that was never stopped.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from advisor.backend.batching import token_batches
from advisor.backend.encoder import out_of_memory
from advisor.backend.evaluation import headline
from advisor.backend.layers import depths
from advisor.backend.objectives import Unit
from advisor.backend.rows import Rows
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import TuningSettings
from advisor.errors import RunError
from advisor.tasks import Measure

OnEvent = Callable[[dict[str, Any]], None]
_NO_LIMIT = 1 << 40
_LENGTH_JITTER = 3


class Training:
    """The state of a training run between two updates, and the update itself."""

    def __init__(
        self,
        model: TunedModel,
        training: Rows,
        validation: Rows | None,
        settings: TuningSettings,
        seed: int,
        measure: Measure,
        notify: OnEvent,
    ) -> None:
        self.model, self.objective, self.settings = model, model.objective, settings
        self.seed, self.measure, self.notify = seed, measure, notify
        self.objective.smoothing = settings.label_smoothing
        self.objective.prepare(training.targets, balanced=settings.class_weights == "balanced")
        self.units = model.units(training.inputs)
        self.aims = self.objective.aims(self.units, training.targets)
        self.weights = np.array([self.objective.weight(aim) for aim in self.aims])
        self.lengths = np.array([len(unit.ids) for unit in self.units])
        self.validation = validation
        self.validation_units = model.units(validation.inputs) if validation else []
        self.parameters = {
            name: parameter for name, parameter in model.model.named_parameters() if parameter.requires_grad
        }
        self.depths = depths(model.model)
        self.optimizer = _optimizer(model, self.parameters, self.depths, settings)
        self.epoch_steps = math.ceil(len(self.units) / settings.batch_size)
        self.steps = max(math.ceil(settings.epochs * self.epoch_steps), settings.min_steps)
        self.due = {math.ceil(self.steps * n / settings.evaluations) for n in range(1, settings.evaluations + 1)}
        self.batch_tokens = settings.batch_tokens
        self.batches: list[np.ndarray] = []
        self.batches_epoch = -1
        self.step = 0
        self.stopped = False
        self.worse = 0
        self.best: dict[str, Tensor] | None = None
        self.best_step = 0
        self.best_score: tuple[float, float] | None = None
        self.history: list[dict[str, float]] = []

    def start(self) -> None:
        """Give the head its first weights, where the settings ask for a probe's."""
        if self.settings.head_c is not None:
            self.model.start_head(self.units, self.aims, self.settings.head_c)

    def update(self) -> float:
        """Take one optimiser step from the next batch; return its loss.

        Running out of memory halves what is computed at once, down to one unit, and computes the batch again.

        Raises:
            RunError: one unit or the optimiser's state does not fit in memory.
        """
        rows = self._rows()
        self._set_rates()
        self._unfreeze()
        while True:
            try:
                loss = self._backward(rows)
                break
            except (MemoryError, RuntimeError) as failure:
                if not out_of_memory(failure):
                    raise
            self._halve(rows)
        try:
            nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.gradient_norm)
            self.optimizer.step()
        except (MemoryError, RuntimeError) as failure:
            if not out_of_memory(failure):
                raise
            raise RunError("the optimiser's state does not fit in memory; use a smaller encoder") from None
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss

    def evaluate_if_due(self, training_loss: float) -> None:
        """Look at the validation rows where the step is due; remember the best weights, count the worse."""
        if self.validation is None or self.step not in self.due:
            return
        loss, measured = self._validated(self.validation)
        record = {
            "step": float(self.step),
            "epoch": self.step / self.epoch_steps,
            "training_loss": training_loss,
            "loss": loss,
            **measured,
        }
        self.history.append(record)
        value = record[self.measure.key]
        score = (-value if self.measure.lower_is_better else value, -loss)
        if self.best_score is None or score > self.best_score:
            self.best_score, self.best_step, self.worse = score, self.step, 0
            self.best = {name: parameter.detach().cpu().clone() for name, parameter in self.parameters.items()}
        else:
            self.worse += 1
            self.stopped = self.worse >= self.settings.patience
        self.notify({"event": "evaluation", "best": self.best_step == self.step, **record})
        if self.stopped:
            self.notify({"event": "stopped early", "step": self.step, "best_step": self.best_step})

    @torch.no_grad()
    def set_weights(self, weights: dict[str, Tensor]) -> None:
        """Copy ``weights`` into the trained parameters."""
        for name, parameter in self.parameters.items():
            parameter.copy_(weights[name])

    def _validated(self, validation: Rows) -> tuple[float, dict[str, float]]:
        """Return the mean loss on the validation rows, and their measures."""
        aims = self.objective.aims(self.validation_units, validation.targets)
        numbers = {id(unit): number for number, unit in enumerate(self.validation_units)}
        total = 0.0

        def found(batch: Sequence[Unit]) -> Sequence[Any]:
            nonlocal total
            logits = self.model.logits(batch)
            total += self.objective.loss(logits, batch, [aims[numbers[id(unit)]] for unit in batch]).item()
            return self.objective.found(logits, batch)

        outputs = self.objective.merged(
            self.validation_units, self.model.by_batch(self.validation_units, found), validation.inputs
        )
        weight = sum(map(self.objective.weight, aims))
        return total / max(weight, 1e-12), headline(self.objective.task.id, outputs, validation, self.objective.labels)

    def _rows(self) -> np.ndarray:
        """Return the numbers of the next batch's units: of similar length, dealt anew every epoch."""
        epoch, index = divmod(self.step, self.epoch_steps)
        if epoch != self.batches_epoch:
            order = np.random.default_rng([self.seed, epoch])
            jittered = self.lengths + order.integers(0, _LENGTH_JITTER, len(self.lengths))
            self.batches = token_batches(jittered.tolist(), _NO_LIMIT, most_rows=self.settings.batch_size, order=order)
            self.batches_epoch = epoch
        return self.batches[index]

    def _set_rates(self) -> None:
        share = (self.step + 1) / (self.steps + 1)
        warmup = self.settings.warmup_fraction
        if share < warmup:
            factor = share / warmup
        else:
            left = (1 - share) / (1 - warmup)
            factor = left if self.settings.schedule == "linear" else (1 - math.cos(math.pi * left)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor

    def _unfreeze(self) -> None:
        """Let the layers learn that are due by now, from the top, where they begin one after the other."""
        if not self.settings.gradual_share:
            return
        top = max(self.depths.values())
        reached = min(1.0, self.step / (self.settings.gradual_share * self.steps))
        for name, parameter in self.parameters.items():
            parameter.requires_grad_(self.depths[name] >= top - round(reached * top))

    def _backward(self, rows: np.ndarray) -> float:
        """Accumulate the gradients of the batch's mean loss, in parts that fit the token budget."""
        self.optimizer.zero_grad(set_to_none=True)
        self.model.model.train(self.settings.dropout)
        with torch.random.fork_rng(enabled=self.settings.dropout):
            if self.settings.dropout:
                torch.manual_seed(self.seed * 1_000_003 + self.step)
            whole = max(float(self.weights[rows].sum()), 1e-12)
            total = 0.0
            for part in token_batches(self.lengths[rows].tolist(), self.batch_tokens):
                units = [self.units[row] for row in rows[part]]
                aims = [self.aims[row] for row in rows[part]]
                loss = self.objective.loss(self.model.logits(units), units, aims) / whole
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.item()
        return total

    def _halve(self, rows: np.ndarray) -> None:
        """Halve the token budget to what is less than the batch needs now."""
        self.optimizer.zero_grad(set_to_none=True)
        longest = int(self.lengths[rows].max())
        at_once = min(self.batch_tokens // longest, len(rows))
        if at_once <= 1:
            raise RunError(
                f"out of memory on a single text of {longest} tokens; set a smaller max_length or use a smaller encoder"
            )
        self.batch_tokens = longest * (at_once // 2)
        if self.model.device.kind == "cuda":
            torch.cuda.empty_cache()
        self.notify({"event": "out of memory", "step": self.step, "batch_tokens": self.batch_tokens})


def _optimizer(
    model: TunedModel, parameters: dict[str, nn.Parameter], depths: dict[str, int], settings: TuningSettings
) -> torch.optim.AdamW:
    """Return AdamW with the rates of the output layer and of every layer below it, decaying matrices only."""
    output = {id(parameter) for parameter in model.output_layer.parameters()}
    top = max(depths.values())
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        below = settings.learning_rate * settings.layer_decay ** (top - depths[name])
        peak = settings.head_learning_rate if id(parameter) in output else below
        groups.setdefault((peak, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": members, "peak": peak, "weight_decay": settings.weight_decay if matrix else 0.0}
            for (peak, matrix), members in groups.items()
        ],
        lr=settings.learning_rate,
        fused=model.device.kind in {"cpu", "cuda", "mps"},
    )
