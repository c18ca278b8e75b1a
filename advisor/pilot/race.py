"""The race: which measurement to make next, until one contender is good enough or the budget is spent.

It opens with what leaves the encoder as it is, as far as that is cheap: the level of the data is what all expectations
rest on, and two such measurements tell together what neither would alone. What comes next is the measurement with the
highest expected gain a second, by the outlook given all before (the knowledge gradient over its cost). Costs are
forecasts and values come from seeded fits, so the order does not depend on the clock, and a race taken up again makes
the same measurements.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from advisor.decision.finding import Stop
from advisor.pilot.outlook import Candidate, Measured, Outlook
from advisor.pilot.trials import Trial


@dataclass(frozen=True)
class Step:
    """A measurement that was made."""

    trial: Trial
    value: float
    seconds: float


@dataclass
class Race:
    """A race.

    Attributes:
        prior: what is known before anything is measured here.
        trials: those there are, each with its forecast cost in seconds.
        reading: contenders that leave the encoder as it is: a row is read once for all of them, in ``read_seconds``.
        classes: by which labelled rows are divided to compare them with other data.
        rows: labelled rows in all.
        budget: seconds of forecast cost.
        rules: of ``rules/pilot.yaml``.
        measure: carries a trial out and returns the leading measure.
        overrun: whether measuring took so much more than forecast that nothing more is begun.
        tell: called before a measurement with what comes next, what is spent, and what is known.
    """

    prior: Outlook
    trials: Mapping[Trial, float]
    read_seconds: float
    reading: frozenset[str]
    classes: int
    rows: int
    budget: float
    rules: Mapping[str, float]
    measure: Callable[[Trial], float]
    overrun: Callable[[], bool] = lambda: False
    tell: Callable[[Trial, float, Outlook], None] = lambda trial, spent, outlook: None
    steps: list[Step] = field(default_factory=list)

    @property
    def per_class(self) -> float:
        """Labelled rows a class with all of them."""
        return self.rows / self.classes

    @property
    def spent(self) -> float:
        """Seconds of forecast cost so far."""
        return math.fsum(step.seconds for step in self.steps)

    def run(self) -> tuple[Outlook, Stop]:
        """Measure until there is a reason to stop; return what is then known, and the reason."""
        while True:
            outlook = self.prior.after(list(self.measured()))
            if self.steps and self._sure(outlook):
                return outlook, "sure"
            if self.overrun():
                return outlook, "time"
            trial, stop = self._next(outlook)
            if trial is None:
                return outlook, stop
            self.tell(trial, self.spent, outlook)
            seconds = self._seconds(trial)
            self.steps.append(Step(trial, self.measure(trial), seconds))

    def measured(self) -> Iterator[Measured]:
        """Yield what was measured, halves of the same size put together; a shortened training counts for less."""
        alike: dict[tuple[str, int, bool], list[Step]] = defaultdict(list)
        for step in self.steps:
            alike[step.trial.strategy, round(math.log2(max(step.trial.rows, 1))), step.trial.short].append(step)
        for (strategy, _, short), steps in alike.items():
            judged = sum(step.trial.judged for step in steps)
            value = math.fsum(step.value * step.trial.judged for step in steps) / judged
            rows = math.fsum(step.trial.rows for step in steps) / len(steps)
            counted = self.worth_of(judged, value) if short else judged
            yield Measured(strategy, rows, rows / self.classes, value, counted)

    def worth_of(self, judged: int, value: float) -> int:
        """Return how many rows judged tell as much as these do of a training that is shortened.

        The error of shortening adds to the variance of judging: p (1 - p) / n' = p (1 - p) / n + error².
        """
        rules = self.rules
        spread = max(value * (1 - value), rules["least_variance"])
        return max(1, round(spread / (spread / judged + rules["short_error"] ** 2)))

    def _sure(self, outlook: Outlook) -> bool:
        chances = (outlook.within(name, self.per_class, self.rules["margin"]) for name in outlook.strategies)
        return max(chances) >= self.rules["sureness"]

    def _next(self, outlook: Outlook) -> tuple[Trial | None, Stop]:
        """Return the trial with the highest expected gain a second among those that the budget still holds."""
        left, made = self.budget - self.spent, {step.trial.key for step in self.steps}
        open_ = [trial for trial in self.trials if trial.key not in made]
        able = [trial for trial in open_ if self._seconds(trial) <= left]
        if not able:
            return None, "budget" if open_ else "nothing worth it"
        opening = self._opening(able)
        if opening is not None:
            return opening, "sure"
        worth = outlook.worth([self._candidate(trial, outlook) for trial in able], self.per_class)
        gains = [(gain / self._seconds(trial), gain) for trial, gain in zip(able, worth, strict=True)]
        place = max(range(len(able)), key=lambda number: gains[number])
        if gains[place][1] < self.rules["least_worth"]:
            dear = any(self._seconds(trial) > left for trial in open_)
            return None, "budget" if dear else "nothing worth it"
        return able[place], "sure"

    def _opening(self, able: Sequence[Trial]) -> Trial | None:
        """Return the largest cheap trial of a contender that leaves the encoder as it is and was not measured yet."""
        room = self.rules["opening"] * self.budget - self.spent
        known = {step.trial.strategy for step in self.steps}
        cheap = [
            trial
            for trial in able
            if trial.strategy in self.reading and trial.strategy not in known and self._seconds(trial) <= room
        ]
        return max(cheap, key=lambda trial: (trial.touched, -self.trials[trial]), default=None)

    def _candidate(self, trial: Trial, outlook: Outlook) -> Candidate:
        per_class, judged = trial.rows / self.classes, trial.judged
        if trial.short:
            judged = self.worth_of(judged, outlook.expected(trial.strategy, per_class))
        return Candidate(trial.strategy, per_class, judged)

    def _seconds(self, trial: Trial) -> float:
        """Return what a trial costs now: of the rows whose features it needs, those that none has needed before."""
        if trial.strategy not in self.reading:
            return self.trials[trial]
        read = max((step.trial.touched for step in self.steps if step.trial.strategy in self.reading), default=0)
        return self.trials[trial] + self.read_seconds * max(trial.touched - read, 0)
