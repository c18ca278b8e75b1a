"""Random answers, and the slow, obvious way to look for what changes a verdict."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from advisor.decision.decide import Decision, decide_answers
from advisor.decision.facts import with_answer
from advisor.decision.steps import Steps
from advisor.errors import AdvisorError
from advisor.knowledge.rulebase import RuleBase, load_rulebase
from advisor.knowledge.vocabulary import FACTS
from advisor.machine import Machine
from advisor.profile import INPUTS

BASE = load_rulebase()
MACHINE = Machine(cores=4, memory_bytes=16_000_000_000, units="avx2", gpu=False)
MODELS = ("auto", "google-bert/bert-base-uncased", "google-bert/bert-large-uncased")
FREE_TEXT = {name for name, fact in FACTS.items() if fact.kind == "word" and not fact.choices and name in INPUTS}
ASKED = [name for name in FACTS if name in INPUTS and name not in FREE_TEXT]


def random_value(name: str, generator: random.Random) -> Any:
    fact, asked = FACTS[name], INPUTS[name]
    if fact.kind == "yes-no":
        return generator.random() < 0.5
    if fact.choices:
        return generator.choice(fact.choices)
    drawn = 10 ** generator.uniform(-1, 4.5)
    if asked.high <= 1:
        drawn = generator.random() * asked.high
    return round(min(max(drawn, asked.low), asked.high)) if asked.kind is int else float(f"{drawn:.3g}")


def random_answers(generator: random.Random, share: float = 0.5) -> dict[str, Any]:
    """Answers of a project: task and labels always, other inputs with the probability ``share``."""
    answers: dict[str, Any] = {"task.type": random_value("task.type", generator)}
    answers["data.labelled"] = int(10 ** generator.uniform(0, 5)) - 1
    for name in ASKED:
        if name not in answers and generator.random() < share:
            answers[name] = random_value(name, generator)
    if "data.smallest_class" in answers:
        answers["data.smallest_class"] %= answers["data.labelled"] + 1
    if generator.random() < share:
        answers["model.base"] = generator.choice(MODELS)
    return answers


def shuffled(generator: random.Random) -> RuleBase:
    """A rule base of the same rows in another order, so that other rows meet."""
    return replace(BASE, rules=tuple(generator.sample(BASE.rules, len(BASE.rules))))


def decided(answers: Mapping[str, Any], base: RuleBase = BASE) -> Decision | None:
    try:
        return decide_answers(answers, base, MACHINE)
    except AdvisorError:
        return None


def strategy_of(answers: Mapping[str, Any], base: RuleBase = BASE) -> str | None:
    found = decided(answers, base)
    return found.winner.strategy.id if found else None


def limits_of(decision: Decision) -> set[float]:
    """Return every number that anything is compared with, and what those mean in labels."""
    base, facts = decision.base, decision.facts.values
    numbers = {float(threshold.value) for threshold in base.thresholds.values()} | {0.0, 1.0, 2.0}
    rows = [*base.rules, *(row for rows in base.requirements.values() for row in rows)]
    tests = [test for row in rows for test in row.condition.tests()]
    numbers |= {float(test.value) for test in tests if isinstance(test.value, int | float)}
    for candidate in decision.candidates:
        numbers |= {
            float(value)
            for name, value in candidate.facts.items()
            if name.startswith("need.") and isinstance(value, int | float)
        }
    labelled = facts.get("data.labelled")
    for each in (facts.get("labels_per_class"), facts.get("mean_per_class")):
        if labelled and each:
            numbers |= {number * float(labelled) / float(each) for number in set(numbers)}
    return numbers


def steps_to_try(decision: Decision, name: str, steps: Steps, generator: random.Random) -> Iterator[float]:
    """Yield values of an input: beside everything it may be compared with, and some at random."""
    places = {
        place + beside
        for number in limits_of(decision)
        if number >= 0
        for place in [steps.at_most(min(number, 1e12))]
        for beside in (-1, 0, 1)
    }
    places |= {generator.randint(steps.first, steps.last) for _ in range(5)}
    places |= {steps.at_most(10 ** generator.uniform(-2, 5)) for _ in range(5)}
    for place in places:
        if steps.first <= place <= steps.last:
            yield steps[place]


def strategy_with(decision: Decision, name: str, value: Any) -> str | None:
    return strategy_of(with_answer(decision.answers, name, value), decision.base)
