"""Contrastive tuning: an encoder learns to draw texts of one class together and the others apart.

The aim of SetFit (Tunstall et al. 2022, arXiv:2209.11055), reached otherwise: a batch is encoded once and all its
pairs enter the supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362), so that B texts give B(B - 1)/2
pairs for the price of B, where one pair after the other costs two texts each.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from advisor.backend.batching import token_batches
from advisor.backend.checkpoint import BEST, Checkpoints
from advisor.backend.contrastive_settings import ContrastiveSettings
from advisor.backend.dealing import Dealer
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.frozen import save_encoder
from advisor.backend.pooling import pool
from advisor.backend.rows import Rows
from advisor.backend.updates import OnEvent, StepProgress, Updates, adamw, rate_factor
from advisor.backend.wording import in_words
from advisor.knowledge.pretrained import content_digest
from advisor.settings import load_settings

TUNED = BEST.parent / "encoder"


def tune_on_pairs(
    encoder: Path,
    texts: Sequence[str],
    targets: NDArray[Any],
    settings: ContrastiveSettings,
    *,
    seed: int,
    device: Device,
    workspace: Path,
    max_length: int | None = None,
    save_seconds: float | None = None,
    progress: StepProgress | None = None,
    on_event: OnEvent | None = None,
) -> Encoder:
    """Tune an encoder on the pairs that texts make; the same call again goes on from a checkpoint.

    Args:
        encoder: folder of the pre-trained encoder.
        texts: what it learns from.
        targets: class of each text, int64 (texts,), or zeros and ones, (texts, classes).
        settings: hyper-parameters.
        seed: source of the batches and of dropout.
        device: where to compute and in which precision; weights are kept in fp32.
        workspace: folder for ``last/`` and the tuned encoder. The caller removes them when the encoder is not needed.
        max_length: cut texts at this many tokens where the encoder would allow more.
        save_seconds: least time between two checkpoints; the rules' if left out.
        progress: told step, steps in all and training loss after every update.
        on_event: told, as a dict with ``event``, of resumption, the start, memory and the end.

    Returns:
        the tuned encoder, loaded from ``workspace``.

    Raises:
        InputError: the folder holds no encoder that can be loaded.
        RunError: a checkpoint belongs to other settings or data, or a single text does not fit in memory.
    """
    notify = on_event or (lambda event: None)
    model = Encoder.load(encoder, device, max_length, frozen=False, dropout=settings.dropout)
    run = PairTraining(model, texts, targets, settings, seed, notify)
    kept = Checkpoints(run, workspace, _fingerprint(encoder, texts, targets, settings, seed, max_length))
    kept.restore()
    notify({"event": "training", "step": run.step, "steps": run.steps})
    while run.step < run.steps:
        loss = run.update()
        kept.save_after(save_seconds)
        if progress:
            progress(run.step, run.steps, loss)
    kept.save_after(save_seconds)
    run.step_back()
    save_encoder(model, workspace / TUNED, tuned=True)
    notify({"event": "tuned", "steps": run.step})
    return Encoder.load(workspace / TUNED, device, max_length)


class PairTraining(Updates):
    """The contrastive tuning of an encoder."""

    def __init__(
        self,
        encoder: Encoder,
        texts: Sequence[str],
        targets: NDArray[Any],
        settings: ContrastiveSettings,
        seed: int,
        notify: OnEvent,
    ) -> None:
        if settings.freeze_token_embeddings:
            encoder.model.get_input_embeddings().weight.requires_grad_(False)  # type: ignore[operator]
        super().__init__(encoder.model, encoder.device, settings, seed, notify)
        self.encoder, self.settings, self.targets = encoder, settings, targets
        self.tokens = encoder.tokenize(texts)
        self.lengths = np.array([len(row) for row in self.tokens])
        self.dealer = Dealer(targets, settings.batch_size, settings.texts_per_class, seed)
        self.steps = settings.updates(len(texts))
        self.optimizer = adamw(
            [(settings.learning_rate, list(self.parameters.values()))], settings.weight_decay, encoder.device
        )
        self.start = {name: parameter.detach().cpu().clone() for name, parameter in self.parameters.items()}

    def batch(self) -> np.ndarray:
        """Return the numbers of the next batch's texts."""
        return self.dealer.batch(self.step)

    def set_rates(self) -> None:
        """Let the rate rise, then fall to 0."""
        factor = rate_factor(self.step, self.steps, self.settings.warmup_fraction)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor

    def backward(self, rows: np.ndarray) -> float:
        """Compute the gradients of the batch's loss; return the loss.

        What does not fit in memory at once is encoded without gradients first. The loss's gradient in the vectors then
        serves to go back through the encoder part by part, which gives the same gradients for one more pass forward
        (Gao et al. 2021, arXiv:2101.06983).
        """
        self.optimizer.zero_grad(set_to_none=True)
        self.network.train(self.settings.dropout)
        lengths = self.lengths[rows]
        most = self.batch_tokens
        if self.device.kind == "cpu":
            most = min(most, int(load_settings("computing.yaml")["cpu_part_tokens"]))
        parts = token_batches(lengths.tolist(), most)
        likeness = self._likeness(rows[np.concatenate(parts)])
        with torch.random.fork_rng(enabled=self.settings.dropout):
            at_once = sum(len(part) * int(lengths[part].max()) for part in parts) <= self.batch_tokens
            with torch.set_grad_enabled(at_once), self._precision():
                vectors = torch.cat([self._vectors(rows[part], number) for number, part in enumerate(parts)])
            if not at_once:
                vectors.requires_grad_()
            loss = contrastive_loss(vectors, likeness, self.settings.temperature)
            loss.backward()  # type: ignore[no-untyped-call]
            if not at_once:
                slopes = vectors.grad.split([len(part) for part in parts])  # type: ignore[union-attr]
                for number, part in enumerate(parts):
                    with self._precision():
                        again = self._vectors(rows[part], number)
                    again.backward(slopes[number])  # type: ignore[no-untyped-call]
        return loss.item()

    @torch.no_grad()
    def step_back(self) -> None:
        """Move the weights from where tuning ended to ``kept_share`` of the way there."""
        for name, parameter in self.parameters.items():
            start = self.start[name].to(parameter.device)
            parameter.copy_(torch.lerp(start, parameter, self.settings.kept_share))

    def _vectors(self, rows: np.ndarray, part: int) -> Tensor:
        """Return the L2-normalised vectors of texts, (texts, hidden), with the same dropout whenever asked."""
        if self.settings.dropout:
            torch.manual_seed((self.seed * 1_000_003 + self.step) * 1_009 + part)
        ids, mask = self.encoder.collate([self.tokens[row] for row in rows])
        hidden = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
        return normalize(pool(hidden.float(), mask, self.encoder.pooling), dim=-1)

    def _precision(self) -> Any:
        return torch.autocast(self.device.kind, dtype=torch.bfloat16, enabled=self.device.bf16)

    def _likeness(self, rows: np.ndarray) -> Tensor:
        return likeness(torch.from_numpy(self.targets[rows]).to(self.device.torch))


def with_names(rows: Rows, labels: Sequence[str], descriptions: Mapping[str, str]) -> Rows:
    """Return rows and, for each class that words say something of, these words as one more row of it.

    Args:
        rows: texts with their classes.
        labels: class names.
        descriptions: one line about a class, by name, where there is one.
    """
    said = {number: in_words(label, descriptions.get(label, "")) for number, label in enumerate(labels)}
    names = {number: words for number, words in said.items() if words is not None}
    own = np.array(list(names), dtype=np.int64)
    targets = own if rows.targets.ndim == 1 else np.eye(len(labels), dtype=rows.targets.dtype)[own]
    return Rows(
        [*rows.inputs, *names.values()], np.concatenate([rows.targets, targets]), [*rows.places, *[0] * len(names)]
    )


def likeness(targets: Tensor) -> Tensor:
    """Return how alike the labels of texts are, from 0 to 1, (texts, texts).

    Args:
        targets: classes, (texts,): alike where equal; or zeros and ones, (texts, classes): the share of the classes of
            either that both have (Jaccard), none where neither has any.
    """
    if targets.ndim == 1:
        return (targets[:, None] == targets[None, :]).float()
    shared = targets @ targets.T
    own = targets.sum(dim=1)
    return shared / (own[:, None] + own[None, :] - shared).clamp(min=1)


def contrastive_loss(vectors: Tensor, likeness: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss of a batch (Khosla et al. 2020, arXiv:2004.11362, equation 2).

    A text's loss is the mean over the texts like it, weighted by their likeness, of minus the log of the softmax of its
    similarities to all others; the batch's is the mean over the texts that have such others, 0 where none has.

    Args:
        vectors: L2-normalised, (texts, hidden).
        likeness: (texts, texts), from 0 to 1; the diagonal counts for nothing.
        temperature: what cosine similarities are divided by.
    """
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    similarities = (vectors @ vectors.T / temperature).masked_fill(itself, float("-inf"))
    losses = -similarities.log_softmax(dim=1).masked_fill(itself, 0.0)
    alike = likeness.masked_fill(itself, 0.0)
    weight = alike.sum(dim=1)
    of_text = (losses * alike).sum(dim=1) / weight.clamp(min=1e-12)
    return of_text.sum() / (weight > 0).sum().clamp(min=1)


def _fingerprint(
    encoder: Path,
    texts: Sequence[str],
    targets: NDArray[Any],
    settings: ContrastiveSettings,
    seed: int,
    max_length: int | None,
) -> str:
    """Return a hash of everything that the tuned encoder depends on, device and versions apart."""
    parts = [list(texts), targets.tolist(), settings.model_dump(), seed, max_length, content_digest(encoder)]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()
