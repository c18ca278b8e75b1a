"""A checkpoint: named tensors and a JSON record in one safetensors file, written whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from advisor.errors import RunError
from advisor.files import write_with

_RECORD = "record"


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write ``tensors`` and ``record`` to ``path``; ``record`` holds what JSON can, finite numbers only.

    Raises:
        OSError: the folder cannot be written or the disk is full; an earlier checkpoint is then untouched.
    """
    header = {_RECORD: json.dumps(record, allow_nan=False)}
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_with(path, lambda temporary: save_file(whole, temporary, metadata=header))


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors (in CPU memory) and record, or None where there is no such file.

    Raises:
        RunError: the file is not a checkpoint.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads(file.metadata()[_RECORD])
            return {name: file.get_tensor(name) for name in file.keys()}, record  # noqa: SIM118 - not a dict
    except (SafetensorError, KeyError, TypeError, ValueError, OSError):
        raise RunError(f"{path}: not a readable checkpoint; remove it and run again to start over") from None
