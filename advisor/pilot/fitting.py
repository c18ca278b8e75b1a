"""Fitting: a trial carried out - every part fitted, and judged on the rows it left out."""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from advisor.backend.devices import Device
from advisor.backend.evaluation import headline
from advisor.backend.rows import Rows
from advisor.pilot.contenders import Contender
from advisor.pilot.trials import Trial
from advisor.run.prepare import validated
from advisor.strategies import FitJob
from advisor.tasks import Measure


class Found(NamedTuple):
    """What a trial found: the leading measure over its judged rows, and what it took this process."""

    value: float
    processor_seconds: float


@dataclass(frozen=True)
class Bench:
    """What all trials on some rows share.

    Attributes:
        task: id of the task.
        rows: the labelled rows.
        labels: names of classes or tags.
        descriptions: of labels, where there are any.
        measure: the one that leads.
        encoder: folder of the pre-trained encoder.
        cache: of frozen features, so that every contender reads the same ones.
        balanced: whether trained contenders weigh classes alike.
    """

    task: str
    rows: Rows
    labels: list[str]
    descriptions: dict[str, str]
    measure: Measure
    encoder: Path
    device: Device
    cache: Path | None
    seed: int
    balanced: bool = False

    def measured(self, contender: Contender, trial: Trial) -> Found:
        """Carry a trial out."""
        spent = time.process_time()
        values = [self._judged(contender, trial, number) for number in range(len(trial.parts))]
        counts = [len(held) for _, held in trial.parts]
        return Found(float(np.average(values, weights=counts)), time.process_time() - spent)

    def _judged(self, contender: Contender, trial: Trial, number: int) -> float:
        kept, held = trial.parts[number]
        with TemporaryDirectory(prefix="pilot-") as workspace:
            model = contender.candidate.strategy.fit(self._job(contender, trial, kept, Path(workspace))).model
            test = self.rows.take(held)
            outputs = model.outputs(test.inputs)
            return headline(self.task, outputs, test, self.labels, model.thresholds)[self.measure.key]

    def _job(self, contender: Contender, trial: Trial, kept: np.ndarray, workspace: Path) -> FitJob:
        """Return the job as a run sets it up; what takes no labels reads the texts it is judged on."""
        strategy = contender.candidate.strategy
        rows = self.rows.take(trial.parts[0][1] if contender.label_free else kept)
        training, validation = validated(self.task, rows, strategy.validation_share(len(rows)), self.seed)
        short = contender.short_settings if trial.short else None
        return FitJob(
            encoder=self.encoder,
            task=self.task,
            labels=self.labels,
            descriptions=self.descriptions,
            training=training,
            validation=validation,
            settings=short or contender.settings,
            seed=self.seed,
            device=self.device,
            workspace=workspace,
            cache=self.cache,
            measure=self.measure,
            balanced=self.balanced and strategy.family != "prompting",
        )
