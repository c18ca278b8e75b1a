"""A pre-trained encoder: texts in, one vector a text out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from advisor.backend.arrays import Flags, Floats
from advisor.backend.attention import able_device, narrow_mask
from advisor.backend.batching import collate
from advisor.backend.devices import Device
from advisor.backend.loading import load_tokenizer, load_weights, loading, tokenizer_of_words
from advisor.backend.objectives.tokens import cut_units, word_tokens
from advisor.backend.pooling import declared_pooling, pool
from advisor.backend.within_memory import Progress, by_batch
from advisor.knowledge.pretrained import length_limit
from advisor.tasks import Words


@dataclass
class Encoder:
    """A pre-trained encoder with its tokenizer, without any pre-training head.

    Attributes:
        folder: where its files are.
        pooling: how tokens become a text: ``mean``, ``cls`` (the first token) or ``last``.
        trained_pooling: whether the encoder was itself trained with that pooling (it says so in its files).
        max_length: longest input in tokens, special ones included.
        layers: hidden states that are averaged into the tokens' vectors, from 0, the embeddings; empty for the last.
        long_texts: what happens to a text beyond the limit, as `advisor.backend.long_texts.cut` has it; the vectors of
            windows are averaged.
    """

    folder: Path
    device: Device
    tokenizer: Any
    model: nn.Module
    pooling: str
    trained_pooling: bool
    max_length: int
    layers: tuple[int, ...] = ()
    long_texts: str = "truncate"

    @classmethod
    def load(
        cls, folder: Path, device: Device, max_length: int | None = None, *, frozen: bool = True, dropout: bool = False
    ) -> "Encoder":
        """Load an encoder from a local folder, discarding its pre-training head.

        Args:
            folder: a transformers or sentence-transformers folder.
            device: where to compute.
            max_length: cut texts shorter than the model's own limit.
            frozen: whether the weights stay as they are: then a bf16 device holds them in bf16. Weights to be
                trained are fp32.
            dropout: whether training needs the encoder's own dropout.

        Raises:
            InputError: the folder holds no model that can be loaded.
        """
        with loading(folder, "no encoder can be loaded from there"):
            device = able_device(device, folder)
            dtype = torch.bfloat16 if device.bf16 and frozen else torch.float32
            # On a processor only fp32 gains by fused attention, and only without a backward pass.
            fused = device.kind != "cpu" or (frozen and not device.bf16)
            tokenizer = load_tokenizer(folder)
            model = load_weights(folder, dtype, fused=fused, dropout=dropout)
            limit = length_limit(folder)
            pooling, declared = declared_pooling(folder)
        if not frozen:
            narrow_mask(model, device)
        return cls(
            folder=folder,
            device=device,
            tokenizer=tokenizer,
            model=model.to(device.torch).eval(),
            pooling=pooling,
            trained_pooling=declared,
            max_length=min(limit, max_length or limit),
        )

    @property
    def hidden_size(self) -> int:
        """Width of a text's vector."""
        return int(self.model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def for_words(self) -> "Encoder":
        """Return the encoder reading words."""
        return replace(self, tokenizer=tokenizer_of_words(self.tokenizer, self.folder))

    @property
    def padding(self) -> int:
        """Token id that fills a batch up."""
        return int(self.tokenizer.pad_token_id or 0)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return token ids, cut at the limit, special tokens included; an empty text keeps those alone."""
        return [unit.ids for unit in cut_units(self.tokenizer, texts, self.max_length, "truncate")]

    def collate(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Pad token ids to one length; return ids and attention mask, both (rows, length), on the device."""
        return collate(rows, self.padding, self.device.torch)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return one L2-normalised float32 vector a text, (texts, hidden).

        Args:
            texts: any, empty ones too.
            progress: called with texts done and texts in all.

        Raises:
            RunError: memory runs out on a single text.
        """
        return self._embed(texts, False, progress)[:, 0]

    def embed_layers(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return what `embed` would with each single hidden state, (texts, layers + 1, hidden)."""
        return self._embed(texts, True, progress)

    def embed_words(self, rows: Sequence[Words], progress: Progress | None = None) -> tuple[Floats, Flags]:
        """Return one L2-normalised vector a word, the mean of its tokens', and which words have one.

        Args:
            rows: words.
            progress: called with rows done and rows in all.

        Returns:
            (words in all, hidden), zero for a word beyond the limit, and (words in all,).
        """
        vectors, seen = self._embed_words(rows, False, progress)
        return vectors[:, 0], seen

    def embed_word_layers(self, rows: Sequence[Words], progress: Progress | None = None) -> tuple[Floats, Flags]:
        """Return what `embed_words` would with each single hidden state, (words in all, layers + 1, hidden)."""
        return self._embed_words(rows, True, progress)

    def _embed(self, texts: Sequence[str], every: bool, progress: Progress | None) -> Floats:
        units = cut_units(self.tokenizer, texts, self.max_length, self.long_texts)
        pooled: Floats = np.empty((len(units), self._states(every), self.hidden_size), dtype=np.float32)

        def fill(some: NDArray[np.int64]) -> None:
            hidden, mask = self._hidden([units[unit].ids for unit in some], every)
            pooled[some] = torch.stack([pool(state, mask, self.pooling) for state in hidden], dim=1).cpu().numpy()

        def report(done: int, units: int) -> None:
            if progress:
                progress(len(texts) * done // units, len(texts))

        by_batch([len(unit.ids) for unit in units], fill, self.device, report)
        if len(units) > len(texts):
            sums = np.zeros((len(texts), *pooled.shape[1:]), dtype=np.float32)
            np.add.at(sums, [unit.row for unit in units], pooled)
            pooled = sums
        return _unit(pooled)

    def _embed_words(self, rows: Sequence[Words], every: bool, progress: Progress | None) -> tuple[Floats, Flags]:
        tokens = word_tokens(self.tokenizer, rows, self.max_length)
        starts = np.cumsum([0, *map(len, rows)])
        sums: Floats = np.zeros((starts[-1], self._states(every), self.hidden_size), dtype=np.float32)
        counts = np.zeros(starts[-1], dtype=np.int64)

        def fill(some: NDArray[np.int64]) -> None:
            hidden = self._hidden([tokens[row].ids for row in some], every)[0].permute(1, 2, 0, 3).cpu().numpy()
            for row, states in zip(some, hidden, strict=True):
                of_word = tokens[row].words
                held = np.flatnonzero(of_word >= 0)
                words = starts[row] + of_word[held]
                np.add.at(sums, words, states[held])
                np.add.at(counts, words, 1)

        by_batch([len(row.ids) for row in tokens], fill, self.device, progress)
        return _unit(sums), counts > 0

    @property
    def depth(self) -> int:
        """Number of layers above the embeddings."""
        return int(self.model.config.num_hidden_layers)  # type: ignore[union-attr, arg-type]

    @cached_property
    def shows_layers(self) -> bool:
        """Whether the model gives the hidden states of its layers; code of its own that came with it may not."""
        ids, mask = self.collate(self.tokenize([""]))
        with torch.inference_mode():
            found = self.model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        return getattr(found, "hidden_states", None) is not None

    def _states(self, every: bool) -> int:
        return self.depth + 1 if every else 1

    @torch.inference_mode()
    def _hidden(self, rows: Sequence[Sequence[int]], every: bool) -> tuple[Tensor, Tensor]:
        """Return (states, rows, length, hidden) in fp32, one state or each, and the attention mask."""
        ids, mask = self.collate(rows)
        if not (every or self.layers):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state.float()[None], mask
        states = self.model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        if every:
            return torch.stack(tuple(states)).float(), mask
        return torch.stack([states[layer] for layer in self.layers]).float().mean(0, keepdim=True), mask


def _unit(vectors: Floats) -> Floats:
    """Return vectors divided by their length; a zero one stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = vectors / np.maximum(lengths, 1e-12)
    return unit


@lru_cache(maxsize=1)
def shared_encoder(folder: Path, device: Device, max_length: int | None) -> Encoder:
    """Return the encoder loaded last where it is asked for again: a run uses one several times."""
    return Encoder.load(folder, device, max_length)
