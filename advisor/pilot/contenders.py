"""Contenders: the candidates that the rules leave standing and that can be fitted here, with what measuring one costs.

Costs are forecasts, so that two pilots of the same data spend the same budget on the same measurements.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

from pydantic import BaseModel

from advisor.decision.candidates import Candidate
from advisor.decision.decide import Decision
from advisor.decision.facts import Facts
from advisor.estimates.forecast import default_settings
from advisor.settings import load_settings
from advisor.strategies import STRATEGIES


@dataclass(frozen=True)
class Contender:
    """A candidate on an encoder."""

    candidate: Candidate

    @property
    def id(self) -> str:
        """Id of its strategy."""
        return self.candidate.strategy.id

    @property
    def label_free(self) -> bool:
        """Whether it takes no labels."""
        return not self.candidate.strategy.needs_labels

    @property
    def frozen(self) -> bool:
        """Whether the encoder stays as it is, so that features serve many fits."""
        return self.candidate.strategy.frozen

    @cached_property
    def settings(self) -> BaseModel:
        """Its settings, as a run has them."""
        return default_settings(self.id)

    @cached_property
    def short_settings(self) -> BaseModel | None:
        """The settings of a shortened training; None where the whole one is as short."""
        rules, own = load_settings("pilot.yaml"), self.settings
        steps, passes = getattr(own, "min_steps", 0), getattr(own, "epochs", 0)
        if steps <= rules["short_updates"]:
            return None
        changes = {"min_steps": rules["short_updates"], "epochs": min(passes, rules["short_epochs"])}
        if hasattr(own, "fewest_epochs"):
            changes["fewest_epochs"] = min(own.fewest_epochs, changes["epochs"])
        return own.model_copy(update=changes)

    def fit_seconds(self, rows: float, *, short: bool = False) -> float:
        """Return what one fit takes, without starting up and without reading features that are there."""
        forecast = _at(self.candidate, rows).forecast
        seconds = forecast.train_seconds.point - _start(self.candidate) if forecast else inf
        if self.frozen:
            seconds -= self.read_seconds(rows) + self.layer_seconds(rows)
        if short and self.short_settings is not None:
            seconds *= _updates(self.short_settings, rows) / _updates(self.settings, rows)
        rules = load_settings("pilot.yaml")
        return float(max(seconds, 0.0) + rules["fit_seconds" if self.frozen else "tuned_fit_seconds"])

    def read_seconds(self, rows: float) -> float:
        """Return what it takes to pass rows through the encoder once."""
        reader = _at(replace(self.candidate, strategy=STRATEGIES["few-shot"]), rows).forecast
        return max(reader.train_seconds.point - _start(self.candidate), 0.0) if reader else inf

    def layer_seconds(self, rows: float) -> float:
        """Return what it takes to read some rows layer by layer, where the best layer is looked for."""
        looked = getattr(self.settings, "layer_rows", 0) if getattr(self.settings, "layers", "") == "best" else 0
        return self.read_seconds(min(rows, looked)) if looked else 0.0

    def whole_seconds(self, rows: float) -> float:
        """Return what fitting it on all rows takes."""
        reads = self.read_seconds(rows) + self.layer_seconds(rows) if self.frozen else 0.0
        return self.fit_seconds(rows) + reads


def contenders(decision: Decision) -> list[Contender]:
    """Return the feasible candidates on the encoder that this version carries out, in the order of the strategies."""
    task = str(decision.facts.values["task.type"])
    return [
        Contender(candidate)
        for candidate in decision.candidates
        if candidate.engine == "encoder"
        and candidate.strategy.executable
        and candidate.strategy.handles(task, "encoder")
        and candidate.feasible
    ]


def cheapest_first(found: Sequence[Contender], rows: float, *, latency: bool = False) -> list[Contender]:
    """Return contenders by what training and serving them costs.

    Money first, then the time of training; or, with ``latency``, the time of an answer before both.
    """

    def cost(one: Contender) -> tuple[float, ...]:
        forecast = one.candidate.forecast
        if forecast is None:
            return (inf, inf, inf)
        answers = forecast.usd_per_1000.point if forecast.usd_per_1000 else inf
        money = (answers, forecast.train_usd.point, one.whole_seconds(rows))
        return (round(forecast.latency_ms_p95.point, 1), *money) if latency else money

    return sorted(found, key=cost)


def _at(candidate: Candidate, rows: float) -> Candidate:
    """Return the candidate with another number of labelled rows."""
    values = {**candidate.project.values, "data.labelled": rows}
    return replace(candidate, project=Facts(values, candidate.project.assumed))


def _start(candidate: Candidate) -> float:
    """Return what starting up takes, which a pilot does once for all: what remains without a row to read."""
    nothing = _at(replace(candidate, strategy=STRATEGIES["few-shot"]), 0).forecast
    return nothing.train_seconds.point if nothing else 0.0


def _updates(settings: BaseModel, rows: float) -> int:
    count: int = settings.updates(rows)  # type: ignore[attr-defined]
    return count
