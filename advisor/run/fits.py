"""The fits of a run: every fold with every seed, each done once, the last one exported."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.devices import choose_device
from advisor.backend.predictor import Predictor, Writer, writes
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.cache import cache_folder
from advisor.estimates.forecast import default_settings
from advisor.plan.plan import Plan
from advisor.run.folder import RunFolder
from advisor.run.measuring import Ticks
from advisor.run.prepare import Fold, Prepared
from advisor.run.progress import Progress
from advisor.run.teaching import Teacher
from advisor.strategies import STRATEGIES, FitJob, Fitted, Strategy
from advisor.strategies.alignment import Alignment
from advisor.strategies.modifiers import DISTILLATION, MULTI_SEED


class Fits:
    """What is fitted for a plan.

    Args:
        encoder: folder of the pre-trained encoder.
        place: where the language model is that is prompted, if one is; ``teacher_place`` likewise of the teacher's.
        folder: where outputs and checkpoints are kept.
    """

    def __init__(
        self,
        plan: Plan,
        data: Prepared,
        encoder: Path,
        folder: RunFolder,
        progress: Progress,
        place: LanguageModelPlace | None = None,
        teacher_place: LanguageModelPlace | None = None,
    ) -> None:
        self.plan, self.data, self.encoder, self.folder, self.progress = plan, data, encoder, folder, progress
        self.place = place
        self.strategy = STRATEGIES[plan.strategy]
        self.teacher = Teacher(self, plan.teacher, teacher_place) if plan.teacher else None

    @property
    def other_seeds(self) -> list[int]:
        """Seeds beside the plan's, where the spread over seeds is asked for."""
        count = self.plan.modifiers.get(MULTI_SEED, {}).get("seeds", 1)
        return [self.plan.seed + number for number in range(1, count)]

    def others(self) -> None:
        """Do all fits but the exported one, as far as they are not done, and keep their outputs."""
        for seed in (*self.other_seeds, self.plan.seed):
            folds = self.data.folds[:-1] if seed == self.plan.seed else self.data.folds
            for fold in folds:
                if fold.test is not None and self.folder.array(self._name(fold, seed)) is None:
                    self._keep(fold, seed, self.fit(self.strategy, fold, seed).model)

    def final(self) -> tuple[Fitted, float]:
        """Fit the last fold with the plan's seed; return it and the seconds it took, those before a crash included."""
        before = 0.0 if len(self.data.folds) > 1 or self.other_seeds else Ticks.earlier(self.folder)
        started = time.perf_counter()
        fitted = self.fit(self.strategy, self.data.folds[-1], self.plan.seed)
        seconds = time.perf_counter() - started + before
        self._keep(self.data.folds[-1], self.plan.seed, fitted.model)
        return fitted, seconds

    def fit(self, strategy: Strategy, fold: Fold, seed: int) -> Fitted:
        """Fit a strategy to a fold; the plan's own also learns from its teacher, if it has one."""
        if strategy is not self.strategy or self.teacher is None:
            return strategy.fit(self.job(strategy, fold, seed))
        fold, record = self.teacher.teach(fold)
        fitted = strategy.fit(self.job(strategy, fold, seed))
        return replace(fitted, chosen=fitted.chosen | {DISTILLATION: record})

    def job(self, strategy: Strategy, fold: Fold, seed: int) -> FitJob:
        """Return what fitting a strategy to a fold takes; settings are the rules' unless the strategy is the plan's."""
        own = strategy is self.strategy
        ticks = Ticks(self.folder) if own else None

        def report(done: int, total: int) -> None:
            self.progress.steps(done, total)
            if ticks:
                ticks.tick()

        return FitJob(
            encoder=self.encoder,
            task=self.plan.task,
            labels=self.data.labels,
            descriptions={name: text for name, text in self.plan.labels.items() if text},
            training=fold.training,
            validation=fold.validation,
            settings=strategy.settings_for(self.plan.engine)[0].model_validate(self.plan.hyperparameters)
            if own
            else default_settings(strategy.id),
            seed=seed,
            device=choose_device(),
            workspace=self.folder.checkpoints(self._name(fold, seed)),
            cache=cache_folder("features"),
            place=self.place if own else None,
            template=self.plan.prompting.template if own and self.plan.prompting else None,
            max_length=None if self.place else self.plan.model.max_length,
            measure=self.plan.measure,
            balanced=own and self.plan.class_weights == "balanced",
            progress=report,
            event=lambda event: self.folder.log(event.pop("event", "note"), fold=fold.name, seed=seed, **event),
        )

    @property
    def prefers(self) -> bool:
        """Whether a generator learns preferences or judgements after demonstrations."""
        return isinstance(self.strategy, Alignment) and len(self.strategy.stages) > 1

    def untuned(self) -> Writer:
        """Return the generator of the plan as it was before tuning."""
        from advisor.backend.alignment.generator import Generator

        plan = self.plan
        written = int(plan.hyperparameters["answer_tokens"])
        return Generator.pretrained(
            self.encoder, choose_device(), task=plan.task, max_length=plan.model.max_length, answer_tokens=written
        )

    def kept(self, seed: int) -> tuple[Floats, Floats | None]:
        """Return the outputs for the measured rows, and the thresholds of each row where there are any."""
        outputs, thresholds = [], []
        for fold in self.data.folds:
            found = self.folder.array(self._name(fold, seed))
            if fold.test is None or found is None:
                continue
            outputs.append(found)
            level = self.folder.array(f"{self._name(fold, seed)}-thresholds")
            if level is not None:
                thresholds.append(np.tile(level, (len(found), 1)))
        return np.concatenate(outputs), np.concatenate(thresholds) if thresholds else None

    def texts(self, seed: int) -> list[str]:
        """Return what was written to the measured rows, where something is written."""
        return [text for fold in self.data.folds for text in self.folder.texts(self._name(fold, seed))]

    def _keep(self, fold: Fold, seed: int, model: Predictor) -> None:
        if fold.test is None:
            return
        if model.thresholds is not None:
            self.folder.keep_array(f"{self._name(fold, seed)}-thresholds", model.thresholds)
        name = self._name(fold, seed)
        if writes(model):
            numbers, texts = model.observe(fold.test, self.progress.steps)
            self.folder.keep_texts(name, texts)
        else:
            numbers = model.outputs(fold.test.inputs, self.progress.steps)
        self.folder.keep_array(name, numbers)

    def _name(self, fold: Fold, seed: int) -> str:
        return fold.name if seed == self.plan.seed else f"{fold.name}-seed-{seed}"
