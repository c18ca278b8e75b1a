import json
from pathlib import Path
from typing import Any

import pytest

from advisor.decision.advice import Advice, recommend
from advisor.decision.finding import Finding, Standing
from advisor.decision.replay import read_record, replay
from advisor.files import write_json
from advisor.knowledge.interval import Interval
from advisor.knowledge.rulebase import load_rulebase
from advisor.machine import Machine
from advisor.profile import Profile

ANSWERS = {"task.type": "text-classification", "data.labelled": 600, "task.labels": ["a", "b", "c"], "compute.hours": 3}


@pytest.fixture
def advice(machine: Machine) -> Advice:
    profile = Profile(name="ours").with_answers({**ANSWERS, "compute.memory_gb": 7.5}, "file")
    return recommend(profile, machine=machine)


def finding(advice: Advice, strategy: str | None, **changed: Any) -> Finding:
    able = [c.strategy for c in advice.decision.candidates if c.feasible and c.engine == "encoder"]
    ordered = sorted(able, key=lambda one: one.id != strategy)
    stand = [
        Standing(
            strategy=one.id, family=one.family, expected=Interval(0.6, 0.8 - place / 50, 0.9), best=0.9 - place / 9,
            within=0.9, loss=place / 50, observed=[], train_seconds=1.0,
        )
        for place, one in enumerate(ordered)
    ]  # fmt: skip
    known: dict[str, Any] = {
        "strategy": strategy, "model": "m", "measure": "accuracy", "measure_title": "accuracy", "labelled": 600,
        "contenders": stand, "stopped": "sure", "margin": 0.01, "prefer": "quality", "seed": 1,
        "rules": advice.winner.strategy.id, "because": "it was measured",
    }  # fmt: skip
    return Finding(**known | changed)


def other(advice: Advice) -> str:
    return next(a.candidate.strategy.id for a in advice.alternatives if a.candidate.engine == "encoder")


def test_the_verdict_becomes_the_pilots(advice: Advice) -> None:
    wanted, before = other(advice), advice.winner.strategy.id
    measured = advice.with_finding(finding(advice, wanted))
    found = json.loads(json.dumps(measured.as_dict()))
    verdict = found["verdict"]
    assert (verdict["strategy"], verdict["strength"], verdict["certainty"]) == (wanted, "strong", "high")
    assert verdict["expected"]["quality"] == {"low": 0.6, "point": 0.8, "high": 0.9}
    assert found["rules_verdict"]["strategy"] == before
    assert found["pilot"]["overrides"] and found["pilot"]["contenders"][0]["strategy"] == wanted
    assert [reason["rule"] for reason in found["reasons"]] == ["pilot", advice.decision.rule.id]
    assert found["reasons"][1]["favours"] == before
    assert wanted not in {row["strategy"] for row in found["alternatives"]}
    told = next(row for row in found["alternatives"] if row["strategy"] == before)
    assert "against the best in hindsight" in told["why_not"][0]


def test_what_the_pilot_cannot_be_sure_of_is_conditional(advice: Advice) -> None:
    measured = advice.with_finding(finding(advice, other(advice), stopped="budget"))
    assert (measured.strength, measured.certainty, measured.contested) == ("conditional", "moderate", False)


def test_a_pilot_that_agrees_leaves_the_rules_among_the_reasons(advice: Advice) -> None:
    measured = advice.with_finding(finding(advice, advice.winner.strategy.id)).as_dict()
    assert not measured["pilot"]["overrides"]
    assert "favours" not in measured["reasons"][1]


def test_what_is_expected_in_another_measure_is_no_forecast_of_accuracy(advice: Advice) -> None:
    measured = advice.with_finding(finding(advice, other(advice), measure="macro_f1", measure_title="macro-F1"))
    before = {row["strategy"]: row["expected"]["quality"] for row in advice.as_dict()["alternatives"]}
    assert measured.as_dict()["verdict"]["expected"]["quality"] == before[measured.winner.strategy.id]


@pytest.mark.parametrize("changed", [{"strategy": None}, {"measurable": False}])
def test_what_was_not_measured_stays_with_the_rules(advice: Advice, changed: dict[str, Any]) -> None:
    left = advice.with_finding(finding(advice, **{"strategy": other(advice)} | changed))
    assert left.winner is advice.winner
    assert left.as_dict()["verdict"] == advice.as_dict()["verdict"]
    assert left.as_dict()["pilot"]["decides"] is False


def test_a_measured_advice_is_replayed_by_what_the_rules_had_said(advice: Advice, tmp_path: Path) -> None:
    write_json(tmp_path / "record.json", advice.with_finding(finding(advice, other(advice))).as_dict())
    assert replay(read_record(tmp_path / "record.json"), load_rulebase()).same
