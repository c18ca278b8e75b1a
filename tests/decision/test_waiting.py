import random
from pathlib import Path
from typing import Any

import pytest

from advisor.assets import asset
from advisor.decision.decide import decide_answers
from advisor.decision.facts import answers_of
from advisor.decision.waiting import worth_asking
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS
from advisor.profile import INPUTS, load_profile
from tests.decision.samples import ASKED, BASE, MACHINE, MODELS, decided, random_answers, random_value, shuffled

QUESTIONS = [name for name, asked in INPUTS.items() if asked.question]
PROFILES = sorted(asset("profiles").rglob("*.yaml"))
TOLD_BY_DATA = {
    "data.labelled": 420,
    "data.classes": 3,
    "data.smallest_class": 61,
    "data.tokens_median": 20,
    "data.tokens_p95": 60,
}


def outcome(answers: dict[str, Any], base: RuleBase) -> tuple[str, str] | None:
    found = decided(answers, base)
    return (found.winner.strategy.id, found.winner.engine) if found else None


def any_value(name: str, generator: random.Random) -> Any:
    if name == "model.base":
        return generator.choice([*MODELS, "someone/some-encoder"])
    if name == "task.languages":
        return generator.choice(["en", "de", "de,en"])
    fact = FACTS[name]
    if fact.kind == "number" and generator.random() < 0.3:
        asked = INPUTS[name]
        return generator.choice([asked.low + (1e-3 if asked.exceeds_low else 0), asked.high])
    return random_value(name, generator)


@pytest.mark.parametrize("seed", range(120))
def test_what_is_not_asked_makes_no_difference(seed: int) -> None:
    generator = random.Random(seed)
    base = shuffled(generator) if seed % 2 else BASE
    answers = random_answers(generator, share=generator.choice([0.3, 0.6, 0.9]))
    open_inputs = [name for name in (*ASKED, "model.base", "task.languages") if name not in answers]
    settled = generator.sample(open_inputs, len(open_inputs) // 3)
    still_open = [name for name in open_inputs if name not in settled]
    skipped = set(still_open) - set(worth_asking(answers, base, MACHINE, settled))
    for _ in range(12):
        others = {n: any_value(n, generator) for n in still_open if generator.random() < 0.6}
        others = {n: int(v) if n in INPUTS and INPUTS[n].kind is int else v for n, v in others.items()}
        if "data.smallest_class" in others:
            others["data.smallest_class"] %= answers["data.labelled"] + 1
        full = {**answers, **others}
        without = {name: value for name, value in full.items() if name not in skipped}
        assert outcome(full, base) == outcome(without, base), {name: others.get(name) for name in skipped}


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_shipped_profile_takes_at_most_half_of_the_questions(path: Path) -> None:
    profile = load_profile(path)
    full = answers_of(profile) | (TOLD_BY_DATA if profile.data.path else {})
    answers: dict[str, Any] = {}
    settled: set[str] = set()
    asked = 0
    left = len(QUESTIONS)
    while waiting := worth_asking(answers, BASE, MACHINE, settled):
        assert len(waiting) <= left
        asked, left = asked + 1, len(waiting) - 1
        if waiting[0] in full:
            answers[waiting[0]] = full[waiting[0]]
        else:
            settled.add(waiting[0])
    assert asked <= len(QUESTIONS) / 2
    expected, found = (decide_answers(known, BASE, MACHINE).winner for known in (full, answers))
    assert (found.strategy.id, found.engine) == (expected.strategy.id, expected.engine)


def test_the_task_and_the_labels_are_asked_first_and_without_them_nothing_else() -> None:
    assert worth_asking({}, BASE, MACHINE)[:2] == ["task.type", "data.labelled"]
    assert worth_asking({"data.labelled": 100}, BASE, MACHINE, {"task.type"}) == []


def test_a_decisive_answer_leaves_only_what_its_strategy_needs() -> None:
    answers: dict[str, Any] = {"task.type": "text-classification", "data.labelled": 420, "model.llm": "none"}
    answers["constraints.model_access"] = "weights"
    settled = {"task.languages", "model.base", "serving.latency_ms_p95", "serving.usd_per_1000"}
    assert "task.domain_shift" in worth_asking({**answers, "lifecycle.labels_change": "never"}, BASE, MACHINE, settled)
    assert worth_asking({**answers, "lifecycle.labels_change": "daily"}, BASE, MACHINE, settled) == []


def test_an_answer_that_implies_another_is_asked_for() -> None:
    """Access by API alone implies a language model that nobody named."""
    answers = {"task.type": "pair-classification", "data.labelled": 40, "constraints.data_may_leave": True}
    settled = set(QUESTIONS) - answers.keys() - {"constraints.model_access"}
    assert outcome(answers, BASE) != outcome({**answers, "constraints.model_access": "api-only"}, BASE)
    assert worth_asking(answers, BASE, MACHINE, settled) == ["constraints.model_access"]
