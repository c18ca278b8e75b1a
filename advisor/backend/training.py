"""A training run between two updates: weights, optimiser, where it stands, and the best so far.

Everything random is drawn from the seed and the number of the step or epoch, so that a run taken up again
draws the same as one that was never stopped.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor, nn

from advisor.backend.batching import token_batches
from advisor.backend.encoder import out_of_memory
from advisor.backend.tuned import TunedClassifier
from advisor.backend.tuning_settings import TuningSettings
from advisor.errors import RunError

OnEvent = Callable[[dict[str, Any]], None]
Metric = Literal["macro_f1", "accuracy"]
_NO_LIMIT = 1 << 40
_LENGTH_JITTER = 3


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and, for each, the index of its class."""

    texts: Sequence[str]
    labels: Sequence[int]


class Training:
    """The state of a training run between two updates, and the update itself."""

    def __init__(
        self,
        classifier: TunedClassifier,
        training: LabelledTexts,
        validation: LabelledTexts | None,
        settings: TuningSettings,
        seed: int,
        metric: Metric,
        notify: OnEvent,
    ) -> None:
        self.classifier, self.settings, self.seed, self.metric, self.notify = (
            classifier,
            settings,
            seed,
            metric,
            notify,
        )
        self.tokens = classifier.tokenize(training.texts)
        self.lengths = np.array([len(row) for row in self.tokens])
        self.targets = torch.tensor(training.labels, device=classifier.device.torch)
        self.class_weights = _class_weights(settings, training.labels, len(classifier.labels)).to(self.targets.device)
        self.validation = validation
        self.validation_tokens = classifier.tokenize(validation.texts) if validation else []
        self.parameters = {
            name: parameter for name, parameter in classifier.model.named_parameters() if parameter.requires_grad
        }
        self.optimizer = _optimizer(classifier, self.parameters, settings)
        self.epoch_steps = math.ceil(len(self.tokens) / settings.batch_size)
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
            labels = np.asarray(self.targets.cpu())
            self.classifier.start_head(self.tokens, labels, self.settings.head_c)

    def update(self) -> float:
        """Take one optimiser step from the next batch; return its loss.

        Running out of memory halves what is computed at once, down to one row, and computes the batch again.

        Raises:
            RunError: one row or the optimiser's state does not fit in memory.
        """
        rows = self._rows()
        self._set_rates()
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
        found = self.classifier.token_probabilities(self.validation_tokens)
        truth = np.asarray(self.validation.labels)
        guess = found.argmax(axis=1)
        loss = float(-np.log(np.clip(found[np.arange(len(truth)), truth], 1e-12, None)).mean())
        record = {
            "step": float(self.step),
            "epoch": self.step / self.epoch_steps,
            "training_loss": training_loss,
            "loss": loss,
            "accuracy": float(accuracy_score(truth, guess)),
            "macro_f1": float(f1_score(truth, guess, average="macro", zero_division=0.0)),
        }
        self.history.append(record)
        score = (record[self.metric], -loss)
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

    def _rows(self) -> np.ndarray:
        """Return the row numbers of the next batch: rows of similar length, dealt anew every epoch."""
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

    def _backward(self, rows: np.ndarray) -> float:
        """Accumulate the gradients of the batch's mean loss, in parts that fit the token budget."""
        self.optimizer.zero_grad(set_to_none=True)
        self.classifier.model.train(self.settings.dropout)
        with torch.random.fork_rng(enabled=self.settings.dropout):
            if self.settings.dropout:
                torch.manual_seed(self.seed * 1_000_003 + self.step)
            whole = self.class_weights[self.targets[rows]].sum()
            total = 0.0
            for part in token_batches(self.lengths[rows].tolist(), self.batch_tokens):
                chosen = rows[part]
                logits = self.classifier.logits([self.tokens[row] for row in chosen])
                loss = (
                    nn.functional.cross_entropy(
                        logits,
                        self.targets[chosen],
                        weight=self.class_weights,
                        label_smoothing=self.settings.label_smoothing,
                        reduction="none",
                    ).sum()
                    / whole
                )
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
        if self.classifier.device.kind == "cuda":
            torch.cuda.empty_cache()
        self.notify({"event": "out of memory", "step": self.step, "batch_tokens": self.batch_tokens})


def _optimizer(
    classifier: TunedClassifier, parameters: dict[str, nn.Parameter], settings: TuningSettings
) -> torch.optim.AdamW:
    """Return AdamW with the rates of the output layer and of all below it, decaying matrices only."""
    output_parameters = {id(parameter) for parameter in classifier.output_layer.parameters()}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in parameters.values():
        key = (id(parameter) in output_parameters, parameter.ndim > 1)
        groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": members,
                "peak": settings.head_learning_rate if is_output else settings.learning_rate,
                "weight_decay": settings.weight_decay if matrix else 0.0,
            }
            for (is_output, matrix), members in groups.items()
        ],
        lr=settings.learning_rate,
        fused=classifier.device.kind in {"cpu", "cuda", "mps"},
    )


def _class_weights(settings: TuningSettings, labels: Sequence[int], classes: int) -> Tensor:
    counts = np.bincount(np.asarray(labels), minlength=classes)
    if settings.class_weights == "none":
        return torch.ones(classes)
    return torch.tensor(len(labels) / (classes * np.maximum(counts, 1)), dtype=torch.float32)
