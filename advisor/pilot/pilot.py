"""A pilot: the contenders of a decision raced on labelled rows, journalled so that the same call goes on."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from advisor import __version__
from advisor.data.examples import LabelledData
from advisor.decision.advice import Advice
from advisor.decision.finding import Finding, Prefer
from advisor.knowledge.hyperparameters import load_pilot
from advisor.pilot.budget import Budget
from advisor.pilot.contenders import Contender, contenders
from advisor.pilot.journal import Journal, keep, kept, pilot_folder
from advisor.plan.rows import class_weights, planned_labels
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS, Measure

DEFAULT_SEED = 13


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
        data: the labelled data; None where there are none.
    """

    advice: Advice
    data: LabelledData | None

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
                "rules": load_pilot(),
                "machine": self.advice.decision.machine.fingerprint,
            }
        )

    def last(self) -> Finding | None:
        """Return what the last finished pilot of this decision and these data found."""
        return kept(self.folder) if self.data is not None and self.contenders else None

    def run(self, wish: Wish, tell: Callable[[Seen], None] = lambda seen: None) -> Finding:
        """Race the contenders; what a former call measured is not measured again.

        Raises:
            AdvisorError: the base model cannot be had, or a fit fails.
        """
        if self.data is None or not self.contenders or len(self.data.train) < 2:
            return self._nothing(wish)
        finding = _run(self, self.data, wish, tell)
        keep(self.folder, finding)
        return finding

    def _nothing(self, wish: Wish) -> Finding:
        """Say what to label first."""
        values = self.advice.decision.facts.values
        classes = int(values.get("classes") or 2)
        first = load_pilot()["first_labels"]
        return Finding(
            strategy=None,
            model=None,
            measure=self.measure.key,
            measure_title=self.measure.title,
            labelled=len(self.data.train) if self.data else 0,
            stopped="no labels",
            margin=load_pilot()["margin"],
            prefer=wish.prefer,
            seed=wish.seed,
            rules=self.advice.decision.winner.strategy.id,
            measurable=False,
            because="there are no labelled rows to measure on, so the rules alone decide",
            first_labels=first * classes,
        )


def _run(pilot: Pilot, data: LabelledData, wish: Wish, tell: Callable[[Seen], None]) -> Finding:
    from advisor.pilot.cells import evidence
    from advisor.pilot.fitting import Bench
    from advisor.pilot.judging import because, leads, settle, standings, target_of
    from advisor.pilot.outlook import Outlook
    from advisor.pilot.past import past_cells
    from advisor.pilot.race import Race
    from advisor.pilot.trials import Trial, Trials

    rules, racing = load_pilot(), pilot.contenders
    by_id = {one.id: one for one in racing}
    bench = _bench(pilot, data, wish.seed)
    assert isinstance(bench, Bench)
    rows = len(bench.rows)
    reader = racing[0]
    trials = Trials(data.task, bench.rows, wish.seed)
    found = {trial: _seconds(by_id[trial.strategy], trial) for one in racing for trial in trials.of(one)}
    everything = math.fsum(one.whole_seconds(rows) for one in racing)
    budget = wish.budget.of(everything)
    journal, took = Journal(pilot.folder, wish.seed), 0.0

    def measure(trial: Trial) -> float:
        nonlocal took
        known = journal.measured(trial.key)
        if known is None:
            value, seconds = bench.measured(by_id[trial.strategy], trial)
            journal.add(trial.key, value if math.isfinite(value) else 0.0, seconds)
            known = journal.measured(trial.key)
        assert known is not None
        took += known["processor_seconds"]
        return known["value"]

    def report(trial: Trial, spent: float, outlook: Outlook) -> None:
        leader = max(racing, key=lambda one: outlook.expected(one.id, race.per_class)).id
        tell(Seen(trial.strategy, round(trial.rows), spent, budget, len(racing), leader))

    classes = len(bench.labels) if TASKS[data.task].predicts in ("class", "classes") else 1
    known = (*evidence(), *past_cells(pilot.advice.past_runs, reader.candidate.model))
    free = [one.id for one in racing if one.label_free]
    race = Race(
        prior=Outlook.prior(list(by_id), classes, label_free=free, known=known),
        trials=found,
        features=reader.read_seconds(rows),
        reading=frozenset(one.id for one in racing if one.frozen),
        classes=classes,
        rows=rows,
        budget=budget,
        rules=rules,
        measure=measure,
        overrun=lambda: took > rules["overrun"] * budget * pilot.advice.decision.machine.cores,
        tell=report,
    )
    outlook, stopped = race.run()
    stand = standings(racing, race, outlook)
    advised = pilot.advice.decision.winner
    shared: dict[str, Any] = {
        "measure": bench.measure.key,
        "measure_title": bench.measure.title,
        "labelled": rows,
        "margin": rules["margin"],
        "prefer": wish.prefer,
        "seed": wish.seed,
        "spent_seconds": race.spent,
        "budget_seconds": budget,
        "everything_seconds": everything,
        "rules": advised.strategy.id,
        "measurable": any(one.candidate is advised for one in racing),
    }
    if not race.steps:
        why = "the budget does not hold one measurement; a larger one does"
        if not found:
            why = "too few labels to leave some out; two a class are needed"
        return Finding(strategy=None, model=None, contenders=stand, stopped="budget" if found else "too few labels",
                       because=why, **shared)  # fmt: skip
    chosen = next(one for one in stand if one.strategy == settle(racing, stand, race, wish.prefer))
    return Finding(
        strategy=chosen.strategy,
        model=by_id[chosen.strategy].candidate.model,
        contenders=stand,
        stopped=stopped,
        processor_seconds=took,
        because=because(chosen, stand, advised.strategy.id, bench.measure.title, rules["margin"]),
        target=target_of(outlook, chosen, wish.target or pilot.advice.profile.task.target),
        leads=leads(outlook, chosen.strategy, race),
        **shared,
    )


def _seconds(contender: Contender, trial: Any) -> float:
    """Return the forecast cost of a trial, features of frozen encoders left out: they are read once for all."""
    fits = contender.fit_seconds(trial.rows, short=trial.short) * len(trial.parts)
    return fits if contender.frozen else fits + contender.read_seconds(trial.answers)


def _bench(pilot: Pilot, data: LabelledData, seed: int) -> Any:
    """Return what all trials share: rows, encoder and device."""
    from advisor.backend.devices import choose_device
    from advisor.backend.remote_code import allow
    from advisor.backend.rows import encode_rows
    from advisor.cache import cache_folder
    from advisor.knowledge.weights import locate_model
    from advisor.pilot.fitting import Bench

    profile = pilot.advice.profile
    trust = bool(profile.model.trust_remote_code)
    located = locate_model(pilot.contenders[0].candidate.model, profile.model.revision, trust_remote_code=trust)
    if trust:
        allow(located.folder)
    labels = planned_labels(profile, data)
    names, train = data.label_names, data.train
    return Bench(
        task=data.task,
        rows=encode_rows(data.task, train.inputs, train.labels, train.rows, names),
        labels=names,
        descriptions={name: text for name, text in labels.items() if text},
        measure=pilot.measure,
        encoder=located.folder,
        device=choose_device(),
        cache=cache_folder("features"),
        seed=seed,
        balanced=class_weights(data, pilot.measure, STRATEGIES["linear-probe"])[0] == "balanced",
    )
