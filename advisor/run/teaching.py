"""Distillation: a prompted teacher labels unlabelled texts, and the strategy learns from those it is surest of."""

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.evaluation import evaluate
from advisor.backend.predictor import Predictor
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.rows import Rows
from advisor.estimates.forecast import default_settings
from advisor.plan.plan import PlannedTeacher
from advisor.run.prepare import Fold, fold_rows
from advisor.strategies import STRATEGIES
from advisor.strategies.modifiers import DISTILLATION, DistillationSettings
from advisor.tasks import Input

if TYPE_CHECKING:
    from advisor.run.fits import Fits

InputT = TypeVar("InputT", bound=Input)


class Taught(NamedTuple):
    """Rows with a teacher's labels, and what is known of these.

    Attributes:
        rows: texts with the label that the teacher gave; their places are 0, for no file has that label.
        record: ``asked`` and ``kept`` texts, the least probability of a kept label, and the teacher's accuracy on
            labelled rows with its 95 % interval: on all of them, and on as large a share as is kept.
    """

    rows: Rows
    record: dict[str, Any]


class Teacher:
    """A plan's teacher; what it answered is kept in the run folder.

    Args:
        fits: of the run; they tell the data, the encoder and where arrays are kept.
        planned: which strategy it is, on which model.
        place: where its language model is, if it has one.
    """

    def __init__(self, fits: "Fits", planned: PlannedTeacher, place: LanguageModelPlace | None) -> None:
        self.fits, self.planned, self.place = fits, planned, place
        self.strategy = STRATEGIES[planned.strategy]
        self.settings = DistillationSettings.model_validate(fits.plan.modifiers[DISTILLATION])

    def teach(self, fold: Fold) -> tuple[Fold, dict[str, Any]]:
        """Return the fold with the rows that it labelled added to those learnt from, and what is known of its labels.

        It sees the labels of the fold's own training rows alone, and no text that the fold is measured on.
        """
        plan, rows = self.fits.plan, fold.training
        known = {*rows.inputs, *(fold.test.inputs if fold.test else ())}
        texts = asked_texts(self.fits.data.unlabelled, known, self.settings.most_texts, plan.seed)
        given, checked = self._answers(f"{fold.name}-taught", fold, texts)
        found = taught(
            texts, given, rows, checked, self.fits.data.labels, self.settings,
            draws=plan.evaluation["bootstrap_draws"], seed=plan.seed,
        )  # fmt: skip
        return replace(fold, training=rows.plus(found.rows)), found.record

    def _answers(self, name: str, fold: Fold, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Return outputs for the unlabelled texts, and for the labelled rows as if each had no label."""
        folder, seed = self.fits.folder, self.fits.plan.seed
        given, checked = folder.array(name), folder.array(f"{name}-checked")
        if given is None or checked is None:
            model = self._fit(fold)
            given = model.outputs(texts, self.fits.progress.steps)
            folder.keep_array(name, given)
            if self.strategy.needs_labels:
                checked = np.zeros((len(fold.training), given.shape[1]), dtype=np.float32)
                parts = fold_rows(self.fits.plan.task, fold.training, self.settings.check_folds, seed)
                for shown, asked in parts:
                    part = replace(fold, training=fold.training.take(shown))
                    checked[asked] = self._fit(part).outputs(fold.training.take(asked).inputs)
            else:
                checked = model.outputs(fold.training.inputs)
            folder.keep_array(f"{name}-checked", checked)
        return given, checked

    def _fit(self, fold: Fold) -> Predictor:
        job = self.fits.job(self.strategy, fold, self.fits.plan.seed)
        terms = self.planned.prompting
        return self.strategy.fit(
            replace(
                job,
                settings=default_settings(self.strategy.id, self.planned.engine),
                place=self.place,
                template=terms.template if terms else None,
                max_length=None if terms else job.max_length,
            )
        ).model


def asked_texts(texts: Sequence[InputT], known: Container[Any], most: int, seed: int) -> list[InputT]:
    """Return the unlabelled texts to ask about: each once, none that is known already, ``most`` drawn from more."""
    new = [text for text in dict.fromkeys(texts) if text not in known]
    if len(new) <= most:
        return new
    drawn = np.random.default_rng(seed).choice(len(new), most, replace=False)
    return [new[number] for number in np.sort(drawn)]


def taught(
    texts: Sequence[str],
    outputs: Floats,
    checked: Rows,
    checked_outputs: Floats,
    labels: Sequence[str],
    settings: DistillationSettings,
    *,
    draws: int,
    seed: int,
) -> Taught:
    """Keep the texts whose label the teacher is surest of, and check its labels on those of people.

    Of every label the same share is kept: the surest texts of all would be those of the easiest labels.

    Args:
        texts: unlabelled ones.
        outputs: what the teacher gave for them, probabilities (texts, labels).
        checked: rows that people labelled.
        checked_outputs: what it gave for these, each judged without its own label.
        labels: in the order of the columns.
        settings: how many to keep.
        draws: bootstrap resamples for the intervals.
        seed: of the resamples.
    """
    kept = surest(outputs, settings.kept_share)
    sure = surest(checked_outputs, settings.kept_share)
    record: dict[str, Any] = {
        "asked": len(texts),
        "kept": len(kept),
        "least_probability": float(outputs[kept].max(axis=1).min(initial=1.0)) if len(kept) else None,
        "accuracy": _accuracy(checked, checked_outputs, labels, draws, seed),
        "accuracy_of_the_surest": _accuracy(checked.take(sure), checked_outputs[sure], labels, draws, seed),
    }
    given = outputs[kept].argmax(axis=1).astype(np.int64)
    return Taught(Rows([texts[number] for number in kept], given, [0] * len(kept)), record)


def surest(outputs: Floats, share: float) -> NDArray[np.int64]:
    """Return the numbers of the rows to keep, ascending: of each label given, the share with highest probability."""
    given, sureness = outputs.argmax(axis=1), outputs.max(axis=1)
    kept: list[int] = []
    for label in np.unique(given):
        rows = np.flatnonzero(given == label)
        best = rows[np.argsort(-sureness[rows], kind="stable")]
        kept += best[: int(np.ceil(share * len(rows)))].tolist()
    return np.array(sorted(kept), dtype=np.int64)


def _accuracy(rows: Rows, outputs: Floats, labels: Sequence[str], draws: int, seed: int) -> dict[str, float] | None:
    if not len(rows):
        return None
    found = evaluate("text-classification", outputs, rows, labels, draws=draws, seed=seed).metrics["accuracy"]
    return {"value": found.value, "low": found.low, "high": found.high}
