"""A trial: one strategy fitted on one draw of labels and measured on test rows, with what it cost."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from advisor.backend.devices import choose_device
from advisor.backend.evaluation import headline
from advisor.backend.rows import Rows, encode_rows
from advisor.benchmark.draws import Size, draw
from advisor.data.examples import LabelledData
from advisor.estimates.forecast import default_settings
from advisor.profile.filling import FEWEST_CLASSES
from advisor.run.prepare import validated
from advisor.strategies import STRATEGIES, FitJob
from advisor.tasks import TASKS


class Trial(NamedTuple):
    """What is measured: a strategy on a draw of so many labels."""

    strategy: str
    size: str
    seed: int


class Limits(NamedTuple):
    """Rows at most in a draw and in the test set; threads of a process."""

    rows: int
    test_rows: int
    threads: int


def measure(trial: Trial, data: LabelledData, encoder: Path, device: str, limits: Limits) -> dict[str, Any] | None:
    """Fit once, and return the task's measures on test rows with seconds and processor seconds of both parts.

    Nothing is kept from other trials: frozen features are computed anew, so that the cost is that of doing this alone.

    Args:
        trial: what to measure.
        data: with a test set.
        encoder: folder of the pre-trained encoder.
        device: as ``--device`` takes it.
        limits: of rows and threads.

    Returns:
        None where the strategy does not apply: to the task, without labels, or to a draw of one class.
    """
    import torch

    torch.set_num_threads(limits.threads)
    assert data.test is not None
    strategy, names = STRATEGIES[trial.strategy], data.label_names
    training, test = (
        encode_rows(data.task, part.inputs, part.labels, part.rows, names) for part in (data.train, data.test)
    )
    index = draw(data.task, training, Size.parse(trial.size), seed=trial.seed, most=limits.rows)
    if index is None or not strategy.handles(data.task, "encoder") or (strategy.needs_labels and not len(index)):
        return None
    training, labels = known_classes(data.task, training.take(index), names)
    if TASKS[data.task].predicts == "class" and len(labels) < FEWEST_CLASSES:
        return None
    test = test.take(np.sort(np.random.default_rng(0).permutation(len(test))[: limits.test_rows]))
    rarest = rarest_of(data.task, training, len(labels))
    started, spent = time.perf_counter(), time.process_time()
    with TemporaryDirectory() as workspace:
        fitted = strategy.fit(_job(trial, data.task, training, labels, encoder, device, Path(workspace)))
        fit_seconds, fit_spent = time.perf_counter() - started, time.process_time() - spent
        outputs = _of_all(fitted.model.outputs(test.inputs), labels, names)
    return {
        "task": data.task,
        "classes": len(labels),
        "labelled": len(training),
        "rarest": rarest,
        "test_rows": len(test),
        **headline(data.task, outputs, test, names, fitted.model.thresholds),
        "fit_seconds": round(fit_seconds, 2),
        "fit_processor_seconds": round(fit_spent, 2),
        "predict_processor_seconds": round(time.process_time() - spent - fit_spent, 2),
    }


def known_classes(task: str, rows: Rows, names: list[str]) -> tuple[Rows, list[str]]:
    """Return a draw's rows numbered by the classes among them, and these: a run on the rows would know no others.

    Without rows, and where a row has not exactly one class, all names are known.
    """
    if TASKS[task].predicts != "class" or not len(rows):
        return rows, names
    there, numbers = np.unique(rows.targets, return_inverse=True)
    return Rows(rows.inputs, numbers, rows.places), [names[number] for number in there]


def _of_all(outputs: Any, labels: list[str], names: list[str]) -> Any:
    """Return outputs with a column for every name, 0 where the model does not know it."""
    if labels == names:
        return outputs
    found = np.zeros((len(outputs), len(names)), dtype=outputs.dtype)
    found[:, [names.index(label) for label in labels]] = outputs
    return found


def rarest_of(task: str, rows: Rows, classes: int) -> int | None:
    """Return how many rows the rarest class has, one without any included; None where a row has not one class."""
    if TASKS[task].predicts != "class":
        return None
    return int(np.bincount(rows.targets, minlength=classes).min()) if len(rows) else 0


def _job(
    trial: Trial, task: str, training: Rows, labels: list[str], encoder: Path, device: str, workspace: Path
) -> FitJob:
    """Return the job as a run sets it up, validation rows held out where there are enough."""
    share = STRATEGIES[trial.strategy].validation_share(len(training))
    training, validation = validated(task, training, share, trial.seed)
    return FitJob(
        encoder=encoder,
        task=task,
        labels=labels,
        descriptions={},
        training=training,
        validation=validation,
        settings=default_settings(trial.strategy),
        seed=trial.seed,
        device=choose_device(device),
        workspace=workspace,
        cache=None,
        measure=TASKS[task].measures[0],
    )
