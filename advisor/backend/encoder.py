"""A pre-trained encoder: texts in, one vector a text out."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from advisor.backend.batching import token_batches
from advisor.backend.bert import read_bert
from advisor.backend.devices import Device
from advisor.errors import InputError, RunError
from advisor.knowledge.pretrained import length_limit

Progress = Callable[[int, int], None]
_BATCH_TOKENS = {("cpu", "fp32"): 1024, ("cpu", "bf16"): 4096}
_BATCH_TOKENS_ELSEWHERE = 32768


@dataclass
class Encoder:
    """A pre-trained encoder with its tokenizer, without any pre-training head.

    Attributes:
        folder: where its files are.
        pooling: how tokens become a text: ``mean``, ``cls`` (the first token) or ``last``.
        trained_pooling: whether the encoder was itself trained with that pooling (it says so in its files).
        max_length: longest input in tokens, special ones included.
    """

    folder: Path
    device: Device
    tokenizer: Any
    model: nn.Module
    pooling: str
    trained_pooling: bool
    max_length: int

    @classmethod
    def load(cls, folder: Path, device: Device, max_length: int | None = None, *, frozen: bool = True) -> "Encoder":
        """Load an encoder from a local folder, discarding its pre-training head.

        Args:
            folder: a transformers or sentence-transformers folder.
            device: where to compute.
            max_length: cut texts shorter than the model's own limit.
            frozen: whether the weights stay as they are: then a bf16 device holds them in bf16. Weights to be
                trained are fp32.

        Raises:
            InputError: the folder holds no model that can be loaded.
        """
        dtype = torch.bfloat16 if device.bf16 and frozen else torch.float32
        fused = device.kind != "cpu" or not device.bf16
        with loading(folder, "no encoder can be loaded from there"):
            tokenizer = load_tokenizer(folder)
            model = read_bert(folder, dtype=dtype, fused=fused) if frozen else None
            model = model or _by_transformers(folder, dtype, fused)
            limit = length_limit(folder)
            pooling, declared = declared_pooling(folder)
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

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return token ids, cut at the limit, special tokens included; an empty text keeps those alone."""
        if not texts:
            return []
        ids: list[list[int]] = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
            return_token_type_ids=False,
        )["input_ids"]
        alone = [self.padding]
        return [row or alone for row in ids]

    @property
    def padding(self) -> int:
        """Token id that fills a batch up."""
        return int(self.tokenizer.pad_token_id or 0)

    def collate(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Pad token ids to one length; return ids and attention mask, both (rows, length), on the device."""
        return collate(rows, self.padding, self.device.torch)

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return one L2-normalised float32 vector a text, shape (texts, hidden).

        Batches are filled by a budget of tokens; where memory runs out the budget is halved for the rest.

        Args:
            texts: any, empty ones too.
            progress: called with texts done and texts in all.

        Raises:
            RunError: memory runs out on a single text.
        """
        tokens = self.tokenize(texts)
        vectors = np.empty((len(texts), self.hidden_size), dtype=np.float32)
        lengths = np.array([len(row) for row in tokens], dtype=np.int64)
        left = np.arange(len(texts))
        budget = _BATCH_TOKENS.get((self.device.kind, self.device.precision), _BATCH_TOKENS_ELSEWHERE)
        while len(left):
            try:
                for batch in token_batches(lengths[left].tolist(), budget):
                    rows = left[batch]
                    vectors[rows] = self._vectors([tokens[row] for row in rows])
                    lengths[rows] = 0
                    if progress:
                        progress(int((lengths == 0).sum()), len(texts))
            except (MemoryError, torch.OutOfMemoryError, RuntimeError) as failure:
                if not out_of_memory(failure):
                    raise
                if budget <= lengths.max():
                    raise RunError("not even one text fits in memory; set a shorter max_length") from None
                budget //= 2
                if self.device.kind == "cuda":
                    torch.cuda.empty_cache()
            left = np.flatnonzero(lengths)
        return vectors

    def _vectors(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        ids, mask = self.collate(rows)
        hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        pooled: NDArray[np.float32] = (
            nn.functional.normalize(pool(hidden.float(), mask, self.pooling), dim=-1).cpu().numpy()
        )
        return pooled


def _by_transformers(folder: Path, dtype: torch.dtype, fused: bool) -> Any:
    """Load a model without heads; fused attention where its type has it."""
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder, dtype=dtype, attn_implementation=None if fused else "eager")


def load_tokenizer(folder: Path, **options: Any) -> Any:
    """Load a tokenizer that pads on the right, with its end of text where it has no padding token (decoders).

    Args:
        folder: where its files are.
        options: of the tokenizer's own class.

    Raises:
        OSError: the folder holds no tokenizer.
        ValueError: the tokenizer cannot be made, or has no token to pad with.
    """
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, **options)
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        if not (tokenizer.eos_token or tokenizer.unk_token):
            raise ValueError("its tokenizer has no token to pad with; give it a pad_token in tokenizer_config.json")
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def is_decoder(config: Any) -> bool:
    """Whether a token sees only those before it: the types that transformers can have write but not fill gaps."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    kind = config.model_type
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES


def out_of_memory(failure: Exception) -> bool:
    """Whether an error says that memory ran out; on a CPU PyTorch says it only in words."""
    if isinstance(failure, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("not enough memory", "out of memory", "can't allocate memory")
    return any(word in str(failure) for word in words)


@lru_cache(maxsize=1)
def shared_encoder(folder: Path, device: Device, max_length: int | None) -> Encoder:
    """Return the encoder loaded last where it is asked for again: a run uses one several times."""
    return Encoder.load(folder, device, max_length)


@contextmanager
def loading(folder: Path, failed: str) -> Iterator[None]:
    """Load quietly, and turn what transformers raises into one sentence.

    Args:
        folder: what is loaded.
        failed: what to say of it when that fails.

    Raises:
        InputError: it failed.
    """
    try:
        with quiet_transformers():
            yield
    except (OSError, ValueError, ImportError, SafetensorError) as failure:
        reason = str(failure).strip().partition("\n")[0]
        raise InputError(f"{folder}: {failed} ({reason})") from None


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from writing progress bars and notices about discarded heads."""
    from transformers import utils

    reports: Any = utils.logging

    verbosity, bars = reports.get_verbosity(), reports.is_progress_bar_enabled()
    reports.set_verbosity(logging.ERROR)
    reports.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        reports.set_verbosity(verbosity)
        if bars:
            reports.enable_progress_bar()


def pool(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Turn token vectors (rows, length, hidden) into text vectors (rows, hidden)."""
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        return hidden[torch.arange(len(hidden)), mask.sum(1).clamp(min=1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def collate(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pad ``rows`` to the longest; return ids and attention mask."""
    width = max(len(row) for row in rows)
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def declared_pooling(folder: Path) -> tuple[str, bool]:
    """Return the pooling a sentence-transformers folder declares and True; ``mean`` and False for any other."""
    try:
        modes = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "mean", False
    for pooling, name in (("cls", "cls_token"), ("last", "lasttoken"), ("mean", "mean_tokens")):
        if modes.get(f"pooling_mode_{name}") or modes.get("pooling_mode") in (pooling, name):
            return pooling, True
    return "mean", False
