"""The pin of a model that is referred to: a hash of all its files that decide what it answers."""

import hashlib
from functools import lru_cache
from pathlib import Path

from advisor.files import sha256_of

_DECIDING = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")


def pin_of(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of weights, configuration and tokenizer, in hexadecimal."""
    return _pin(folder.resolve())


@lru_cache(maxsize=8)
def _pin(folder: Path) -> str:
    """Return the hash; files are taken not to change while the process lives."""
    files = sorted({path for pattern in _DECIDING for path in folder.glob(pattern)})
    lines = "\n".join(f"{path.name} {sha256_of(path)}" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()
