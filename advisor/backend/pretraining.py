"""More pre-training: an encoder goes on guessing tokens, now in unlabelled texts of the domain it is adapted to.

Gururangan et al. 2020 (arXiv:2004.10964). A masked model fills gaps (Devlin et al. 2019, arXiv:1810.04805), a causal
one guesses what comes next. Where the files hold no head for that, one is made from the token embeddings and learns
alone first, so that it does not bend the encoder; the losses before and after both have such a head.

The result is a folder of the same kind, without a head: every strategy takes it as its encoder.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from advisor.backend.batching import token_batches
from advisor.backend.checkpoint import Checkpoints
from advisor.backend.devices import Device
from advisor.backend.language_modelling import Guess, Ids, LanguageModel
from advisor.backend.loading import loading, quiet_transformers
from advisor.backend.pretraining_settings import PretrainingSettings
from advisor.backend.remote_code import allow, allowed
from advisor.backend.updates import OnEvent, StepProgress, SummedUpdates, adamw, rate_factor
from advisor.errors import InputError
from advisor.files import write_folder, write_json
from advisor.knowledge.pretrained import content_digest

RECORD = "pretraining.json"
_KEPT = ("*.json", "*.txt", "*.model", "*.py", "*/config.json")
_NOT_KEPT = ("safetensors.index.json", RECORD)


@dataclass(frozen=True)
class Pretrained:
    """An encoder that was pre-trained further.

    Attributes:
        folder: where it is.
        loss_before, loss_after: mean cross-entropy of held-out tokens, in nats; its exponential is the perplexity.
        steps: updates of the encoder.
        note: what was guessed and by which head, in words.
    """

    folder: Path
    loss_before: float
    loss_after: float
    steps: int
    note: str


def pretrain(
    encoder: Path,
    texts: Sequence[str],
    settings: PretrainingSettings,
    *,
    seed: int,
    device: Device,
    folder: Path,
    checkpoints: Path | None = None,
    max_length: int | None = None,
    save_seconds: float | None = None,
    progress: StepProgress | None = None,
    on_event: OnEvent | None = None,
) -> Pretrained:
    """Pre-train an encoder further; the same call again goes on from a checkpoint, or returns what is finished.

    Args:
        encoder: folder of the pre-trained encoder.
        texts: unlabelled; equal ones count once.
        settings: hyper-parameters.
        seed: source of what is held out, of the order, of what is hidden and of dropout.
        device: where to compute and in which precision; weights are kept in fp32.
        folder: where the result goes, whole or not at all.
        checkpoints: folder for ``last/``; None keeps none. The caller removes it when done.
        max_length: read texts in pieces of so many tokens where the encoder would allow longer ones.
        save_seconds: least time between two checkpoints; the rules' if left out.
        progress: told step, steps in all and training loss after every update.
        on_event: told, as a dict with ``event``, of the head, losses, resumption, memory and the end.

    Raises:
        InputError: the encoder cannot be loaded, its type has no language-model head, or there are too few texts.
        RunError: a checkpoint belongs to other settings or texts, or a single text does not fit in memory.
    """
    notify = on_event or (lambda event: None)
    unlike = list(dict.fromkeys(texts))
    identity = _fingerprint(encoder, unlike, settings, seed, max_length)
    if (done := _finished(folder, identity)) is not None:
        if allowed(encoder):
            allow(folder)
        return done
    with loading(encoder, "cannot be pre-trained further"):
        model = LanguageModel.load(encoder, device, seed=seed, max_length=max_length)
        rows = model.rows(unlike)
    if len(rows) < 2:
        raise InputError("more pre-training needs at least two unlabelled texts of two tokens or more")
    run = Pretraining(model, rows, settings, seed, notify)
    note = _note(model)
    notify({"event": "language-model head", "note": note})
    kept = Checkpoints(run, checkpoints, identity)
    if not kept.restore():
        run.start()
    while run.step < run.steps:
        loss = run.update()
        run.measure_if_due()
        kept.save_after(save_seconds)
        if progress:
            progress(run.step, run.steps, loss)
    before, after = run.loss_before, run.held_out_loss()
    made = Pretrained(folder, before, after, run.steps - run.head_steps, note)
    _save(encoder, model, folder, {"fingerprint": identity, **_record(made)})
    if allowed(encoder):
        allow(folder)
    notify({"event": "pre-trained", **_record(made)})
    return made


class Pretraining(SummedUpdates):
    """The further pre-training of a language model."""

    def __init__(
        self, model: LanguageModel, rows: list[Ids], settings: PretrainingSettings, seed: int, notify: OnEvent
    ) -> None:
        super().__init__(model.model, model.device, settings, seed, notify)
        self.model, self.settings = model, settings
        order = np.random.default_rng([seed, 0]).permutation(len(rows))
        held = min(settings.most_held_out, max(1, round(settings.held_out_share * len(rows))))
        self.held_out = [
            model.guess(rows[row], np.random.default_rng([seed, 0, number]), settings)
            for number, row in enumerate(order[:held])
        ]
        self.rows = [rows[row] for row in order[held:]]
        self.lengths = np.array([len(row) for row in self.rows])
        self.head_steps = settings.head_steps if model.new_head else 0
        self.batches, self.epoch = self._dealt(0), 0
        steps = max(math.ceil(settings.epochs * len(self.batches)), settings.min_steps)
        self.steps = self.head_steps + min(steps, settings.most_steps)
        self.guesses: dict[int, Guess] = {}
        self.body = {id(parameter) for parameter in model.model.base_model.parameters()}
        rates = ((self._peak(parameter), [parameter]) for parameter in self.parameters.values())
        self.optimizer = adamw(rates, settings.weight_decay, model.device)

    @property
    def loss_before(self) -> float:
        """The held-out loss before the encoder learnt."""
        return self.history[0]["loss"]

    def start(self) -> None:
        """Give a new head what it need not learn, and measure where it need not learn alone."""
        if self.model.new_head:
            self.model.start_from_frequencies(self.rows)
        self.measure_if_due()

    def measure_if_due(self) -> None:
        """Measure the held-out loss where the encoder begins to learn."""
        if self.step == self.head_steps:
            self.history.append({"step": float(self.step), "loss": self.held_out_loss()})
            self.notify({"event": "held-out loss", **self.history[-1]})

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """Return the mean loss on the held-out rows, in nats a token."""
        self.network.eval()
        lengths = [len(guess.ids) for guess in self.held_out]
        total = sum(
            self.model.loss([self.held_out[row] for row in batch]).item()
            for batch in token_batches(lengths, self.tokens_at_once)
        )
        return total / sum(len(guess.places) for guess in self.held_out)

    def batch(self) -> np.ndarray:
        """Return the numbers of the next batch's rows, of similar length, dealt and hidden anew every epoch."""
        epoch, index = divmod(self.step, len(self.batches))
        if epoch != self.epoch:
            self.batches, self.epoch = self._dealt(epoch), epoch
        rows = self.batches[index]
        self.guesses = {
            row: self.model.guess(self.rows[row], np.random.default_rng([self.seed, 2, epoch, row]), self.settings)
            for row in rows.tolist()
        }
        return rows

    def weight(self, rows: np.ndarray) -> float:
        """Return how many tokens are guessed."""
        return float(sum(len(self.guesses[row].places) for row in rows.tolist()))

    def loss(self, rows: np.ndarray) -> Tensor:
        """Return the loss of all guesses."""
        return self.model.loss([self.guesses[row] for row in rows.tolist()])

    def set_rates(self) -> None:
        """Set the rates by the schedule; the encoder learns once a new head has."""
        alone = self.step < self.head_steps
        done, steps = (
            (self.step, self.head_steps) if alone else (self.step - self.head_steps, self.steps - self.head_steps)
        )
        factor = rate_factor(done, steps, self.settings.warmup_fraction)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        for parameter in self.parameters.values():
            parameter.requires_grad_(not alone or id(parameter) not in self.body)

    @property
    def tokens_at_once(self) -> int:
        """How many tokens are computed at once: fewer where the head answers for all of them."""
        return math.ceil(self.batch_tokens * self.settings.masked_share) if self.model.causal else self.batch_tokens

    def _dealt(self, epoch: int) -> list[np.ndarray]:
        order = np.random.default_rng([self.seed, 1, epoch])
        return token_batches(self.lengths.tolist(), self.settings.update_tokens, order=order)

    def _peak(self, parameter: nn.Parameter) -> float:
        new = self.model.new_head and id(parameter) not in self.body
        return self.settings.head_learning_rate if new else self.settings.learning_rate


def _note(model: LanguageModel) -> str:
    """Say what is guessed, and where the head comes from."""
    does = "guesses the next token" if model.causal else "fills gaps"
    if not model.new_head:
        return f"{does} with the language-model head in its files"
    tied = model.model.config.tie_word_embeddings
    source = "tied to the token embeddings" if tied else "of its own weights"
    return f"{does} with a new language-model head, {source}, since its files hold none"


def _save(encoder: Path, model: LanguageModel, folder: Path, record: dict[str, Any]) -> None:
    """Write the encoder without its head: the files beside its weights as they were, weights in fp32."""
    from transformers import AutoModel

    def write(temporary: Path) -> None:
        for path in sorted({path for pattern in _KEPT for path in encoder.glob(pattern)}):
            if not path.name.endswith(_NOT_KEPT):
                (temporary / path.relative_to(encoder)).parent.mkdir(exist_ok=True)
                shutil.copyfile(path, temporary / path.relative_to(encoder))
        with quiet_transformers():
            bare = AutoModel.from_pretrained(encoder, dtype=torch.float32, trust_remote_code=allowed(encoder))
            bare.load_state_dict(model.model.base_model.state_dict(), strict=False)
            bare.save_pretrained(temporary)
        write_json(temporary / RECORD, record)

    write_folder(folder, write)


def _record(made: Pretrained) -> dict[str, Any]:
    return {
        "note": made.note,
        "loss_before": round(made.loss_before, 6),
        "loss_after": round(made.loss_after, 6),
        "steps": made.steps,
    }


def _finished(folder: Path, identity: str) -> Pretrained | None:
    """Return what an earlier call with the same arguments made, if it did."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record.pop("fingerprint") == identity:
            return Pretrained(folder, **record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return None


def _fingerprint(
    encoder: Path, texts: Sequence[str], settings: PretrainingSettings, seed: int, max_length: int | None
) -> str:
    """Return a hash of everything that the result depends on, device and versions apart."""
    parts = [list(texts), settings.model_dump(), seed, max_length, content_digest(encoder)]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()
