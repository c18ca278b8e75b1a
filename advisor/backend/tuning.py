"""Full fine-tuning: an encoder and a new head trained on labelled texts, stable on small data too.

AdamW with bias correction, warm-up, clipped gradients, enough steps and the best of several evaluations
(Mosbach et al. 2021, arXiv:2006.04884; Zhang et al. 2021, arXiv:2006.05987). Texts of similar length share
a batch, which saves padding.
"""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from advisor.backend.checkpoint import Checkpoints
from advisor.backend.devices import Device
from advisor.backend.training import LabelledTexts, Metric, OnEvent, Training
from advisor.backend.tuned import TunedClassifier
from advisor.backend.tuning_settings import TuningSettings
from advisor.files import sha256_of

StepProgress = Callable[[int, int, float], None]
SAVE_SECONDS = 15.0
_ENCODER_FILES = {".json", ".safetensors", ".bin", ".txt", ".model"}


def fine_tune(
    encoder: Path,
    classes: Sequence[str],
    training: LabelledTexts,
    validation: LabelledTexts | None,
    settings: TuningSettings,
    *,
    seed: int,
    device: Device,
    metric: Metric = "macro_f1",
    checkpoints: Path | None = None,
    save_seconds: float = SAVE_SECONDS,
    progress: StepProgress | None = None,
    on_event: OnEvent | None = None,
) -> TunedClassifier:
    """Tune the weights of an encoder and a new class head; the same call again goes on from a checkpoint.

    Args:
        encoder: folder of the pre-trained encoder.
        classes: class names; labels index them.
        training: rows to learn from.
        validation: rows that choose the best evaluation and stop training early; None trains to the end.
        settings: hyper-parameters.
        seed: source of the order of batches, of dropout and of a stock head's first weights.
        device: where to compute and in which precision; weights are kept in fp32.
        metric: what makes an evaluation better; the lower loss decides between equals.
        checkpoints: folder for ``last/`` and ``best/``; None keeps none. The caller removes it when done.
        save_seconds: least time between two checkpoints.
        progress: told step, steps in all and training loss after every update.
        on_event: told, as a dict with ``event``, of the head, resumption, the start, evaluations, memory and
            the end.

    Returns:
        the classifier with the best weights found, ready to predict or save.

    Raises:
        RunError: a checkpoint belongs to other settings or data, or a single text does not fit in memory.
    """
    classifier = TunedClassifier.with_new_head(encoder, classes, device, seed=seed, max_length=settings.max_length)
    freeze(classifier.model, settings)
    notify = on_event or (lambda event: None)
    notify({"event": "head", "note": classifier.head_note})
    run = Training(classifier, training, validation, settings, seed, metric, notify)
    identity = _fingerprint(encoder, classes, training, validation, settings, seed, metric)
    kept = Checkpoints(run, checkpoints, identity)
    if not kept.restore():
        run.start()
    notify({"event": "training", "step": run.step, "steps": run.steps})
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
    classifier.model.eval()
    classifier.history = run.history
    return classifier


def freeze(model: Any, settings: TuningSettings) -> None:
    """Switch off the gradients of what shall not learn.

    Below the trained layers lies every parameter that the encoder registers before them: embeddings and lower layers.
    What it registers after its layers, a last normalisation or a pooler, belongs to the top.
    """
    if settings.freeze_token_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    if settings.trained_share == 1:
        return
    encoder = model.base_model
    layers = max((m for m in encoder.modules() if isinstance(m, nn.ModuleList)), key=len)
    lowest = layers[len(layers) - math.ceil(settings.trained_share * len(layers))]
    top = {id(parameter) for parameter in lowest.parameters()}
    for parameter in encoder.parameters():
        if id(parameter) in top:
            return
        parameter.requires_grad_(False)


def _fingerprint(
    encoder: Path,
    classes: Sequence[str],
    training: LabelledTexts,
    validation: LabelledTexts | None,
    settings: TuningSettings,
    seed: int,
    metric: str,
) -> str:
    """Return a hash of everything that a run's result depends on, device and versions apart."""
    digest = hashlib.sha256()
    for part in (training, validation):
        rows = [list(part.texts), [int(label) for label in part.labels]] if part else None
        digest.update(json.dumps(rows).encode())
    digest.update(json.dumps([list(classes), settings.model_dump(), seed, metric]).encode())
    for path in sorted(encoder.iterdir()):
        if path.suffix in _ENCODER_FILES:
            digest.update(f"{path.name} {sha256_of(path)}".encode())
    return digest.hexdigest()
