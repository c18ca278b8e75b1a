import random

import pytest

from advisor.decision.candidates import candidates_of
from advisor.decision.decide import Decision
from advisor.decision.facts import project_facts, with_answer
from advisor.decision.nearby import Nearby
from advisor.decision.why_not import why_not
from advisor.profile import INPUTS
from advisor.strategies import STRATEGIES
from tests.decision.samples import BASE, MACHINE, decided, random_answers, strategy_of


def nearby(decision: Decision) -> Nearby:
    return Nearby(decision.answers, BASE, MACHINE)


def feasible(strategy: str, answers: dict) -> bool:  # type: ignore[type-arg]
    return any(c.feasible for c in candidates_of(strategy, project_facts(answers, BASE), BASE, MACHINE))


@pytest.mark.parametrize("seed", range(60))
def test_the_answers_named_keep_a_strategy_out_and_none_of_them_is_idle(seed: int) -> None:
    decision = decided(random_answers(random.Random(seed)))
    if decision is None:
        return
    around = nearby(decision)
    for strategy in STRATEGIES:
        found = why_not(decision, strategy, around)
        if strategy == decision.winner.strategy.id:
            assert found is None
            continue
        assert found is not None
        kept = {obstacle.input: obstacle.value for obstacle in found.obstacles}
        assert kept.items() <= dict(decision.answers).items()
        if found.status == "ruled out":
            assert not feasible(strategy, kept)
            continue
        place = BASE.rules.index(decision.rule)
        row, verdict = around.decided(kept) or (len(BASE.rules), None)
        assert row <= place
        assert verdict is not None and verdict.strategy != strategy
        for name in kept:
            row, verdict = around.decided({n: v for n, v in kept.items() if n != name}) or (len(BASE.rules), None)
            assert row > place or verdict is None or verdict.strategy == strategy


@pytest.mark.parametrize("seed", range(30))
def test_the_change_named_makes_it_the_verdict(seed: int) -> None:
    decision = decided(random_answers(random.Random(500 + seed)))
    if decision is None:
        return
    for strategy in STRATEGIES:
        found = why_not(decision, strategy, nearby(decision))
        if found and found.change:
            change = found.change
            assert strategy_of(with_answer(decision.answers, change.input, change.after)) == strategy


def test_an_obstacle_names_the_test_that_turns_on_it() -> None:
    decision = decided({
        "task.type": "text-classification", "task.kind": "common", "data.labelled": 420, "data.classes": 3,
        "compute.hours": 2, "task.languages": "en",
    })  # fmt: skip
    assert decision is not None
    found = why_not(decision, "full-fine-tuning", nearby(decision))
    assert found is not None
    assert found.change is not None
    assert INPUTS[found.change.input].actionable
    for obstacle in found.obstacles:
        assert obstacle.tests
    assert "task.languages" not in {obstacle.input for obstacle in found.obstacles}


def test_what_is_ruled_out_is_blamed_on_the_need_that_fails() -> None:
    decision = decided({
        "task.type": "text-classification", "data.labelled": 2000, "data.classes": 70,
        "constraints.model_access": "api-only", "constraints.data_may_leave": True, "compute.hours": 5,
    })  # fmt: skip
    assert decision is not None
    found = why_not(decision, "linear-probe", nearby(decision))
    assert found is not None
    assert found.status == "ruled out"
    assert [obstacle.input for obstacle in found.obstacles] == ["constraints.model_access"]
    assert any("constraints.model_access: weights" in test for test in found.obstacles[0].tests)
