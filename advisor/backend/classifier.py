"""Classifiers as they are served: texts in, class probabilities out, whatever strategy made them.

A :class:`FrozenClassifier` is kept as an encoder's folder with ``head.safetensors`` and ``head.json`` beside
its files. It loads without this package, in the five lines that :func:`usage` gives::

    encoder, tokenizer = AutoModel.from_pretrained("model"), AutoTokenizer.from_pretrained("model")
    head, info = load_file("model/head.safetensors"), json.loads(Path("model/head.json").read_bytes())
    batch = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
    vectors = (encoder(**batch).last_hidden_state * batch["attention_mask"][..., None]).sum(1)
    probabilities = (normalize(vectors) @ head["weight"].T + head["bias"]).softmax(1)
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from advisor.backend.arrays import Floats
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder, Progress, quiet_transformers
from advisor.backend.features import FeatureCache
from advisor.backend.linear import HEAD_DETAILS, LinearHead
from advisor.files import write_with

_WINDOW = 4096
_KEPT_FILES = ("sentence_bert_config.json", "1_Pooling/config.json")
_USAGE = """\
import json
from pathlib import Path

from safetensors.torch import load_file
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer

texts = ["…"]

encoder, tokenizer = AutoModel.from_pretrained("FOLDER"), AutoTokenizer.from_pretrained("FOLDER")
head, info = load_file("FOLDER/head.safetensors"), json.loads(Path("FOLDER/head.json").read_bytes())
batch = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
vectors = VECTORS
probabilities = (normalize(vectors) @ head["weight"].T + head["bias"]).softmax(1)
"""
_VECTORS = {
    "mean": '(encoder(**batch).last_hidden_state * batch["attention_mask"][..., None]).sum(1)',
    "cls": "encoder(**batch).last_hidden_state[:, 0]",
}


class Classifier(Protocol):
    """Anything that gives class probabilities."""

    labels: list[str]

    def probabilities(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return (texts, classes) float32 probabilities, the classes in the order of ``labels``."""
        ...

    def in_fp32(self) -> "Classifier":
        """Return the classifier computing as it does after export: in fp32."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that is needed to load it without this package."""
        ...


@dataclass
class FrozenClassifier:
    """A frozen encoder with a linear head."""

    encoder: Encoder
    head: LinearHead
    labels: list[str]
    cache: FeatureCache = field(default_factory=lambda: FeatureCache(None))

    def probabilities(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return (texts, classes) float32 probabilities; embedding by windows bounds the memory."""
        result: Floats = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for start in range(0, len(texts), _WINDOW):
            window = texts[start : start + _WINDOW]

            def report(step: int, _: int, start: int = start) -> None:
                if progress:
                    progress(start + step, len(texts))

            result[start : start + len(window)] = self.head.probabilities(
                self.cache.embed(self.encoder, window, report)
            )
        return result

    def in_fp32(self) -> "FrozenClassifier":
        """Return the same head on the encoder's fp32 weights, read again where they are held in bf16."""
        encoder = self.encoder
        if not encoder.device.bf16:
            return self
        exact = Encoder.load(encoder.folder, encoder.device.in_fp32(), encoder.max_length)
        exact.pooling = encoder.pooling
        return FrozenClassifier(exact, self.head, self.labels, self.cache)

    def save(self, folder: Path, extra: dict[str, Any] | None = None) -> None:
        """Write encoder (weights fp32), tokenizer and head to ``folder``; ``head.json`` comes last.

        Args:
            folder: made if absent.
            extra: more for ``head.json``, such as the C chosen.
        """
        save_encoder(self.encoder, folder)
        details = {
            "pooling": self.encoder.pooling,
            "max_length": self.encoder.max_length,
            "normalised": True,
            **(extra or {}),
        }
        self.head.save(folder, self.labels, details)

    @classmethod
    def load(cls, folder: Path, device: Device) -> "FrozenClassifier":
        """Read what :meth:`save` wrote.

        Raises:
            InputError: a file is absent or damaged.
        """
        head, details = LinearHead.load(folder)
        encoder = Encoder.load(folder, device, max_length=details["max_length"])
        encoder.pooling = details["pooling"]
        return cls(encoder, head, list(details["labels"]))


def load_classifier(folder: Path, device: Device) -> Classifier:
    """Load the classifier that a run wrote to ``folder``: frozen where there is a ``head.json``, else tuned.

    Raises:
        InputError: a file is absent or damaged.
    """
    if (folder / HEAD_DETAILS).exists():
        return FrozenClassifier.load(folder, device)
    from advisor.backend.tuned import TunedClassifier

    return TunedClassifier.load(folder, device)


def usage(folder: str, pooling: str) -> str:
    """Return the lines of Python that use a saved frozen classifier with transformers alone.

    Args:
        folder: where the classifier lies, as the reader will write it.
        pooling: of the encoder, ``mean`` or ``cls``.
    """
    return _USAGE.replace("FOLDER", folder).replace("VECTORS", _VECTORS[pooling])


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write an encoder's config, fp32 weights and tokenizer, each file whole or not at all.

    The weights are read again from the encoder's own folder: in memory they may be bf16.
    """
    from transformers import AutoModel

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".encoder-", dir=folder) as name, quiet_transformers():
        scratch = Path(name)
        AutoModel.from_pretrained(encoder.folder, dtype=torch.float32).save_pretrained(scratch)
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
