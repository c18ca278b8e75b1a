"""Training on labelled rows: which of them an update is computed from, what learns by now, and the best so far."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from advisor.backend.adapter_settings import LoraSettings
from advisor.backend.batching import token_batches
from advisor.backend.evaluation import headline
from advisor.backend.head_start import start_bias, start_head
from advisor.backend.layers import depths
from advisor.backend.objectives import Unit
from advisor.backend.rows import Rows
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import TuningSettings
from advisor.backend.updates import OnEvent, SummedUpdates, adamw, rate_factor
from advisor.settings import load_settings
from advisor.tasks import Measure

_NO_LIMIT = 1 << 40


class Training(SummedUpdates):
    """The tuning of a model."""

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
        super().__init__(model.model, model.device, settings, seed, notify)
        self.model, self.objective, self.settings, self.measure = model, model.objective, settings, measure
        self.objective.smoothing = settings.label_smoothing
        self.objective.prepare(training.targets, balanced=settings.class_weights == "balanced")
        self.targets = training.targets
        self.units = model.units(training.inputs)
        self.aims = self.objective.aims(self.units, training.targets)
        self.weights = np.array([self.objective.weight(aim) for aim in self.aims])
        self.lengths = np.array([len(unit.ids) for unit in self.units])
        self.validation = validation
        self.validation_units = model.units(validation.inputs) if validation else []
        self.depths = depths(model.model)
        rates = _rates(model, self.parameters, self.depths, settings)
        self.optimizer = adamw(rates, settings.weight_decay, model.device)
        self.epoch_steps = math.ceil(len(self.units) / settings.batch_size)
        self.steps = settings.updates(len(self.units))
        self.due = {math.ceil(self.steps * n / settings.evaluations) for n in range(1, settings.evaluations + 1)}
        self.batches: list[np.ndarray] = []
        self.batches_epoch = -1

    def start(self) -> None:
        """Give the head its first weights: a probe's where the settings ask for it, else constants alone."""
        if self.settings.head_c is not None and self.objective.probed:
            start_head(self.model, self.units, self.aims, self.settings.head_c)
            return
        bias = self.objective.first_bias(self.targets)
        if bias is not None:
            start_bias(self.model, bias)

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

    def batch(self) -> np.ndarray:
        """Return the numbers of the next batch's units: of similar length, dealt anew every epoch."""
        epoch, index = divmod(self.step, self.epoch_steps)
        if epoch != self.batches_epoch:
            order = np.random.default_rng([self.seed, epoch])
            most = int(load_settings("computing.yaml")["length_jitter"])
            jittered = self.lengths + order.integers(0, most, len(self.lengths))
            self.batches = token_batches(jittered.tolist(), _NO_LIMIT, most_rows=self.settings.batch_size, order=order)
            self.batches_epoch = epoch
        return self.batches[index]

    def weight(self, rows: np.ndarray) -> float:
        """Return the weight of units."""
        return float(self.weights[rows].sum())

    def loss(self, rows: np.ndarray) -> Tensor:
        """Return the loss of units."""
        units = [self.units[row] for row in rows]
        return self.objective.loss(self.model.logits(units), units, [self.aims[row] for row in rows])

    def set_rates(self) -> None:
        """Set the rates by the schedule; let the layers learn that are due by now."""
        settings = self.settings
        factor = rate_factor(self.step, self.steps, settings.warmup_fraction, settings.schedule)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        self._unfreeze()

    def _unfreeze(self) -> None:
        """Let the layers learn that are due by now, from the top, where they begin one after the other."""
        if not self.settings.gradual_share:
            return
        top = max(self.depths.values())
        reached = min(1.0, self.step / (self.settings.gradual_share * self.steps))
        for name, parameter in self.parameters.items():
            parameter.requires_grad_(self.depths[name] >= top - round(reached * top))


def _rates(
    model: TunedModel, parameters: dict[str, nn.Parameter], depths: dict[str, int], settings: TuningSettings
) -> Iterator[tuple[float, list[nn.Parameter]]]:
    """Yield parameters with their highest rate: of the output layer, of adapters, or of the layer they lie in."""
    output = {id(parameter) for parameter in model.output_layer.parameters()}
    top = max(depths.values())
    for name, parameter in parameters.items():
        rate = settings.learning_rate
        if isinstance(settings, LoraSettings) and ".lora_" in name:
            rate = settings.adapter_learning_rate
        below = rate * settings.layer_decay ** (top - depths[name])
        yield settings.head_learning_rate if id(parameter) in output else below, [parameter]
