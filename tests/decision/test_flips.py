import random
from typing import Any

import pytest

from advisor.decision.flips import Flip, flips
from advisor.decision.nearby import Nearby
from advisor.decision.questions import open_questions
from advisor.decision.steps import Steps, changes
from advisor.decision.sweep import Sweep
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS
from advisor.profile import INPUTS
from advisor.settings import load_settings
from tests.decision.samples import BASE, MACHINE, decided, random_answers, shuffled, steps_to_try, strategy_with

FARTHEST = load_settings("explanation.yaml")["farthest_label_flip"]


def check_flips(answers: dict[str, Any], generator: random.Random, base: RuleBase = BASE) -> int:
    """Compare the flips of some answers with the obvious way; return how many there are."""
    decision = decided(answers, base)
    if decision is None:
        return 0
    nearby = Nearby(decision.answers, base, MACHINE)
    found = flips(decision, nearby)
    for flip in found:
        assert strategy_with(decision, flip.input, flip.after) == flip.strategy != decision.winner.strategy.id
    for name, asked in INPUTS.items():
        now = decision.facts.values.get(name)
        if not asked.actionable or name not in FACTS or now is None:
            continue
        own = [flip for flip in found if flip.input == name]
        if FACTS[name].kind == "number":
            steps = Sweep(nearby, decision.candidates, name).steps
            check_number(decision, steps, name, float(now), own, generator)
        else:
            others = {strategy_with(decision, name, word) for word in FACTS[name].choices or (True, False)}
            assert {flip.strategy for flip in own} == others - {None, decision.winner.strategy.id}
    return len(found)


def check_number(decision: Any, steps: Steps, name: str, now: float, own: list[Flip], generator: random.Random) -> None:
    up = next((float(flip.after) for flip in own if flip.after > now), float("inf"))  # type: ignore[arg-type, operator]
    down = next((float(flip.after) for flip in own if flip.after < now), float("-inf"))  # type: ignore[arg-type, operator]
    for value in steps_to_try(decision, name, steps, generator):
        if name == "data.labelled" and not now <= value <= FARTHEST * now:
            continue
        if down < value < up:
            assert strategy_with(decision, name, value) in (None, decision.winner.strategy.id), (name, now, value, own)


@pytest.mark.parametrize("seed", range(60))
def test_the_nearest_flip_is_one_and_none_is_nearer(seed: int) -> None:
    generator = random.Random(seed)
    check_flips(random_answers(generator), generator)
    check_flips(random_answers(generator), generator, shuffled(generator))


@pytest.mark.slow
def test_flips_of_a_thousand_profiles_agree_with_brute_force() -> None:
    generator, count = random.Random(7), 0
    for _ in range(1000):
        count += check_flips(random_answers(generator), generator)
    assert count > 300


@pytest.mark.parametrize("seed", range(40))
def test_verdicts_nearby_are_those_decided_anew(seed: int) -> None:
    generator = random.Random(1000 + seed)
    answers = random_answers(generator)
    decision = decided(answers)
    if decision is None:
        return
    nearby = Nearby(answers, BASE, MACHINE)
    for _ in range(20):
        other = random_answers(generator, share=0.3)
        names = generator.sample(list(other), 2)
        changed = {**answers, **{name: other[name] for name in names}}
        for name in generator.sample(list(answers), 2):
            if name not in ("task.type", "data.labelled") and name not in names:
                del changed[name]
        expected = decided(changed)
        found = nearby.verdict(changed)
        assert found == ((expected.winner.strategy.id, expected.winner.engine) if expected else None)


@pytest.mark.parametrize("seed", range(20))
def test_open_questions_name_every_strategy_another_answer_leads_to(seed: int) -> None:
    generator = random.Random(2000 + seed)
    decision = decided(random_answers(generator, share=0.7))
    if decision is None:
        return
    nearby = Nearby(decision.answers, BASE, MACHINE)
    found = {question.input: set(question.strategies) for question in open_questions(decision, nearby)}
    for name in INPUTS:
        if name not in FACTS or name in decision.answers:
            continue
        values: list[Any] = list(FACTS[name].choices or (True, False))
        if FACTS[name].kind == "number":
            values = list(steps_to_try(decision, name, Sweep(nearby, decision.candidates, name).steps, generator))
        elif FACTS[name].kind == "word" and not FACTS[name].choices:
            continue
        reached = {strategy_with(decision, name, value) for value in values}
        assert reached - {None, decision.winner.strategy.id} <= found.get(name, set()), name


@pytest.mark.parametrize("name", ["compute.memory_gb", "data.labelled", "compute.hours", "data.label_noise"])
def test_steps_are_in_order_and_found_again(name: str) -> None:
    steps = Steps(INPUTS[name])
    generator = random.Random(3)
    for _ in range(300):
        place = generator.randint(steps.first, min(steps.last, 20_000) - 1)
        value = steps[place]
        assert value < steps[place + 1]
        assert steps.at_most(value) == place
        assert steps.at_most((value + steps[place + 1]) / 2) == place
        assert steps.upwards(value) == place + 1
        assert steps.downwards(value) == place - 1


def test_changes_are_found_from_either_side() -> None:
    def verdict(place: int) -> str:
        return "a" if place < 7 else "b" if place < 9 else "a" if place < 20 else "c"

    turns = [7, 9, 20]
    assert list(changes(verdict, 0, 30, turns, gradual=False)) == [(0, "a"), (7, "b"), (9, "a"), (20, "c")]
    assert list(changes(verdict, 30, 0, turns, gradual=False)) == [(30, "c"), (19, "a"), (8, "b"), (6, "a")]
    assert list(changes(verdict, 0, 30, [9, 20], gradual=True)) == [(0, "a"), (7, "b"), (9, "a"), (20, "c")]
    assert list(changes(verdict, 4, 4, [], gradual=True)) == [(4, "a")]
