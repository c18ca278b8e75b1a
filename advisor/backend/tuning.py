"""Full fine-tuning: an encoder and a new head trained on labelled texts, by a recipe that is stable on small data.

AdamW with bias correction, warm-up, clipped gradients, enough steps and the best of several evaluations (Mosbach et al.
2021, arXiv:2006.04884; Zhang et al. 2021, arXiv:2006.05987). Texts of similar length share a batch, which saves padding.
Everything random is drawn from the seed and the number of the step or epoch, so that a resumed run draws the same.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor, nn

from advisor.backend.batching import token_batches
from advisor.backend.checkpoint import read_checkpoint, write_checkpoint
from advisor.backend.devices import Device
from advisor.backend.tuned import TunedClassifier
from advisor.backend.tuning_settings import TuningSettings
from advisor.errors import RunError
from advisor.files import sha256_of

StepProgress = Callable[[int, int, float], None]
OnEvent = Callable[[dict[str, Any]], None]
Metric = Literal["macro_f1", "accuracy"]
LAST, BEST = Path("last") / "state.safetensors", Path("best") / "weights.safetensors"
SAVE_SECONDS = 15.0
_NO_LIMIT = 1 << 40
_LENGTH_JITTER = 3


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and, for each, the index of its class."""

    texts: Sequence[str]
    labels: Sequence[int]


def fine_tune(
    encoder: Path,
    classes: Sequence[str],
    training: LabelledTexts,
    validation: LabelledTexts | None,
    settings: TuningSettings,
    *,
    seed: int,
    device: Device,
    metric: Metric = "macro_f1",
    checkpoints: Path | None = None,
    save_seconds: float = SAVE_SECONDS,
    progress: StepProgress | None = None,
    on_event: OnEvent | None = None,
) -> TunedClassifier:
    """Tune all weights of an encoder and a new class head; the same call again goes on from a checkpoint.

    Args:
        encoder: folder of the pre-trained encoder.
        classes: class names; labels index them.
        training: rows to learn from.
        validation: rows that choose the best evaluation and stop training early; None trains to the end.
        settings: hyper-parameters.
        seed: source of the order of batches, of dropout and of a stock head's first weights.
        device: where to compute and in which precision; weights are kept in fp32.
        metric: what makes an evaluation better; the lower loss decides between equals.
        checkpoints: folder for ``last/`` and ``best/``; None keeps none. The caller removes it when done.
        save_seconds: least time between two checkpoints.
        progress: told step, steps in all and training loss after every update.
        on_event: told, as a dict with ``event``, of the head, resumption, evaluations, memory and the end.

    Returns:
        the classifier with the best weights found, ready to predict or save.

    Raises:
        RunError: a checkpoint belongs to other settings or data, or a single text does not fit in memory.
    """
    classifier = TunedClassifier.with_new_head(
        encoder, classes, device, seed=seed, max_length=settings.max_length
    )
    if settings.freeze_token_embeddings:
        classifier.model.get_input_embeddings().weight.requires_grad_(False)
    notify = on_event or (lambda event: None)
    notify({"event": "head", "note": classifier.head_note})
    tuning = _Tuning(classifier, training, validation, settings, seed, metric, notify)
    store = _Store(
        tuning, checkpoints, _fingerprint(encoder, classes, training, validation, settings, seed, metric)
    )
    store.restore()
    while tuning.step < tuning.steps and not tuning.stopped:
        loss = tuning.update()
        tuning.evaluate_if_due(loss)
        store.save_after(save_seconds)
        if progress:
            progress(tuning.step, tuning.steps, loss)
    store.save_after(0.0)
    if tuning.best is not None:
        tuning.set_weights(tuning.best)
    notify({"event": "tuned", "steps": tuning.step, "best_step": tuning.best_step})
    classifier.model.eval()
    classifier.history = tuning.history
    return classifier


class _Tuning:
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
        self.class_weights = _class_weights(settings, training.labels, len(classifier.labels)).to(
            self.targets.device
        )
        self.validation = validation
        self.validation_tokens = classifier.tokenize(validation.texts) if validation else []
        self.parameters = {
            name: parameter
            for name, parameter in classifier.model.named_parameters()
            if parameter.requires_grad
        }
        self.optimizer = _optimizer(classifier, self.parameters, settings)
        self.epoch_steps = math.ceil(len(self.tokens) / settings.batch_size)
        self.steps = max(math.ceil(settings.epochs * self.epoch_steps), settings.min_steps)
        self.due = {
            math.ceil(self.steps * n / settings.evaluations) for n in range(1, settings.evaluations + 1)
        }
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

    def update(self) -> float:
        """Take one optimiser step from the next batch; return its loss.

        Running out of memory halves what is computed at once, down to one row, and computes the batch again.
        """
        rows = self._rows()
        self._set_rates()
        while True:
            try:
                loss = self._backward(rows)
                break
            except (MemoryError, RuntimeError) as failure:
                if not _is_out_of_memory(failure):
                    raise
            self._halve(rows)
        nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.gradient_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss

    def evaluate_if_due(self, training_loss: float) -> None:
        """Look at the validation rows where the step asks for it; remember the best weights, count the worse."""
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
            self.best = {
                name: parameter.detach().cpu().clone() for name, parameter in self.parameters.items()
            }
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
            self.batches = token_batches(
                jittered.tolist(), _NO_LIMIT, most_rows=self.settings.batch_size, order=order
            )
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
                f"out of memory on a single text of {longest} tokens; "
                "set a smaller max_length or use a smaller encoder"
            )
        self.batch_tokens = longest * (at_once // 2)
        if self.classifier.device.kind == "cuda":
            torch.cuda.empty_cache()
        self.notify({"event": "out of memory", "step": self.step, "batch_tokens": self.batch_tokens})


class _Store:
    """Where a run's state is kept: the last one, and the best weights when they changed."""

    def __init__(self, tuning: _Tuning, folder: Path | None, fingerprint: str) -> None:
        self.tuning, self.folder, self.fingerprint = tuning, folder, fingerprint
        self.saved_at = time.monotonic()
        self.saved_best = 0

    def save_after(self, seconds: float) -> None:
        """Write the state if the last writing was at least ``seconds`` ago; the best weights first."""
        if self.folder is None or time.monotonic() - self.saved_at < seconds:
            return
        tuning = self.tuning
        if tuning.best is not None and tuning.best_step != self.saved_best:
            record = {"fingerprint": self.fingerprint, "step": tuning.best_step}
            write_checkpoint(self.folder / BEST, tuning.best, record)
            self.saved_best = tuning.best_step
        tensors = {f"weight/{name}": parameter for name, parameter in tuning.parameters.items()}
        for name, parameter in tuning.parameters.items():
            for key, value in tuning.optimizer.state[parameter].items():
                tensors[f"{key}/{name}"] = value
        record = {
            "fingerprint": self.fingerprint,
            "step": tuning.step,
            "stopped": tuning.stopped,
            "worse": tuning.worse,
            "best_step": tuning.best_step,
            "best_score": tuning.best_score,
            "batch_tokens": tuning.batch_tokens,
            "history": tuning.history,
        }
        write_checkpoint(self.folder / LAST, tensors, record)
        self.saved_at = time.monotonic()

    def restore(self) -> None:
        """Take up the state that was written last, if there is one.

        Raises:
            RunError: it belongs to other settings or data, or cannot be read.
        """
        found = read_checkpoint(self.folder / LAST) if self.folder else None
        if self.folder is None or found is None:
            return
        tensors, record = found
        if record["fingerprint"] != self.fingerprint:
            raise RunError(
                f"{self.folder}: holds a checkpoint of other settings, data or encoder; "
                "write to another folder, or remove this one to start over"
            )
        tuning = self.tuning
        tuning.set_weights({name: tensors[f"weight/{name}"] for name in tuning.parameters})
        for name, parameter in tuning.parameters.items():
            state = {key: tensors[f"{key}/{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
            tuning.optimizer.state[parameter] = {
                key: value.to(parameter.device) for key, value in state.items()
            }
        tuning.step, tuning.stopped, tuning.worse = record["step"], record["stopped"], record["worse"]
        tuning.batch_tokens, tuning.history = record["batch_tokens"], record["history"]
        tuning.best_step = self.saved_best = record["best_step"]
        if record["best_score"] is not None:
            tuning.best_score = (record["best_score"][0], record["best_score"][1])
            best = read_checkpoint(self.folder / BEST)
            if best is None:
                raise RunError(
                    f"{self.folder / BEST}: is missing; remove the folder and run again to start over"
                )
            tuning.best = best[0]
        tuning.notify({"event": "resumed", "step": tuning.step, "steps": tuning.steps})


def _optimizer(
    classifier: TunedClassifier, parameters: dict[str, nn.Parameter], settings: TuningSettings
) -> torch.optim.AdamW:
    """Return AdamW with the rates of encoder and head, decaying matrices only."""
    prefix = f"{classifier.model.base_model_prefix}."
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        in_head = not name.startswith(prefix) or name.startswith(f"{prefix}pooler.")
        groups.setdefault((in_head, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": members,
                "peak": settings.head_learning_rate if in_head else settings.learning_rate,
                "weight_decay": settings.weight_decay if matrix else 0.0,
            }
            for (in_head, matrix), members in groups.items()
        ],
        lr=settings.learning_rate,
        fused=classifier.device.kind in {"cpu", "cuda", "mps"},
    )


def _class_weights(settings: TuningSettings, labels: Sequence[int], classes: int) -> Tensor:
    counts = np.bincount(np.asarray(labels), minlength=classes)
    if settings.class_weights == "none":
        return torch.ones(classes)
    return torch.tensor(len(labels) / (classes * np.maximum(counts, 1)), dtype=torch.float32)


def _is_out_of_memory(failure: Exception) -> bool:
    """Whether a failure is one of the several ways in which torch and Python report exhausted memory."""
    if isinstance(failure, MemoryError | torch.OutOfMemoryError):
        return True
    return any(
        words in str(failure) for words in ("out of memory", "can't allocate memory", "not enough memory")
    )


def _fingerprint(
    encoder: Path,
    classes: Sequence[str],
    training: LabelledTexts,
    validation: LabelledTexts | None,
    settings: TuningSettings,
    seed: int,
    metric: str,
) -> str:
    """Return a hash of everything that a run's result depends on, device and versions apart."""
    digest = hashlib.sha256()
    for part in (training, validation):
        rows = [list(part.texts), [int(label) for label in part.labels]] if part else None
        digest.update(json.dumps(rows).encode())
    digest.update(json.dumps([list(classes), settings.model_dump(), seed, metric]).encode())
    for path in sorted(encoder.iterdir()):
        if path.suffix in {".json", ".safetensors", ".bin", ".txt", ".model"}:
            digest.update(f"{path.name} {sha256_of(path)}".encode())
    return digest.hexdigest()
