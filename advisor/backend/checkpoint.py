"""Checkpoints of a training run: safetensors files with a JSON record in the header, whole or not there.

Nothing random needs saving: `advisor.backend.updates` draws it anew from seed and step.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from advisor.backend.updates import Updates
from advisor.errors import RunError
from advisor.files import write_with
from advisor.settings import load_settings

LAST, BEST = Path("last") / "state.safetensors", Path("best") / "weights.safetensors"
_RECORD = "record"
_STATE = ("step", "exp_avg", "exp_avg_sq")


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


class Checkpoints:
    """Where a run's state is kept: the last one, and the best weights when they changed."""

    def __init__(self, run: Updates, folder: Path | None, fingerprint: str) -> None:
        self.run, self.folder, self.fingerprint = run, folder, fingerprint
        self.saved_at = time.monotonic()
        self.saved_best = 0

    def save_after(self, seconds: float | None) -> None:
        """Write the state if the last writing was at least ``seconds`` ago, None for the rules'; best weights first."""
        seconds = float(load_settings("computing.yaml")["save_seconds"]) if seconds is None else seconds
        if self.folder is None or time.monotonic() - self.saved_at < seconds:
            return
        run = self.run
        if run.best is not None and run.best_step != self.saved_best:
            record = {"fingerprint": self.fingerprint, "step": run.best_step}
            write_checkpoint(self.folder / BEST, run.best, record)
            self.saved_best = run.best_step
        tensors = {f"weight/{name}": parameter for name, parameter in run.parameters.items()}
        for name, parameter in run.parameters.items():
            for key, value in run.optimizer.state[parameter].items():
                tensors[f"{key}/{name}"] = value
        record = {
            "fingerprint": self.fingerprint,
            "step": run.step,
            "stopped": run.stopped,
            "worse": run.worse,
            "best_step": run.best_step,
            "best_score": run.best_score,
            "batch_tokens": run.batch_tokens,
            "history": run.history,
        }
        write_checkpoint(self.folder / LAST, tensors, record)
        self.saved_at = time.monotonic()

    def restore(self) -> bool:
        """Take up the state that was written last; return whether there was one.

        Raises:
            RunError: it belongs to other settings or data, or cannot be read.
        """
        found = read_checkpoint(self.folder / LAST) if self.folder else None
        if self.folder is None or found is None:
            return False
        tensors, record = found
        if record["fingerprint"] != self.fingerprint:
            raise RunError(
                f"{self.folder}: holds a checkpoint of other settings, data or encoder; "
                "write to another folder, or remove this one to start over"
            )
        run = self.run
        run.set_weights({name: tensors[f"weight/{name}"] for name in run.parameters})
        for name, parameter in run.parameters.items():
            state = {key: tensors[f"{key}/{name}"] for key in _STATE if f"{key}/{name}" in tensors}
            if state:
                run.optimizer.state[parameter] = {key: value.to(parameter.device) for key, value in state.items()}
        run.step, run.stopped, run.worse = record["step"], record["stopped"], record["worse"]
        run.batch_tokens, run.history = record["batch_tokens"], record["history"]
        run.best_step = self.saved_best = record["best_step"]
        if record["best_score"] is not None:
            run.best_score = (record["best_score"][0], record["best_score"][1])
            best = read_checkpoint(self.folder / BEST)
            if best is None:
                raise RunError(f"{self.folder / BEST}: is missing; remove the folder and run again to start over")
            run.best = best[0]
        run.notify({"event": "resumed", "step": run.step, "steps": run.steps})
        return True
