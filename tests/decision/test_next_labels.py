import pytest

from advisor.decision.flips import flips
from advisor.decision.nearby import Nearby
from advisor.decision.next_labels import next_labels
from advisor.report.next_labels import next_labels_line
from advisor.settings import load_settings
from tests.decision.samples import BASE, MACHINE, decided, strategy_of

ANSWERS = {
    "task.type": "text-classification", "task.kind": "specialised", "data.labelled": 60, "data.classes": 3,
    "data.usd_per_label": 0.5, "compute.hours": 8, "model.llm": "none",
}  # fmt: skip


def test_more_labels_are_worth_what_the_priors_say() -> None:
    decision = decided(ANSWERS)
    assert decision is not None
    worth = next_labels(decision, flips(decision, Nearby(decision.answers, BASE, MACHINE)))
    assert worth is not None
    assert worth.labels == load_settings("explanation.yaml")["next_labels"]
    assert worth.usd == worth.labels * 0.5
    later = decided({**ANSWERS, "data.labelled": 60 + worth.labels})
    assert later is not None
    same = next(c for c in later.candidates if c.strategy.id == decision.winner.strategy.id)
    assert same.forecast is not None
    assert worth.advised.quality == same.forecast.quality
    assert 0 <= worth.advised.gain.low <= worth.advised.gain.point <= worth.advised.gain.high
    assert worth.other is not None
    assert worth.other.strategy != decision.winner.strategy.id


def test_the_count_where_the_verdict_flips_is_the_first() -> None:
    decision = decided(ANSWERS)
    assert decision is not None
    worth = next_labels(decision, flips(decision, Nearby(decision.answers, BASE, MACHINE)))
    assert worth is not None
    assert worth.flip is not None
    at = int(worth.flip.after)  # type: ignore[arg-type]
    assert strategy_of({**ANSWERS, "data.labelled": at}) == worth.flip.strategy
    assert strategy_of({**ANSWERS, "data.labelled": at - 1}) == decision.winner.strategy.id


@pytest.mark.parametrize("task", ["regression", "token-classification"])
def test_without_priors_nothing_is_said(task: str) -> None:
    decision = decided({"task.type": task, "data.labelled": 5000})
    assert decision is not None
    assert next_labels(decision, []) is None


def test_where_the_advice_takes_no_labels_it_is_told_what_would() -> None:
    decision = decided({**ANSWERS, "data.labelled": 0})
    assert decision is not None
    worth = next_labels(decision, [])
    assert worth is not None and worth.other is not None
    line = next_labels_line(worth.as_dict())
    assert line.startswith("The next 100 labels: +0.0 points [0.0–0.0] with zero-shot for $50; ")
    assert line.endswith(f"; {worth.other.strategy} would reach {worth.other.quality.point:.2f}.")


def test_without_a_price_labels_have_none() -> None:
    decision = decided({name: value for name, value in ANSWERS.items() if name != "data.usd_per_label"})
    assert decision is not None
    worth = next_labels(decision, [])
    assert worth is not None
    assert worth.usd is None
