"""A frozen encoder with a linear head, as it is served.

It is kept as an encoder's folder with ``head.safetensors`` and ``head.json`` beside its files, and loads without this
package, in five lines or so, which `advisor.backend.usage` gives for every task; for texts::

    encoder, tokenizer = AutoModel.from_pretrained("model"), AutoTokenizer.from_pretrained("model")
    head, info = load_file("model/head.safetensors"), json.loads(Path("model/head.json").read_bytes())
    batch = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
    vectors = (encoder(**batch).last_hidden_state * batch["attention_mask"][..., None]).sum(1)
    logits = normalize(vectors) @ head["weight"].T + head["bias"]
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from advisor.backend.arrays import Floats, sigmoid, softmax
from advisor.backend.bert import Bert, write_bert
from advisor.backend.chunks import OUTSIDE
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.features import FeatureCache, features_of
from advisor.backend.head import HeadDetails, LinearHead
from advisor.backend.loading import load_weights, quiet_transformers
from advisor.backend.objectives.tokens import special_frame
from advisor.backend.within_memory import Progress
from advisor.files import write_with
from advisor.tasks import TASKS, Input, Pair

_WINDOW = 4096
_KEPT_FILES = ("sentence_bert_config.json", "1_Pooling/config.json")
_READS = {Pair: "pair", tuple: "words", str: "text"}


@dataclass
class FrozenModel:
    """A frozen encoder with a linear head.

    Attributes:
        reads: what it is asked about: ``text``, ``pair`` or ``words``.
        thresholds: probability from which a class holds, one a class, for multi-label alone.
        chosen: what was chosen in fitting, such as C; kept in ``head.json``.
    """

    encoder: Encoder
    head: LinearHead
    labels: list[str]
    task: str = "text-classification"
    reads: str = "text"
    thresholds: Floats | None = None
    cache: FeatureCache = field(default_factory=lambda: FeatureCache(None))
    chosen: dict[str, Any] = field(default_factory=dict)

    def outputs(self, inputs: Sequence[Input], progress: Progress | None = None) -> Floats:
        """Return the outputs of the task; embedding by windows bounds the memory."""
        found: list[Floats] = [np.zeros((0, len(self.head.bias)), dtype=np.float32)]
        for start in range(0, len(inputs), _WINDOW):

            def report(done: int, _: int, start: int = start) -> None:
                if progress:
                    progress(min(start + done, len(inputs)), len(inputs))

            vectors, seen = features_of(self.encoder, self.cache, inputs[start : start + _WINDOW], report)
            outputs = self._activated(self.head.logits(vectors))
            if self.reads == "words":
                outputs[~seen] = [label == OUTSIDE for label in self.labels]
            found.append(outputs)
        return np.concatenate(found)

    def _activated(self, logits: Floats) -> Floats:
        predicts = TASKS[self.task].predicts
        if predicts == "number":
            return logits
        return sigmoid(logits) if predicts == "classes" else softmax(logits)

    def in_fp32(self) -> "FrozenModel":
        """Return the same head on the encoder's fp32 weights, read again where they are held in bf16."""
        encoder = self.encoder
        if not encoder.device.bf16:
            return self
        exact = Encoder.load(encoder.folder, encoder.device.in_fp32(), encoder.max_length)
        return replace(self, encoder=replace(encoder, model=exact.model, device=exact.device))

    @property
    def details(self) -> HeadDetails:
        """What ``head.json`` says."""
        encoder = self.encoder
        known = {
            "schema": 2,
            "task": self.task,
            "labels": self.labels,
            "reads": self.reads,
            "pooling": "mean" if self.reads == "words" else encoder.pooling,
            "layers": list(encoder.layers),
            "long_texts": encoder.long_texts,
            "frame": None if encoder.long_texts == "truncate" else special_frame(encoder.tokenizer),
            "max_length": encoder.max_length,
            "thresholds": None if self.thresholds is None else [round(float(level), 6) for level in self.thresholds],
        }
        return HeadDetails.model_validate(known | ({"chosen": self.chosen} if self.chosen else {}))

    def save(self, folder: Path) -> None:
        """Write encoder (weights fp32), tokenizer and head to ``folder``, made if absent; ``head.json`` comes last."""
        save_encoder(self.encoder, folder)
        self.head.save(folder, self.details)

    @classmethod
    def load(cls, folder: Path, device: Device) -> "FrozenModel":
        """Read what :meth:`save` wrote.

        Raises:
            InputError: a file is absent or damaged.
        """
        head, details = LinearHead.load(folder)
        encoder = replace(
            Encoder.load(folder, device, max_length=details.max_length),
            pooling=details.pooling,
            layers=tuple(details.layers),
            long_texts=details.long_texts,
        )
        thresholds = None if details.thresholds is None else np.array(details.thresholds, dtype=np.float32)
        return cls(encoder, head, list(details.labels), details.task, details.reads, thresholds)


def reads_of(inputs: Sequence[Input]) -> str:
    """Return what inputs are: ``text``, ``pair`` or ``words``; texts where there are none."""
    return next((name for kind, name in _READS.items() if inputs and isinstance(inputs[0], kind)), "text")


def save_encoder(encoder: Encoder, folder: Path, *, tuned: bool = False) -> None:
    """Write an encoder's config, fp32 weights and tokenizer, each file whole or not at all.

    Args:
        encoder: whose files to write.
        folder: where, made if absent.
        tuned: whether to write the weights in memory, which must be fp32; else they are read again from the encoder's
            own folder, because in memory they may be bf16.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".encoder-", dir=folder) as name, quiet_transformers():
        scratch = Path(name)
        model: Any = encoder.model if tuned else load_weights(encoder.folder, torch.float32)
        if isinstance(model, Bert):
            write_bert(model, encoder.folder, scratch)
        else:
            model.save_pretrained(scratch)
        encoder.tokenizer.model_max_length = encoder.max_length
        encoder.tokenizer.save_pretrained(scratch)
        for kept in _KEPT_FILES:
            if (encoder.folder / kept).exists():
                (scratch / kept).parent.mkdir(exist_ok=True)
                shutil.copyfile(encoder.folder / kept, scratch / kept)
        for path in sorted(path for path in scratch.rglob("*") if path.is_file()):
            write_with(folder / path.relative_to(scratch), partial(_copy, path))


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
