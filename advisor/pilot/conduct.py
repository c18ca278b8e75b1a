"""Conducting a pilot: rows, encoder and trials made ready, the race run, and its finding drawn up."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from advisor.backend.devices import choose_device
from advisor.backend.rows import encode_rows
from advisor.cache import cache_folder
from advisor.data.examples import LabelledData
from advisor.decision.finding import Finding, Stop
from advisor.pilot.cells import classes_of, evidence
from advisor.pilot.contenders import Contender
from advisor.pilot.fitting import Bench
from advisor.pilot.journal import Journal
from advisor.pilot.judging import because, leads, settle, standings, target_of
from advisor.pilot.outlook import Outlook
from advisor.pilot.past import past_cells
from advisor.pilot.pilot import Pilot, Seen, Wish
from advisor.pilot.race import Race
from advisor.pilot.trials import Trial, Trials
from advisor.plan.rows import class_weights, planned_labels
from advisor.settings import load_settings
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS


def conduct(pilot: Pilot, data: LabelledData, wish: Wish, tell: Callable[[Seen], None]) -> Finding:
    """Race the contenders of a pilot on its rows; see `Pilot.run`."""
    course = _Course(pilot, data, wish, tell)
    outlook, stopped = course.race.run()
    return course.finding(outlook, stopped)


@dataclass(frozen=True)
class _Course:
    """One pilot on its way; ``fresh`` are the trials that this call carried out, ``began`` its process's clock."""

    pilot: Pilot
    data: LabelledData
    wish: Wish
    tell: Callable[[Seen], None]
    fresh: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.process_time)

    @cached_property
    def racing(self) -> dict[str, Contender]:
        """The contenders by id."""
        return {one.id: one for one in self.pilot.contenders}

    @cached_property
    def bench(self) -> Bench:
        """What all trials share."""
        profile, data = self.pilot.advice.profile, self.data
        labels, names, train = planned_labels(profile, data), data.label_names, data.train
        return Bench(
            task=data.task,
            rows=encode_rows(data.task, train.inputs, train.labels, train.rows, names),
            labels=names,
            descriptions={name: text for name, text in labels.items() if text},
            measure=self.pilot.measure,
            encoder=self.pilot.encoder,
            device=choose_device(),
            cache=cache_folder("features"),
            seed=self.wish.seed,
            balanced=class_weights(data, self.pilot.measure, STRATEGIES["linear-probe"])[0] == "balanced",
        )

    @cached_property
    def journal(self) -> Journal:
        """What was measured before."""
        return Journal(self.pilot.folder, self.wish.seed)

    @cached_property
    def everything(self) -> float:
        """Forecast cost of fitting every contender on all rows, in seconds."""
        return math.fsum(one.whole_seconds(len(self.bench.rows)) for one in self.racing.values())

    @cached_property
    def race(self) -> Race:
        """The race."""
        rows, racing = self.bench.rows, self.racing
        trials = Trials(self.data.task, rows, self.wish.seed)
        return Race(
            prior=self._prior(),
            trials={trial: self._seconds(trial) for one in racing.values() for trial in trials.of(one)},
            read_seconds=next(iter(racing.values())).read_seconds(len(rows)) / len(rows),
            reading=frozenset(one.id for one in racing.values() if one.frozen),
            classes=self._classes,
            rows=len(rows),
            budget=self.wish.budget.of(self.everything),
            rules=load_settings("pilot.yaml"),
            measure=self._measure,
            overrun=self._overrun,
            tell=self._told,
        )

    @property
    def _classes(self) -> int:
        return classes_of(self.data.task, len(self.bench.labels))

    @cached_property
    def _equal_shares(self) -> bool:
        """Whether every class has as many rows, give or take one, as chosen rows have and chance seldom brings."""
        if TASKS[self.data.task].predicts != "class":
            return False
        counts = np.bincount(self.bench.rows.targets, minlength=len(self.bench.labels))
        return bool(counts.max() - counts.min() <= 1)

    @property
    def _took(self) -> float:
        """Processor seconds so far, deciding included, and those of former calls whose measurements the race used."""
        former = [step.trial.key for step in self.race.steps if step.trial.key not in self.fresh]
        known = [found for found in map(self.journal.measured, former) if found]
        return time.process_time() - self.began + math.fsum(found["processor_seconds"] for found in known)

    def finding(self, outlook: Outlook, stopped: Stop) -> Finding:
        """Say how the contenders stand, which one it is to be, and why."""
        race, measure, advice = self.race, self.bench.measure, self.pilot.advice
        racing, advised = list(self.racing.values()), advice.decision.winner
        stand = standings(racing, race, outlook)
        found = Finding(
            strategy=None,
            model=None,
            measure=measure.key,
            measure_title=measure.title,
            labelled=race.rows,
            equal_shares=self._equal_shares,
            contenders=stand,
            stopped=stopped if race.trials else "too few labels",
            margin=race.rules["margin"],
            prefer=self.wish.prefer,
            seed=self.wish.seed,
            spent_seconds=race.spent,
            budget_seconds=race.budget,
            everything_seconds=self.everything,
            processor_seconds=self._took,
            rules=advised.strategy.id,
            measurable=any(one.candidate is advised for one in racing),
            because="the budget does not hold one measurement; a larger one does"
            if race.trials
            else "too few labels to leave some out; it takes two of a class, or questions about two contexts",
            first_labels=None if race.trials else self.pilot.first_labels,
        )
        if not race.steps:
            return found
        chosen = next(one for one in stand if one.strategy == settle(racing, stand, race, self.wish.prefer))
        settled = {
            "strategy": chosen.strategy,
            "model": self.racing[chosen.strategy].candidate.model,
            "because": because(chosen, stand, found.rules, measure.title, found.margin),
            "target": target_of(outlook, chosen, self.wish.target or advice.profile.task.target),
            "leads": leads(outlook, chosen.strategy, race),
        }
        return found.model_copy(update=settled)

    def _prior(self) -> Outlook:
        """Return what other data tell, the user's own among them."""
        model = next(iter(self.racing.values())).candidate.model
        own = past_cells(self.pilot.advice.past_runs, self.data.task, model, self.data.train_part.sha256)
        free = [one.id for one in self.racing.values() if one.label_free]
        known = evidence() if self.pilot.known is None else self.pilot.known
        return Outlook.prior(
            list(self.racing),
            self._classes,
            label_free=free,
            known=[*known, *own],
            task=self.data.task,
            equal_shares=self._equal_shares,
        )

    def _seconds(self, trial: Trial) -> float:
        """Return the forecast cost of a trial, features of frozen encoders left out: they are read once for all."""
        one = self.racing[trial.strategy]
        fits = one.fit_seconds(trial.rows, short=trial.short) * len(trial.parts)
        return fits + (one.layer_seconds(trial.judged) if one.frozen else one.read_seconds(trial.answers))

    def _measure(self, trial: Trial) -> float:
        known = self.journal.measured(trial.key)
        if known:
            return known["value"]
        value, seconds = self.bench.measured(self.racing[trial.strategy], trial)
        value = value if math.isfinite(value) else 0.0
        self.journal.add(trial.key, value, seconds)
        self.fresh.add(trial.key)
        return value

    def _overrun(self) -> bool:
        cores = self.pilot.advice.decision.machine.cores
        return self._took > self.race.rules["overrun"] * self.race.budget * cores

    def _told(self, trial: Trial, spent: float, outlook: Outlook) -> None:
        leader = max(self.racing, key=lambda name: outlook.expected(name, self.race.per_class))
        self.tell(Seen(trial.strategy, round(trial.rows), spent, self.race.budget, len(self.racing), leader))
