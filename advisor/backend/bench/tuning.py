"""Updates of the encoder while it is tuned, in batches of several sizes, and the optimiser's step alone, timed."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from advisor.backend.bench.passes import text_of
from advisor.backend.bench.points import Point
from advisor.backend.bench.settings import BenchSettings
from advisor.backend.bench.timing import median_seconds
from advisor.backend.layers import freeze
from advisor.backend.rows import Rows
from advisor.backend.training import Training
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.tasks import TASKS

TASK = "text-classification"


class TuningTimes(NamedTuple):
    """Timed updates, the optimiser's step among them apart, and how many parameters learn."""

    points: list[Point]
    optimizer_seconds: float
    parameters: int


def tuning_times(
    model: TunedModel, facts: BaseModelFacts, tuning: TuningSettings, settings: BenchSettings
) -> TuningTimes:
    """Time updates as a run makes them; the model's weights are changed.

    Args:
        model: with a new head for `TASK`.
        facts: of its encoder.
        tuning: as full fine-tuning has them.
        settings: how much to measure.

    Raises:
        RunError: a batch does not fit in memory.
    """
    freeze(model.model, tuning)
    points = []
    for rows, length in settings.batches:
        text, found = text_of(length, lambda text: len(model.units([text])[0].ids))
        run = _training(model, text, rows, tuning)
        seconds = median_seconds(run.update, model.device.torch, settings.repeats)
        points.append(Point.of("update", facts, rows, found, seconds))
    learning = list(run.parameters.values())
    return TuningTimes(points, _step_seconds(run, learning, settings), sum(one.numel() for one in learning))


def _training(model: TunedModel, text: str, rows: int, tuning: TuningSettings) -> Training:
    """Return a run on rows of one text, all of them in memory at once."""
    data = Rows([text] * rows, np.arange(rows) % len(model.labels), range(1, rows + 1))
    once = tuning.model_copy(update={"batch_size": rows, "batch_tokens": rows * model.max_length})
    return Training(model, data, None, once, 0, TASKS[TASK].measures[0], lambda event: None)


def _step_seconds(run: Training, learning: list[nn.Parameter], settings: BenchSettings) -> float:
    """Return the seconds of clipping the gradients and of the optimiser's step, for gradients of zero."""
    for weight in learning:
        weight.grad = torch.zeros_like(weight)

    def step() -> None:
        nn.utils.clip_grad_norm_(learning, run.settings.gradient_norm)
        run.optimizer.step()

    seconds = median_seconds(step, run.device.torch, settings.repeats)
    run.optimizer.zero_grad(set_to_none=True)
    return seconds
