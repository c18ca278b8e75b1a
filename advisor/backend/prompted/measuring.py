"""Measuring ways of prompting on labelled rows: what demonstrations, their order and calibration do."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.evaluation import headline
from advisor.backend.prompted.asking import ScoredAsking, WrittenAsking
from advisor.backend.prompted.asking.texts import written_numbers
from advisor.backend.prompted.calibration import Calibration, batch_leaving_one_out, content_free_inputs
from advisor.backend.prompted.demonstrations import Way
from advisor.backend.prompted.interview import Interview
from advisor.backend.prompted.settings import CalibrationName, PromptSettings
from advisor.backend.rows import Rows
from advisor.backend.thresholds import choose_thresholds
from advisor.tasks import TASKS, Measure


@dataclass(frozen=True)
class Measured:
    """One way, measured.

    Attributes:
        way: how demonstrations are shown.
        calibration: of the answers' probabilities.
        thresholds: chosen on the same rows, where a row has several labels and labels may be used.
        value: the leading measure.
        log_loss: nats a decision, None where answers are no probabilities.
    """

    way: Way
    calibration: Calibration
    thresholds: Floats | None
    value: float
    log_loss: float | None

    def noted(self, measure: Measure) -> dict[str, Any]:
        """Return it as results keep it."""
        return {
            "demonstrations": self.way.selection or "none",
            "order": self.way.order if self.way.selection else None,
            "calibration": self.calibration.name,
            measure.key: self.value,
            "log_loss": self.log_loss,
        }


@dataclass(frozen=True)
class Measuring:
    """Labelled rows, and how answers about them are judged.

    Attributes:
        interview: asks.
        rows: labelled rows, none of which is shown as a demonstration of itself.
        settings: what is compared.
        measure: what makes one way better than another.
        labelled: whether thresholds may be chosen on the labels.
    """

    interview: Interview
    rows: Rows
    settings: PromptSettings
    measure: Measure
    labelled: bool

    def measure_way(self, way: Way, progress: Any = None) -> list[Measured]:
        """Ask about all rows in one way; return it with every calibration that applies."""
        asking, inputs = self.interview.asking, self.rows.inputs
        if isinstance(asking, WrittenAsking):
            if self.measure.key == "perplexity":
                likelihoods = self.interview.likelihoods(self.rows, way, inputs, progress)
                outputs = written_numbers(likelihoods, [""] * len(self.rows), self.rows, [])
            else:
                outputs = asking.judged(self.rows, self.interview.written(inputs, way, inputs, progress))
            return [self._judged(way, Calibration(), outputs, outputs)]
        assert isinstance(asking, ScoredAsking)
        raw = self.interview.probabilities(inputs, way, inputs, progress)
        return [
            self._judged(way, calibration, asking.outputs(left_out), asking.outputs(calibration.apply(raw)))
            for calibration, left_out in self._calibrated(way, raw)
        ]

    def contextual(self, way: Way) -> Calibration:
        """Return the calibration by inputs without content, like the rows in kind."""
        empty = content_free_inputs(self.rows.inputs[0], self.settings.content_free)
        return Calibration.of("contextual", self.interview.probabilities(empty, way), self.settings.prior_floor)

    def _calibrated(self, way: Way, raw: Floats) -> Iterator[tuple[Calibration, Floats]]:
        """Yield every calibration that applies, with the rows' probabilities under it, had each not been in it."""
        floor = self.settings.prior_floor
        for name in self.settings.calibrations:
            if name == "none":
                yield Calibration(), raw
            elif not applies(name, way, self.interview):
                continue
            elif name == "contextual":
                found = self.contextual(way)
                yield found, found.apply(raw)
            else:
                yield Calibration.of("batch", raw, floor), batch_leaving_one_out(raw, floor)

    def _judged(self, way: Way, calibration: Calibration, outputs: Floats, final: Floats) -> Measured:
        """Return a way judged by outputs; thresholds are chosen for the final ones, which the model will give."""
        task, labels = self.interview.asking.brief.task, self.interview.asking.brief.labels
        thresholds = None
        if TASKS[task].predicts == "classes":
            chosen = self.labelled and len(self.rows) > 0
            thresholds = choose_thresholds(final, self.rows.targets) if chosen else _halves(len(labels))
        value = headline(task, outputs, self.rows, labels, thresholds)[self.measure.key]
        return Measured(way, calibration, thresholds, value, _log_loss(task, outputs, self.rows))


def applies(name: CalibrationName, way: Way, interview: Interview) -> bool:
    """Return whether a calibration can be had: of scored answers alone, the contextual one for one prompt for all rows.

    Demonstrations retrieved for a row make a prompt of its own, whose prior would take a few more questions a row.
    """
    asking = interview.asking
    if name == "none":
        return True
    if not isinstance(asking, ScoredAsking) or not asking.calibrated:
        return False
    return name == "batch" or (way.selection != "retrieved" and not asking.brief.hypotheses)


def best(found: Sequence[Measured], measure: Measure, rows: int, sureness: float) -> Measured:
    """Return the best way: of those that the measure cannot tell from the best, the one with the least log loss.

    A share of few rows moves by chance; the probabilities of the right answers tell more of the same rows. Where there
    are none the value alone decides. Among equals the first is taken.

    Args:
        found: ways, measured on the same rows.
        measure: that they were measured by.
        rows: how many rows.
        sureness: standard errors of the best value within which others cannot be told from it.
    """
    sign = -1 if measure.lower_is_better else 1
    top = max(found, key=lambda one: sign * one.value)
    if top.log_loss is None or not measure.share:
        return top
    error = math.sqrt(max(0.0, top.value * (1 - top.value)) / max(1, rows))
    near = [one for one in found if one.value >= top.value - sureness * error and one.log_loss is not None]
    return min(near, key=lambda one: one.log_loss or 0.0)


def _halves(labels: int) -> Floats:
    return np.full(labels, 0.5, dtype=np.float32)


def _log_loss(task: str, outputs: Floats, rows: Rows) -> float | None:
    """Return the mean negative logarithm of the probability of what is true, None where there are none."""
    tiny = np.finfo(np.float32).eps
    match TASKS[task].predicts:
        case "class":
            own = outputs[np.arange(len(rows)), rows.targets]
        case "classes":
            own = np.where(rows.targets > 0, outputs, 1 - outputs)
        case _:
            return None
    return float(-np.log(np.clip(own, tiny, 1)).mean())
