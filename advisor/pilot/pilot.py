"""A pilot: the contenders of a decision raced on labelled rows, journalled so that the same call goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from advisor import __version__
from advisor.backend.remote_code import allow
from advisor.data.examples import LabelledData
from advisor.decision.advice import Advice
from advisor.decision.finding import Finding, Prefer
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.weights import locate_model
from advisor.pilot.budget import Budget
from advisor.pilot.cells import Cell
from advisor.pilot.contenders import Contender, contenders
from advisor.pilot.journal import keep, kept, pilot_folder
from advisor.plan.plan import DEFAULT_SEED
from advisor.plan.rows import planned_labels
from advisor.settings import load_settings
from advisor.tasks import TASKS, Measure

_FEWEST = 2


class Wish(NamedTuple):
    """What is asked of a pilot.

    Attributes:
        budget: what it may cost.
        prefer: what decides among contenders that are as good as the best.
        target: value of the leading measure whose labels are wanted; the profile's if left out.
        seed: of parts and fits.
    """

    budget: Budget = Budget()
    prefer: Prefer = "quality"
    target: float | None = None
    seed: int = DEFAULT_SEED


class Seen(NamedTuple):
    """A pilot on its way: what comes next, seconds of forecast cost spent of the budget, what leads so far."""

    strategy: str
    rows: int
    spent: float
    budget: float
    contenders: int
    leader: str


@dataclass(frozen=True)
class Pilot:
    """A pilot of one decision on its data.

    Attributes:
        advice: by the rules alone.
        data: the rows; None where there are none.
        known: measurements on other data that its expectations rest on; those that are shipped if left out.
    """

    advice: Advice
    data: LabelledData | None
    known: tuple[Cell, ...] | None = None

    @property
    def measure(self) -> Measure:
        """The measure that leads: the profile's, else the task's."""
        profile = self.advice.profile
        task = TASKS.get(str(self.advice.decision.facts.values["task.type"]), TASKS["text-classification"])
        return task.measure(profile.task.metric)

    @property
    def contenders(self) -> list[Contender]:
        """What races."""
        return contenders(self.advice.decision)

    @cached_property
    def encoder(self) -> Path:
        """Folder of the encoder that is measured; of the shipped one where none is.

        Raises:
            InputError: it cannot be had.
        """
        wished = self.advice.profile.model
        name = next((one.candidate.model for one in self.contenders), load_catalogue().default_model)
        located = locate_model(name, wished.revision, trust_remote_code=bool(wished.trust_remote_code))
        if wished.trust_remote_code:
            allow(located.folder)
        return located.folder

    @property
    def first_labels(self) -> int:
        """Labels to collect first, or next: so many a class."""
        classes = int(self.advice.decision.facts.values.get("classes") or 2)
        return int(load_settings("pilot.yaml")["first_labels"]) * classes

    @property
    def folder(self) -> Path:
        """Where it is kept; data, contenders with their settings, rules of the pilot and version decide."""
        profile, data = self.advice.profile, self.data
        assert data is not None
        return pilot_folder(
            {
                "advisor": __version__,
                "data": [data.train_part.sha256, data.text_column, data.pair_column, data.label_column, data.task],
                "rows": list(data.train.rows),
                "labels": planned_labels(profile, data),
                "measure": self.measure.key,
                "model": [profile.model.revision, profile.model.trust_remote_code],
                "contenders": {one.id: [one.candidate.model, one.settings.model_dump()] for one in self.contenders},
                "rules": load_settings("pilot.yaml"),
                "machine": self.advice.decision.machine.fingerprint,
            }
        )

    def last(self) -> Finding | None:
        """Return what the last finished pilot of this decision and these data found."""
        return kept(self.folder) if self.data is not None and self._can_measure else None

    def run(self, wish: Wish, tell: Callable[[Seen], None] = lambda seen: None) -> Finding:
        """Race the contenders; what a former call measured is not measured again.

        Raises:
            AdvisorError: the base model cannot be had, or a fit fails.
        """
        if self.data is None or not self._can_measure:
            return self._nothing(wish)
        from advisor.pilot.conduct import conduct

        finding = conduct(self, self.data, wish, tell)
        keep(self.folder, finding)
        return finding

    @property
    def _labelled(self) -> int:
        return len(self.data.train) if self.data else 0

    @property
    def _can_measure(self) -> bool:
        return self._labelled >= _FEWEST and bool(self.contenders)

    def _nothing(self, wish: Wish) -> Finding:
        """Say why nothing is measured and, where that is for want of labels, how many to collect first."""
        enough = self._labelled >= _FEWEST
        return Finding(
            strategy=None,
            model=None,
            measure=self.measure.key,
            measure_title=self.measure.title,
            labelled=self._labelled,
            stopped="no contenders" if enough else "no labels",
            margin=load_settings("pilot.yaml")["margin"],
            prefer=wish.prefer,
            seed=wish.seed,
            rules=self.advice.decision.winner.strategy.id,
            measurable=False,
            because="what the rules leave standing runs on no encoder, and a pilot measures nothing else"
            if enough
            else "there are no labelled rows to measure on, so the rules alone decide",
            first_labels=None if enough else self.first_labels,
        )
