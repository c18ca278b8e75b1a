"""A classifier whose encoder is tuned: texts in, probabilities out; saved as a plain transformers model."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from advisor.backend.arrays import Floats, Labels
from advisor.backend.batching import token_batches
from advisor.backend.devices import Device
from advisor.backend.encoder import (
    collate,
    declared_pooling,
    load_tokenizer,
    out_of_memory,
    quiet_transformers,
)
from advisor.backend.logistic import LogisticRegression
from advisor.backend.pooling_layer import (
    expressible,
    head_logits,
    pooling_layer,
    start_near_linear,
    text_vector,
)
from advisor.errors import InputError, RunError
from advisor.knowledge.pretrained import length_limit

Progress = Callable[[int, int], None]
TokenRows = Sequence[Sequence[int]]
_PREDICTION_TOKENS = 4096
_MOST_PROBED = 5000
_PROBE_TOLERANCE, _PROBE_ITERATIONS = 1e-4, 100


@dataclass
class TunedClassifier:
    """A transformers sequence classifier with its tokenizer.

    Attributes:
        labels: class names, in the order of the probabilities.
        max_length: longest input in tokens, special ones included.
        mean_pooled: the head reads the mean of the tokens, computed here; an export gets a layer for it.
        head_note: which head was discarded and which one put on, in words.
        history: one record an evaluation while tuning, as `advisor.backend.tuning` writes it.
    """

    model: Any
    tokenizer: Any
    labels: list[str]
    device: Device
    max_length: int
    mean_pooled: bool = False
    head_note: str = ""
    history: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def with_new_head(
        cls, encoder: Path, labels: Sequence[str], device: Device, *, seed: int, max_length: int | None = None
    ) -> "TunedClassifier":
        """Load a pre-trained encoder, discard its pre-training head and put an untrained class head on.

        The head reads the mean of the tokens where the encoder's files declare that it was trained so and its
        type allows the export of that; else it is the stock head on the first token.

        Raises:
            InputError: the folder holds no encoder that can be loaded.
        """
        from transformers import AutoModelForSequenceClassification

        with _loading(encoder), torch.random.fork_rng():
            torch.manual_seed(seed)
            model, loading = AutoModelForSequenceClassification.from_pretrained(
                encoder,
                num_labels=len(labels),
                id2label=dict(enumerate(labels)),
                label2id={label: index for index, label in enumerate(labels)},
                problem_type="single_label_classification",
                dtype=torch.float32,
                attn_implementation=_attention(device),
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
            tokenizer = load_tokenizer(encoder)
            limit = length_limit(encoder)
        pooling, declared = declared_pooling(encoder)
        mean_pooled = declared and pooling == "mean" and expressible(model.config)
        if mean_pooled:
            start_near_linear(model)
        return cls(
            model=model.to(device.torch).eval(),
            tokenizer=tokenizer,
            labels=list(labels),
            device=device,
            max_length=min(limit, max_length or limit),
            mean_pooled=mean_pooled,
            head_note=_head_note(loading["unexpected_keys"], len(labels), model.config.hidden_size, mean_pooled),
        )

    @classmethod
    def load(cls, folder: Path, device: Device) -> "TunedClassifier":
        """Load what `save` wrote, or any transformers sequence classifier.

        Raises:
            InputError: the folder holds no model that can be loaded.
        """
        from transformers import AutoModelForSequenceClassification

        with _loading(folder):
            model = AutoModelForSequenceClassification.from_pretrained(
                folder, dtype=torch.float32, attn_implementation=_attention(device)
            )
            tokenizer = load_tokenizer(folder)
            limit = length_limit(folder)
        return cls(
            model=model.to(device.torch).eval(),
            tokenizer=tokenizer,
            labels=[model.config.id2label[index] for index in range(model.config.num_labels)],
            device=device,
            max_length=limit,
        )

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return token ids, cut at the limit, special tokens included."""
        if not texts:
            return []
        ids = self.tokenizer(list(texts), truncation=True, max_length=self.max_length)["input_ids"]
        return [row or [self.tokenizer.pad_token_id or 0] for row in ids]

    def logits(self, rows: TokenRows) -> Tensor:
        """Return float32 logits (rows, classes) of token ids, with gradients where they are enabled."""
        ids, mask = collate(rows, self.tokenizer.pad_token_id or 0, self.device.torch)
        with self._precision():
            if self.mean_pooled:
                hidden = self.model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
                vectors = text_vector(hidden, mask, self.model.config.layer_norm_eps)
                return head_logits(self.model, vectors).float()
            return self.model(input_ids=ids, attention_mask=mask).logits.float()  # type: ignore[no-any-return]

    def probabilities(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return class probabilities, float32 (texts, classes), each row summing to one.

        Raises:
            RunError: memory runs out on a single text.
        """
        return self.token_probabilities(self.tokenize(texts), progress)

    def token_probabilities(self, tokens: TokenRows, progress: Progress | None = None) -> Floats:
        """Return what `probabilities` does, for texts already made token ids."""
        return self._by_batch(tokens, len(self.labels), lambda rows: torch.softmax(self.logits(rows), dim=-1), progress)

    def head_inputs(self, tokens: TokenRows) -> Floats:
        """Return what the output layer reads, float32 (texts, width of the head)."""
        read: list[Tensor] = []
        output = self.output_layer
        hook = output.register_forward_pre_hook(lambda layer, inputs: read.append(inputs[0]))

        def inputs(rows: TokenRows) -> Tensor:
            read.clear()
            self.logits(rows)
            return read[0].float()

        try:
            return self._by_batch(tokens, output.in_features, inputs)
        finally:
            hook.remove()

    def start_head(self, tokens: TokenRows, labels: Labels, c: float) -> None:
        """Set the output layer to logistic regression on what it reads, so that tuning starts from a probe.

        Then the first gradients do not distort the encoder to suit a random head (Kumar et al. 2022,
        arXiv:2202.10054).

        Args:
            tokens: training rows; a few thousand of many do.
            labels: class number of each.
            c: inverse regularisation strength, scikit-learn's C.
        """
        some = np.random.default_rng(0).permutation(len(tokens))[:_MOST_PROBED]
        features = self.head_inputs([tokens[row] for row in some])
        weights = np.ones(len(some), dtype=np.float32)
        regression = LogisticRegression(features, labels[some].astype(np.int64), len(self.labels), weights)
        weight, bias = regression.fit(c, _PROBE_TOLERANCE, _PROBE_ITERATIONS)
        with torch.no_grad():
            self.output_layer.weight.copy_(torch.from_numpy(weight.T))
            self.output_layer.bias.copy_(torch.from_numpy(bias))

    @property
    def output_layer(self) -> nn.Linear:
        """The layer whose outputs are the logits."""
        return [module for module in self.model.modules() if isinstance(module, nn.Linear)][-1]

    @torch.no_grad()
    def _by_batch(
        self,
        tokens: TokenRows,
        width: int,
        compute: Callable[[TokenRows], Tensor],
        progress: Progress | None = None,
    ) -> Floats:
        """Compute (rows, width) without dropout, in batches that are halved where memory runs out."""
        was_training = self.model.training
        self.model.eval()
        found: Floats = np.empty((len(tokens), width), dtype=np.float32)
        lengths = np.array([len(row) for row in tokens], dtype=np.int64)
        left, done, budget = np.arange(len(tokens)), np.zeros(len(tokens), dtype=bool), _PREDICTION_TOKENS
        while len(left):
            try:
                for batch in token_batches(lengths[left].tolist(), budget):
                    rows = left[batch]
                    found[rows] = compute([tokens[row] for row in rows]).cpu().numpy()
                    done[rows] = True
                    if progress:
                        progress(int(done.sum()), len(tokens))
            except (MemoryError, RuntimeError) as failure:
                if not out_of_memory(failure):
                    raise
                if budget <= lengths.max():
                    raise RunError("not even one text fits in memory; set a smaller max_length") from None
                budget //= 2
            left = np.flatnonzero(~done)
        self.model.train(was_training)
        return found

    def in_fp32(self) -> "TunedClassifier":
        """Return the same model, which holds fp32 weights, computing without bf16."""
        return replace(self, device=self.device.in_fp32())

    def save(self, folder: Path) -> None:
        """Write a folder that ``transformers.pipeline("text-classification", model=folder)`` loads.

        The folder is put in place whole; one that was there before is replaced.

        Raises:
            OSError: the place cannot be written or the disk is full.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            self.tokenizer.model_max_length = self.max_length
            self.tokenizer.padding_side = "right"
            with quiet_transformers(), pooling_layer(self.model) if self.mean_pooled else nullcontext():
                self.model.save_pretrained(temporary)
                self.tokenizer.save_pretrained(temporary)
            temporary.chmod(0o755)
            if folder.exists():
                shutil.rmtree(folder)
            temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _precision(self) -> Any:
        return torch.autocast(self.device.kind, dtype=torch.bfloat16, enabled=self.device.bf16)


@contextmanager
def _loading(folder: Path) -> Iterator[None]:
    """Load quietly, and turn what transformers raises into one sentence."""
    try:
        with quiet_transformers():
            yield
    except (OSError, ValueError, SafetensorError) as failure:
        reason = str(failure).strip().partition("\n")[0]
        raise InputError(f"{folder}: no model can be loaded from there ({reason})") from None


def _attention(device: Device) -> str:
    """Return the attention that is fastest on short texts: eager on a CPU, fused elsewhere."""
    return "eager" if device.kind == "cpu" else "sdpa"


def _head_note(discarded: Sequence[str], classes: int, width: int, mean_pooled: bool) -> str:
    """Say which parts of the pre-trained files go unused and which head takes their place."""
    parts = sorted({".".join(key.split(".")[:2]) for key in discarded if "position_ids" not in key})
    gone = ", ".join(parts) if parts else "none in the files"
    source = "the mean of the tokens, as the encoder was trained" if mean_pooled else "the first token"
    added = f"{source} → {width} × {width} → {classes} classes, untrained"
    return f"pre-training head discarded: {gone}; head added: {added}"
