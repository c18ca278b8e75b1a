"""Fitting a prompt: nothing is trained; how to ask is chosen on labelled rows, and every figure is kept."""

from typing import Any, cast

import numpy as np

from advisor.backend.encoder import shared_encoder
from advisor.backend.features import FeatureCache
from advisor.backend.job import FitJob, Fitted
from advisor.backend.prompted.asking import Asking, Brief, WrittenAsking, asking_for, scale
from advisor.backend.prompted.attacks import attack
from advisor.backend.prompted.calibration import Calibration
from advisor.backend.prompted.demonstrations import Demonstrations, Similar, Way, balanced
from advisor.backend.prompted.interview import Interview
from advisor.backend.prompted.language_model import LanguageModel
from advisor.backend.prompted.measuring import Measured, Measuring, best
from advisor.backend.prompted.model import PromptedModel
from advisor.backend.prompted.opening import open_language_model
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.settings import PromptedSettings
from advisor.backend.prompted.templates import prompt_template
from advisor.backend.prompted.writer import prompted
from advisor.backend.rows import Rows, strata
from advisor.errors import InputError
from advisor.tasks import TASKS, WRITING, Pair


def fit_prompt(job: FitJob, *, demonstrated: bool) -> Fitted:
    """Choose demonstrations, their order and the calibration of a prompt by asking about labelled rows.

    A row that is asked about is never shown as a demonstration of itself. At most ``measured_rows`` rows are asked
    about, where prompts are paid for ``paid_rows``; the figures are those of the rows that the choice was made on.

    Args:
        job: what to fit; its place says where the language model is, its settings are `PromptedSettings`.
        demonstrated: whether labelled rows are shown in the prompt.

    Raises:
        InputError: the language model cannot be asked about this task, or not be had.
        RunError: it stopped answering, or the spending cap is reached.
    """
    model = _Fitting(job, demonstrated=demonstrated).fit()
    return Fitted(model, model.chosen)


class _Fitting:
    """One fit: what is asked, what can be shown, and what is measured."""

    def __init__(self, job: FitJob, *, demonstrated: bool) -> None:
        assert job.place is not None
        self.job, self.place, self.demonstrated = job, job.place, demonstrated
        self.settings = cast(PromptedSettings, job.settings)
        self.paid = self.place.engine == "llm-api"
        self.measure = job.measure or TASKS[job.task].measures[0]
        if self.measure.key == "perplexity" and self.place.url is not None:
            raise InputError(
                "a server does not tell how likely given answers are, so that perplexity is not measured; "
                "choose another measure by task.metric"
            )
        model = open_language_model(self.place, job.device, self.settings)
        asking = _asking(job, self.settings, model, self.place)
        _check(asking, model, demonstrated=demonstrated)
        self.interview = Interview(model, asking, self._demonstrations(asking), context=self.place.context)

    def fit(self) -> PromptedModel:
        """Measure every way, take the best and tell what was found."""
        rows = self._measured_rows()
        measuring = Measuring(self.interview, rows, self.settings, self.measure, labelled=self.demonstrated)
        found, reference = self._measured(measuring)
        chosen = best(found, self.measure, len(rows), self.settings.measured_sureness) if found else self._unmeasured()
        model = prompted(
            self.interview,
            chosen.way,
            chosen.calibration,
            self.place,
            self.job.device,
            self.settings,
            chosen.thresholds,
        )
        attacked = () if TASKS[self.job.task].predicts in WRITING else rows.inputs[: self.settings.attacked_rows]
        harm = attack(model, attacked, self.settings.injections)
        cuts = self.interview.cuts.noted
        if self.interview.cuts.shortened:
            self.job.event({"event": "prompts-cut"} | cuts)
        asking = self.interview.asking
        model.chosen = {
            "prompt_sha256": asking.template.sha256,
            "demonstrations": chosen.way.selection or "none",
            "order": chosen.way.order if chosen.way.selection else None,
            "calibration": chosen.calibration.name,
            "measured_rows": len(rows),
            "measured": [one.noted(self.measure) for one in (*found, *reference)],
            "injection": None if harm is None else harm._asdict(),
            "cut": cuts,
            "answered": getattr(self.interview.model, "facts", None),
            "usage": self.interview.model.usage._asdict(),
            "server": getattr(self.interview.model, "facts", None),
        }
        return model

    def _demonstrations(self, asking: Asking) -> Demonstrations:
        """Return the rows that can be shown: some of the training rows."""
        training, most = self.job.training, self.settings.demonstrations
        rows = training.take(np.arange(len(training) if self.demonstrated else 0))
        if len(rows) > self.settings.pool:
            spread = asking.strata(rows, 0) if asking.questions == 1 else strata(self.job.task, rows)
            rows = rows.take(np.sort(balanced(spread, len(rows), self.settings.pool, self.job.seed)))
        fixed = tuple(
            balanced(asking.strata(rows, number) if len(rows) else None, len(rows), most + 1, self.job.seed)
            for number in range(asking.questions)
        )
        similar = None
        if len(rows) and "retrieved" in self.settings.selections:
            encoder = shared_encoder(self.job.encoder, self.job.device.in_fp32(), None)
            similar = Similar.among(encoder, FeatureCache(self.job.cache), rows.inputs)
        return Demonstrations(rows, fixed, most, similar)

    def _measured_rows(self) -> Rows:
        """Draw the rows to ask about; those that are shown to all come last, because they leave themselves out."""
        training, shown = self.job.training, self.interview.demonstrations
        order = np.random.default_rng(self.job.seed).permutation(len(training))
        places = {shown.rows.places[at] for numbers in shown.fixed for at in numbers[: shown.most]}
        last = np.array([training.places[number] in places for number in order], dtype=np.bool_)
        order = order[np.argsort(last, kind="stable")]
        return training.take(order[: self.settings.paid_rows if self.paid else self.settings.measured_rows])

    def _measured(self, measuring: Measuring) -> tuple[list[Measured], list[Measured]]:
        """Return what can be chosen, measured; and, for comparison, prompts without demonstrations."""
        rows = len(measuring.rows)
        ways = self._ways()
        asked = [*ways, Way(None)] if self.demonstrated else ways
        found: list[list[Measured]] = []
        for number, way in enumerate(asked if rows else ()):

            def report(done: int, total: int, number: int = number) -> None:
                self.job.progress(number * rows + rows * done // max(total, 1), len(asked) * rows)

            found.append(measuring.measure_way(way, report))
        return [one for several in found[: len(ways)] for one in several], [
            one for several in found[len(ways) :] for one in several
        ]

    def _ways(self) -> list[Way]:
        if not self.demonstrated or not len(self.interview.demonstrations.rows):
            return [Way(None)]
        return [Way(selection, order) for selection in self.settings.selections for order in self.settings.orders]

    def _unmeasured(self) -> Measured:
        """Return the first way where nothing could be measured, uncalibrated."""
        several = TASKS[self.job.task].predicts == "classes"
        thresholds = np.full(len(self.job.labels), 0.5, dtype=np.float32) if several else None
        return Measured(self._ways()[0], Calibration(), thresholds, 0.0, None)


def _asking(job: FitJob, settings: PromptedSettings, model: LanguageModel, place: LanguageModelPlace) -> Asking:
    """Return how the job's rows are asked about."""
    served, hypotheses = place.url is not None, model.reads == "hypotheses"
    listed = settings.label_sets == "list" or (settings.label_sets == "auto" and served)
    brief = Brief(
        task=job.task,
        labels=tuple(job.labels),
        descriptions=job.descriptions,
        instruction=settings.instruction,
        pairs=bool(len(job.training)) and isinstance(job.training.inputs[0], Pair),
        hypotheses=hypotheses,
        listed=listed and model.writes and TASKS[job.task].predicts == "classes",
        unanswerable=TASKS[job.task].predicts == "span" and not all(job.training.targets),
        levels=_levels(job, settings),
        verbalisers=1 if served else settings.verbalisers,
        written_tokens=settings.written_tokens,
    )
    return asking_for(brief, job.template or prompt_template(job.task))


def _levels(job: FitJob, settings: PromptedSettings) -> tuple[float, ...]:
    if TASKS[job.task].predicts != "number":
        return ()
    targets: Any = job.training.targets
    if not len(targets):
        raise InputError("regression by prompts needs a few labelled rows: they say from where to where the scale goes")
    return scale(float(targets.min()), float(targets.max()), settings.levels)


def _check(asking: Asking, model: LanguageModel, *, demonstrated: bool) -> None:
    """Refuse what the language model cannot do.

    Raises:
        InputError: it cannot write and the task needs it, or it cannot be shown demonstrations.
    """
    if isinstance(asking, WrittenAsking) and not model.writes:
        raise InputError(
            f"{model.name} scores answers and cannot write, as {asking.brief.task} needs; name a model that writes"
        )
    if demonstrated and asking.brief.hypotheses:
        raise InputError(
            f"{model.name} judges hypotheses and cannot be shown demonstrations; take zero-shot, or a model that is "
            "prompted"
        )
