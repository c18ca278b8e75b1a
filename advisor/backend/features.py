"""Frozen features, computed once: vectors of texts kept on disk under the content of encoder and text."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from advisor.backend.arrays import Flags, Floats
from advisor.backend.encoder import Encoder
from advisor.backend.pairs import combine
from advisor.backend.within_memory import Progress
from advisor.files import sha256_of, write_with
from advisor.tasks import Input, Pair, Words

_KEY_BYTES = 16
_WINDOW = 4096
_ENCODER_FILES = (
    "*.safetensors",
    "pytorch_model*.bin",
    "config.json",
    "tokenizer.json",
    "vocab.*",
    "*.model",
)


class Features(NamedTuple):
    """What a head reads.

    Attributes:
        vectors: (items, width), an item being a text, a pair or a word.
        seen: (items,), false for a word beyond the encoder's limit, whose vector is zero.
    """

    vectors: Floats
    seen: Flags


class FeatureCache:
    """Vectors that outlive the process.

    Below ``folder`` lies one folder an encoder and in it one safetensors file a window of texts: ``keys``
    (texts, 16) uint8, the head of each text's SHA-256, and ``vectors`` (texts, hidden) float32. A window is
    written as soon as it is embedded, so that a killed run loses at most one; a damaged file is computed
    again.

    Args:
        folder: where to keep them; None keeps nothing and only spares duplicates.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def embed(self, encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return one L2-normalised float32 vector a text, (texts, hidden); only unseen texts are embedded."""
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES] for text in texts]
        first = {key: row for row, key in reversed(list(enumerate(keys)))}
        wanted = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        unique = np.empty((len(wanted), encoder.hidden_size), dtype=np.float32)
        folder = self.folder / identity(encoder) if self.folder else None
        missing = set(wanted) - self._fill(unique, wanted, folder)
        todo = [key for key in wanted if key in missing]
        known = len(wanted) - len(todo)
        if progress:
            progress(known, len(wanted))
        for start in range(0, len(todo), _WINDOW):
            window = todo[start : start + _WINDOW]
            done = known + start

            def report(step: int, _: int, done: int = done) -> None:
                if progress:
                    progress(done + step, len(wanted))

            vectors = encoder.embed([texts[first[key]] for key in window], report)
            unique[[wanted[key] for key in window]] = vectors
            if folder:
                _write(folder, window, vectors)
        return unique[[wanted[key] for key in keys]]

    @staticmethod
    def _fill(vectors: NDArray[np.float32], wanted: dict[bytes, int], folder: Path | None) -> set[bytes]:
        """Put the vectors that ``folder`` holds in their places; return the keys found."""
        found: set[bytes] = set()
        for path in sorted(folder.glob("*.safetensors")) if folder else ():
            if len(found) == len(wanted):
                break
            try:
                kept = load_file(path)
                keys = [row.tobytes() for row in kept["keys"]]
                rows = [row for row, key in enumerate(keys) if key in wanted]
                vectors[[wanted[keys[row]] for row in rows]] = kept["vectors"][rows]
            except (OSError, SafetensorError, KeyError, ValueError, IndexError):
                continue
            found.update(keys[row] for row in rows)
        return found


def features_of(
    encoder: Encoder, cache: FeatureCache, inputs: Sequence[Input], progress: Progress | None = None
) -> Features:
    """Return the features of inputs of one kind: texts, pairs (`advisor.backend.pairs`) or the words of all rows."""
    if inputs and isinstance(inputs[0], Pair):
        pairs = cast(Sequence[Pair], inputs)
        both = [pair.first for pair in pairs] + [pair.second for pair in pairs]
        vectors = combine(*np.split(cache.embed(encoder, both, progress), 2))
    elif inputs and isinstance(inputs[0], tuple):
        return Features(*encoder.embed_words(cast(Sequence[Words], inputs), progress))
    else:
        vectors = cache.embed(encoder, cast(Sequence[str], inputs), progress)
    return Features(vectors, np.ones(len(vectors), dtype=np.bool_))


def identity(encoder: Encoder) -> str:
    """Return a hash of all that decides the vectors: files, pooling, layers, long texts, length limit and precision."""
    digest = hashlib.sha256(_content(encoder.folder.resolve()).encode())
    read = (encoder.pooling, encoder.max_length, encoder.device.precision, encoder.layers, encoder.long_texts)
    digest.update(repr(read).encode())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=8)
def _content(folder: Path) -> str:
    """Return the hashes of an encoder's files; they are taken not to change while the process lives."""
    files = sorted({path for pattern in _ENCODER_FILES for path in folder.glob(pattern)})
    return "\n".join(f"{path.name} {sha256_of(path)}" for path in files)


def _write(folder: Path, keys: list[bytes], vectors: NDArray[np.float32]) -> None:
    name = hashlib.sha256(b"".join(keys)).hexdigest()[:32]
    tensors: dict[str, NDArray[Any]] = {
        "keys": np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, _KEY_BYTES),
        "vectors": vectors,
    }
    write_with(folder / f"{name}.safetensors", lambda path: save_file(tensors, path))
