"""Tuning by gradient steps: an encoder and a new head trained on labelled rows, stable on small data too.

AdamW with bias correction, warm-up, clipped gradients, enough steps and the best of several evaluations
(Mosbach et al. 2021, arXiv:2006.04884; Zhang et al. 2021, arXiv:2006.05987). Rows of similar length share
a batch, which saves padding.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from advisor.backend.checkpoint import Checkpoints
from advisor.backend.devices import Device
from advisor.backend.layers import freeze, recomputed
from advisor.backend.new_head import with_new_head
from advisor.backend.objectives import objective_for
from advisor.backend.rows import Rows
from advisor.backend.thresholds import choose_thresholds
from advisor.backend.training import Training
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import ReadingSettings, TuningSettings
from advisor.backend.updates import OnEvent, StepProgress
from advisor.knowledge.pretrained import content_digest
from advisor.tasks import TASKS, Measure

Learn = Callable[[Any, Any], None]


def fine_tune(
    encoder: Path,
    task: str,
    labels: Sequence[str],
    training: Rows,
    validation: Rows | None,
    settings: TuningSettings,
    *,
    seed: int,
    device: Device,
    measure: Measure | None = None,
    learn: Learn = freeze,
    checkpoints: Path | None = None,
    save_seconds: float | None = None,
    progress: StepProgress | None = None,
    on_event: OnEvent | None = None,
) -> TunedModel:
    """Tune the weights of an encoder and a new head; the same call again goes on from a checkpoint.

    Args:
        encoder: folder of the pre-trained encoder.
        task: id of the task.
        labels: classes or tags; targets are numbers of them. Empty for numbers and spans.
        training: rows to learn from.
        validation: rows that choose the best evaluation and stop training early; None trains to the end.
        settings: hyper-parameters.
        seed: source of the order of batches, of dropout and of a stock head's first weights.
        device: where to compute and in which precision; weights are kept in fp32.
        measure: what makes an evaluation better, the task's leading measure if left out; the lower loss decides
            between equals.
        learn: decides which weights learn, by their gradients; may add some.
        checkpoints: folder for ``last/`` and ``best/``; None keeps none. The caller removes it when done.
        save_seconds: least time between two checkpoints; the rules' if left out.
        progress: told step, steps in all and training loss after every update.
        on_event: told, as a dict with ``event``, of the head, resumption, the start, evaluations, memory and
            the end.

    Returns:
        the model with the best weights found, ready to predict or save.

    Raises:
        RunError: a checkpoint belongs to other settings or data, or a single unit does not fit in memory.
    """
    measure = measure or TASKS[task].measures[0]
    reading = ReadingSettings(**{name: getattr(settings, name) for name in ReadingSettings.model_fields})
    objective = objective_for(task, labels, reading)
    model = with_new_head(encoder, objective, device, seed=seed, max_length=settings.max_length)
    learn(model.model, settings)
    notify = on_event or (lambda event: None)
    notify({"event": "head", "note": model.head_note})
    run = Training(model, training, validation, settings, seed, measure, notify)
    identity = _fingerprint(encoder, task, labels, training, validation, settings, seed, measure)
    kept = Checkpoints(run, checkpoints, identity)
    if not kept.restore():
        run.start()
    notify({"event": "training", "step": run.step, "steps": run.steps})
    with recomputed(model.model, on=settings.recompute):
        while run.step < run.steps and not run.stopped:
            loss = run.update()
            run.evaluate_if_due(loss)
            kept.save_after(save_seconds)
            if progress:
                progress(run.step, run.steps, loss)
    kept.save_after(0.0)
    if run.best is not None:
        run.set_weights(run.best)
    notify({"event": "tuned", "steps": run.step, "best_step": run.best_step})
    model.model.eval()
    objective.finish(model.output_layer)
    if validation is not None and objective.task.predicts == "classes":
        model.thresholds = choose_thresholds(model.outputs(validation.inputs), validation.targets)
    model.history = run.history
    return model


def _fingerprint(
    encoder: Path,
    task: str,
    labels: Sequence[str],
    training: Rows,
    validation: Rows | None,
    settings: TuningSettings,
    seed: int,
    measure: Measure,
) -> str:
    """Return a hash of everything that a run's result depends on, device and versions apart."""
    digest = hashlib.sha256()
    for part in (training, validation):
        rows = [part.inputs, [np.asarray(target).tolist() for target in part.targets]] if part else None
        digest.update(json.dumps(rows, default=list).encode())
    digest.update(json.dumps([task, list(labels), settings.model_dump(), seed, measure.key]).encode())
    digest.update(content_digest(encoder).encode())
    return digest.hexdigest()
