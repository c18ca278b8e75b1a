"""Export: the model written whole, then loaded in a fresh process and its outputs compared."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from advisor.backend.predictor import Predictor
from advisor.errors import RunError
from advisor.run import ask_again, reload
from advisor.tasks import TASKS, Input


def save_model(model: Predictor, target: Path) -> None:
    """Let a model write itself to a folder beside ``target``, then rename it there."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    model.save(unfinished)
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)


def check_parity(
    model: Path,
    task: str,
    inputs: Sequence[Input],
    labels: Sequence[str],
    expected: np.ndarray,
    tolerance: float,
    *,
    trust_remote_code: bool = False,
    prompted: bool = False,
) -> float:
    """Load the exported model in a fresh process and compare its outputs.

    Args:
        model: the exported folder.
        task: id of the task.
        inputs: what to predict.
        labels: order of the probabilities.
        expected: the outputs that the run's own model gave, as `advisor.backend.predictor` defines them.
        tolerance: largest difference allowed; of numbers to predict, as a share of the largest of them where that is
            above 1, since they come in any unit and rounding grows with them.
        trust_remote_code: whether Python code in the folder may run.
        prompted: whether the folder holds a prompt, which takes the advisor to ask; an endpoint is not asked again for
            what it answered already.

    Returns:
        the largest difference found, in the same terms.

    Raises:
        RunError: it does not load, or differs by more.
    """
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONWARNINGS": "ignore",
    }
    request = {
        "task": task,
        "inputs": list(inputs),
        "labels": list(labels),
        "trust_remote_code": trust_remote_code,
    }
    done = subprocess.run(
        [sys.executable, *(("-m", ask_again.__name__) if prompted else (reload.__file__,)), str(model)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RunError(f"the exported model in {model} does not load in a fresh process ({last})")
    size = np.abs(expected).max(initial=1.0) if TASKS[task].predicts == "number" else 1.0
    difference = float(np.abs(np.array(json.loads(done.stdout)) - expected).max(initial=0.0) / size)
    if not difference <= tolerance:
        raise RunError(
            f"the exported model in {model} differs from the one that was measured by {difference:.2g} "
            f"(at most {tolerance:g} allowed); it must not be used"
        )
    return difference
