"""A frozen encoder with a linear head, as it is served.

It is kept as an encoder's folder with ``head.safetensors`` and ``head.json`` beside its files, and loads without this
package, in the five lines that :func:`usage` gives::

    encoder, tokenizer = AutoModel.from_pretrained("model"), AutoTokenizer.from_pretrained("model")
    head, info = load_file("model/head.safetensors"), json.loads(Path("model/head.json").read_bytes())
    batch = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
    vectors = (encoder(**batch).last_hidden_state * batch["attention_mask"][..., None]).sum(1)
    probabilities = (normalize(vectors) @ head["weight"].T + head["bias"]).softmax(1)
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from advisor.backend.arrays import Floats
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder, Progress, quiet_transformers
from advisor.backend.features import FeatureCache
from advisor.backend.head import HEAD_DETAILS, HeadDetails, LinearHead
from advisor.files import write_with
from advisor.tasks import Input

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
    "last": 'encoder(**batch).last_hidden_state[range(len(texts)), batch["attention_mask"].sum(1) - 1]',
}


@dataclass
class FrozenModel:
    """A frozen encoder with a linear head.

    Attributes:
        thresholds: probability from which a class holds, one a class, for multi-label alone.
        chosen: more for ``head.json``, such as the C chosen.
    """

    encoder: Encoder
    head: LinearHead
    labels: list[str]
    task: str = "text-classification"
    thresholds: Floats | None = None
    cache: FeatureCache = field(default_factory=lambda: FeatureCache(None))
    chosen: dict[str, Any] = field(default_factory=dict)

    def outputs(self, inputs: Sequence[Input], progress: Progress | None = None) -> Floats:
        """Return (texts, classes) float32 probabilities; embedding by windows bounds the memory."""
        texts = cast(Sequence[str], inputs)
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

    def in_fp32(self) -> "FrozenModel":
        """Return the same head on the encoder's fp32 weights, read again where they are held in bf16."""
        encoder = self.encoder
        if not encoder.device.bf16:
            return self
        exact = Encoder.load(encoder.folder, encoder.device.in_fp32(), encoder.max_length)
        exact.pooling = encoder.pooling
        return replace(self, encoder=exact)

    @property
    def details(self) -> HeadDetails:
        """What ``head.json`` says."""
        known = {
            "schema": 2,
            "task": self.task,
            "labels": self.labels,
            "pooling": self.encoder.pooling,
            "max_length": self.encoder.max_length,
            "thresholds": None if self.thresholds is None else self.thresholds.tolist(),
        }
        return HeadDetails.model_validate(self.chosen | known)

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
        encoder = Encoder.load(folder, device, max_length=details.max_length)
        encoder.pooling = details.pooling
        thresholds = None if details.thresholds is None else np.array(details.thresholds, dtype=np.float32)
        return cls(encoder, head, list(details.labels), details.task, thresholds)


def usage(folder: Path, name: str) -> str:
    """Return the lines of Python that use a saved frozen model with transformers alone; none for a tuned one.

    Args:
        folder: where the model lies.
        name: the same, as the reader will write it.
    """
    if not (folder / HEAD_DETAILS).exists():
        return ""
    _, details = LinearHead.load(folder)
    return _USAGE.replace("FOLDER", name).replace("VECTORS", _VECTORS[details.pooling])


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
