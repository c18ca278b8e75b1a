"""A language model for more pre-training: texts as rows of tokens, which of them are guessed, and the loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from advisor.backend.attention import able_device, attention, narrow_mask
from advisor.backend.batching import collate
from advisor.backend.devices import Device
from advisor.backend.loading import is_decoder, load_tokenizer
from advisor.backend.pretraining_settings import PretrainingSettings
from advisor.backend.remote_code import allowed
from advisor.backend.untrained import draw_unset, unset_shown
from advisor.knowledge.pretrained import length_limit

Ids = NDArray[np.int64]


class Guess(NamedTuple):
    """A row to learn from: what the model reads, where it guesses, and what is right there.

    Attributes:
        ids: token ids, some of them replaced.
        places: where in the row it guesses; for a causal model, from where it guesses the next token.
        answers: the right token ids at those places.
    """

    ids: Ids
    places: Ids
    answers: Ids


@dataclass
class LanguageModel:
    """An encoder with the head that guesses tokens.

    Attributes:
        causal: whether it guesses the next token from those before; else hidden tokens from all others.
        new_head: whether the head is not in the files.
        special: ids of tokens that are never hidden.
    """

    model: Any
    tokenizer: Any
    device: Device
    max_length: int
    causal: bool
    new_head: bool
    special: frozenset[int]

    @classmethod
    def load(cls, encoder: Path, device: Device, *, seed: int, max_length: int | None = None) -> "LanguageModel":
        """Load an encoder with its language-model head; a head that is not in the files is tied to the embeddings.

        Raises:
            OSError, ValueError: no such model can be loaded.
        """
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

        trusted, device = allowed(encoder), able_device(device, encoder)
        causal = is_decoder(AutoConfig.from_pretrained(encoder, trust_remote_code=trusted))
        kind: Any = AutoModelForCausalLM if causal else AutoModelForMaskedLM
        with torch.random.fork_rng(), unset_shown():
            torch.manual_seed(seed)
            model, loading = kind.from_pretrained(
                encoder,
                dtype=torch.float32,
                attn_implementation=None if causal else attention(device),
                output_loading_info=True,
                trust_remote_code=trusted,
            )
            draw_unset(model, loading["missing_keys"])
        if not causal:
            narrow_mask(model, device)
        tokenizer = load_tokenizer(encoder)
        if not causal and tokenizer.mask_token_id is None:
            raise ValueError("its tokenizer has no token that hides others; give it a mask_token")
        made = cls(
            model=model.to(device.torch),
            tokenizer=tokenizer,
            device=device,
            max_length=min(length_limit(encoder), max_length or length_limit(encoder)),
            causal=causal,
            new_head=any(not name.startswith(f"{model.base_model_prefix}.") for name in loading["missing_keys"]),
            special=frozenset(tokenizer.all_special_ids),
        )
        if made.new_head:
            made._start_as_identity(set(loading["missing_keys"]))
        return made

    @property
    def output_layer(self) -> nn.Linear:
        """The layer that gives a number for every token of the vocabulary."""
        layer: nn.Linear = self.model.get_output_embeddings()
        return layer

    def rows(self, texts: Sequence[str]) -> list[Ids]:
        """Return texts as token ids; a text beyond the limit makes several rows, none of less than two free tokens."""
        found: list[Ids] = []
        for text in texts:
            windows = self.tokenizer(
                text, truncation=True, max_length=self.max_length, return_overflowing_tokens=True, verbose=False
            )["input_ids"]
            found += [np.array(ids, dtype=np.int64) for ids in windows]
        return [row for row in found if len(self.free(row)) > 1]

    def free(self, row: Ids) -> Ids:
        """Return the places of a row that hold no special token."""
        return np.flatnonzero(~np.isin(row, list(self.special)))

    def guess(self, row: Ids, order: np.random.Generator, settings: PretrainingSettings) -> Guess:
        """Hide tokens of a row (Devlin et al. 2019, arXiv:1810.04805, section 3.1); for a causal model all are guessed.

        Args:
            row: token ids.
            order: source of randomness.
            settings: shares of what is hidden, and how.
        """
        if self.causal:
            return Guess(row, np.arange(len(row) - 1), row[1:])
        free = self.free(row)
        count = max(1, int(settings.masked_share * len(free) + order.random()))
        places = np.sort(order.permutation(free)[:count])
        ids, drawn = row.copy(), order.random(count)
        ids[places[drawn < settings.replaced_by_mask]] = self.tokenizer.mask_token_id
        other = (drawn >= settings.replaced_by_mask) & (drawn < settings.replaced_by_mask + settings.replaced_at_random)
        ids[places[other]] = order.integers(0, self.output_layer.out_features, int(other.sum()))
        return Guess(ids, places, row[places])

    def loss(self, guesses: Sequence[Guess]) -> Tensor:
        """Return the cross-entropy of the right tokens, summed over all places, in nats.

        The head gives its numbers at those places alone: for all tokens they would take as long as the encoder.
        """
        ids, mask = collate([guess.ids.tolist() for guess in guesses], self.tokenizer.pad_token_id, self.device.torch)
        lines = np.repeat(np.arange(len(guesses)), [len(guess.places) for guess in guesses])
        places = np.concatenate([guess.places for guess in guesses])
        answers = torch.from_numpy(np.concatenate([guess.answers for guess in guesses])).to(self.device.torch)
        chosen = (torch.from_numpy(lines).to(self.device.torch), torch.from_numpy(places).to(self.device.torch))
        hook = self.output_layer.register_forward_pre_hook(lambda layer, inputs: (inputs[0][chosen],))
        try:
            with torch.autocast(self.device.kind, dtype=torch.bfloat16, enabled=self.device.bf16):
                logits = self.model(input_ids=ids, attention_mask=mask).logits
        finally:
            hook.remove()
        return nn.functional.cross_entropy(logits.float(), answers, reduction="sum")

    @torch.no_grad()
    def start_from_frequencies(self, rows: Sequence[Ids]) -> None:
        """Give a new head's bias the logarithm of how often each token occurs, so that it need not learn that."""
        bias = self.output_layer.bias
        if bias is None:
            return
        counts = np.bincount(np.concatenate(rows), minlength=len(bias))[: len(bias)]
        bias.copy_(torch.from_numpy(np.log((counts + 1) / (counts.sum() + len(bias)))))

    @torch.no_grad()
    def _start_as_identity(self, missing: set[str]) -> None:
        for name, parameter in self.model.named_parameters():
            if name in missing and parameter.ndim == 2 and parameter.shape[0] == parameter.shape[1]:
                parameter.copy_(torch.eye(len(parameter)))
