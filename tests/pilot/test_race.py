from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from advisor.pilot.outlook import Candidate, Measured
from advisor.pilot.race import Race
from advisor.pilot.trials import Trial
from advisor.settings import load_settings

ROWS = np.arange(40)


@dataclass(frozen=True)
class Guess:
    """An outlook that takes what was measured last for the truth, and is sure of a strategy once it was measured."""

    strategies: tuple[str, ...] = ("probe", "tuned")
    seen: tuple[Measured, ...] = ()
    sure_of: str | None = None
    worths: tuple[tuple[str, float], ...] = (("probe", 0.1), ("tuned", 0.2))

    def after(self, measured: Sequence[Measured]) -> "Guess":
        return replace(self, seen=tuple(measured))

    def within(self, strategy: str, per_class: float, margin: float) -> float:
        return 0.95 if strategy == self.sure_of and any(one.strategy == strategy for one in self.seen) else 0.3

    def expected(self, strategy: str, per_class: float) -> float:
        return 0.7

    def worth(self, candidates: Sequence[Candidate], per_class: float) -> list[float]:
        return [dict(self.worths)[one.strategy] for one in candidates]


def trial(strategy: str, name: str = "half", short: bool = False) -> Trial:
    return Trial(strategy, ((ROWS[:20], ROWS[20:]),), name, short)


def race(prior: Any, trials: dict[Trial, float], **changed: Any) -> Race:
    made: list[str] = []

    def measure(one: Trial) -> float:
        made.append(one.key)
        return 0.8

    known: dict[str, Any] = {
        "read_seconds": 0.1, "reading": frozenset({"probe"}), "classes": 2, "rows": 40, "budget": 100.0,
        "rules": load_settings("pilot.yaml"), "measure": measure,
    }  # fmt: skip
    return Race(prior=prior, trials=trials, **known | changed)


def keys(found: Race) -> list[str]:
    return [step.trial.key for step in found.steps]


def test_the_most_worth_a_second_comes_first() -> None:
    rules = load_settings("pilot.yaml") | {"opening": 0.0}
    found = race(Guess(), {trial("tuned"): 20.0, trial("probe"): 1.0}, rules=rules)
    assert found.run()[1] == "nothing worth it"
    assert keys(found) == ["probe half", "tuned half"]
    found = race(Guess(), {trial("tuned"): 5.0, trial("probe"): 1.0}, rules=rules)
    found.run()
    assert keys(found) == ["tuned half", "probe half"]


def test_what_leaves_the_encoder_as_it_is_opens_where_it_is_cheap() -> None:
    worths = (("probe", 0.0), ("tuned", 0.2))
    found = race(Guess(worths=worths), {trial("tuned"): 1.0, trial("probe"): 1.0})
    found.run()
    assert keys(found) == ["probe half", "tuned half"]
    found = race(Guess(worths=worths), {trial("tuned"): 1.0, trial("probe"): 1.0}, budget=10.0)
    found.run()
    assert keys(found) == ["tuned half"]


def test_features_are_read_once() -> None:
    found = race(Guess(), {trial("probe", "a"): 1.0, trial("probe", "b"): 1.0, trial("tuned"): 20.0})
    found.run()
    assert [step.seconds for step in found.steps] == [5.0, 1.0, 20.0]


def test_the_budget_is_kept() -> None:
    found = race(Guess(), {trial("probe"): 1.0, trial("tuned"): 20.0}, budget=24.0)
    assert found.run()[1] == "budget"
    assert keys(found) == ["probe half"]
    assert found.spent == 5.0


def test_it_stops_once_one_is_good_enough() -> None:
    found = race(Guess(sure_of="probe"), {trial("tuned"): 20.0, trial("probe"): 1.0})
    assert found.run()[1] == "sure"
    assert keys(found) == ["probe half"]


def test_what_is_worth_nothing_is_not_measured() -> None:
    found = race(Guess(worths=(("probe", 0.1), ("tuned", 0.0))), {trial("tuned"): 20.0, trial("probe"): 1.0})
    assert found.run()[1] == "nothing worth it"
    assert keys(found) == ["probe half"]


def test_an_emergency_stops_it() -> None:
    found = race(Guess(), {trial("tuned"): 20.0, trial("probe"): 1.0}, overrun=lambda: True)
    assert found.run()[1] == "time"
    assert not found.steps


def test_halves_of_one_size_count_together_and_short_ones_apart() -> None:
    trials = {trial("tuned", "a"): 1.0, trial("tuned", "b"): 1.0, trial("tuned", "a", short=True): 1.0}
    found = race(Guess(), trials)
    found.run()
    whole, short = sorted(found.measured(), key=lambda one: -one.judged)
    assert (whole.judged, whole.rows, whole.per_class) == (40, 20, 10)
    assert short.judged < 20


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_shortened_training_never_counts_for_more(value: float) -> None:
    found = race(Guess(), {})
    counted = [found.worth_of(judged, value) for judged in (1, 10, 100, 10_000)]
    assert counted == sorted(counted)
    assert counted[0] == 1 and counted[-1] < 1000
