from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.decision.advice import recommend
from advisor.decision.decide import decide_answers
from advisor.decision.facts import answers_of, with_answer
from advisor.decision.stability import stability
from advisor.decision.waiting import worth_asking
from advisor.errors import AdvisorError, NoFeasibleStrategy, Undecided
from advisor.knowledge.rulebase import load_rulebase
from advisor.knowledge.vocabulary import FACTS
from advisor.machine import Machine
from advisor.profile import INPUTS, Profile

BASE = load_rulebase()
MACHINE = Machine(cores=4, memory_bytes=16_000_000_000, units="avx2", gpu=False)


def profile_of(**answers: Any) -> Profile:
    return Profile().with_answers({name.replace("__", "."): value for name, value in answers.items()}, "file")


def test_without_the_deciding_answers_it_says_which() -> None:
    with pytest.raises(Undecided, match=r"data.labelled"):
        recommend(profile_of(task__type="text-classification"), machine=MACHINE)


def test_nothing_feasible_names_what_to_relax() -> None:
    profile = profile_of(task__type="text-classification", data__labelled=100, serving__latency_ms_p95=0.01)
    with pytest.raises(NoFeasibleStrategy, match="Relaxing 'latency' would help most"):
        recommend(profile, machine=MACHINE)


def test_tagging_without_labels_or_a_language_model_is_no_job_for_anything() -> None:
    with pytest.raises(NoFeasibleStrategy, match="labels"):
        recommend(profile_of(task__type="token-classification", data__labelled=0, model__llm="none"), machine=MACHINE)


def test_what_does_not_fit_is_ruled_out_with_numbers() -> None:
    profile = profile_of(
        task__type="text-classification", data__labelled=5000, data__classes=3, compute__memory_gb=6,
        model__base="google-bert/bert-large-uncased",
    )  # fmt: skip
    advice = recommend(profile, machine=MACHINE).as_dict()
    excluded = {entry["strategy"]: " ".join(entry["because"]) for entry in advice["excluded"]}
    assert "GB to train, 6 GB there" in excluded["full-fine-tuning"]
    assert advice["verdict"]["strategy"] == "partial-unfreezing"


def test_data_that_may_not_leave_never_go_to_an_api() -> None:
    profile = profile_of(
        task__type="text-classification", data__labelled=50, data__classes=2, model__llm="api",
        model__llm_strength="frontier", constraints__data_may_leave=False,
    )  # fmt: skip
    assert recommend(profile, machine=MACHINE).winner.engine == "encoder"


def test_assumed_values_are_listed_and_those_that_matter_asked() -> None:
    profile = profile_of(task__type="text-classification", data__labelled=420, data__classes=3)
    advice = recommend(profile, machine=MACHINE).as_dict()
    assert advice["assumed"]["lifecycle.labels_change"] == "never"
    asked = {question["input"]: question["could_become"] for question in advice["questions"]}
    assert "few-shot" in asked["lifecycle.labels_change"]
    assert not set(asked) & {name for name, _ in profile.answered()}


def test_a_flip_flips() -> None:
    profile = profile_of(task__type="text-classification", data__labelled=300, data__smallest_class=45, data__classes=5)
    advice = recommend(profile, machine=MACHINE)
    assert advice.flips
    for flip in advice.flips:
        answers = with_answer(advice.decision.answers, flip.input, flip.after)
        assert decide_answers(answers, BASE, MACHINE).winner.strategy.id == flip.strategy


def test_more_labels_than_a_threshold_are_stable() -> None:
    sure = recommend(
        profile_of(task__type="text-classification", data__labelled=90000, data__classes=3, compute__hours=500),
        machine=MACHINE,
    )
    unsure = recommend(
        profile_of(task__type="text-classification", data__labelled=570, data__classes=3), machine=MACHINE
    )
    assert sure.stability == 1.0
    assert 0.0 < unsure.stability < 1.0


def test_nothing_is_asked_that_is_answered() -> None:
    profile = profile_of(
        task__type="text-classification", data__labelled=420, data__classes=3, lifecycle__facts_change="daily"
    )
    decision = recommend(profile, machine=MACHINE).decision
    assert not set(worth_asking(decision.answers, BASE, MACHINE)) & set(decision.answers)


def value_of(name: str) -> st.SearchStrategy[Any]:
    fact = FACTS[name]
    if fact.kind == "yes-no":
        return st.booleans()
    if fact.choices:
        return st.sampled_from(fact.choices)
    if name in {"data.labelled", "data.smallest_class", "data.unlabelled"}:
        return st.integers(0, 100_000)
    if name == "model.base":
        return st.sampled_from(["auto", "google-bert/bert-base-uncased"])
    return st.integers(2, 500) if INPUTS[name].kind is int else st.floats(0.01, 400)


ANSWERS = st.fixed_dictionaries(
    {
        "task.type": st.sampled_from(["text-classification", "pair-classification", "generation"]),
        "data.labelled": st.integers(0, 100_000),
    },
    optional={
        name: value_of(name)
        for name in FACTS
        if name in INPUTS and name not in {"task.type", "data.labelled", "model.llm_name"}
    },
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS)
def test_any_answers_give_a_feasible_verdict_or_a_sentence(answers: dict[str, Any]) -> None:
    try:
        decision = decide_answers(answers, BASE, MACHINE)
    except AdvisorError as error:
        assert error.exit_code in {2, 3, 4}
        return
    assert decision.winner.feasible
    assert decision.rule.condition.evaluate(decision.facts.values, BASE.limits)
    assert decision.rule.recommend == decision.winner.strategy.id
    again = decide_answers(dict(answers), BASE, MACHINE)
    assert again.winner == decision.winner
    assert 0.0 <= stability(decision) <= 1.0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS, st.integers(1, 50_000))
def test_more_memory_never_removes_an_option(answers: dict[str, Any], extra: int) -> None:
    memory = float(answers.get("compute.memory_gb", 8))
    more = {**answers, "compute.memory_gb": memory + extra}
    before = {c.strategy.id for c in _feasible({**answers, "compute.memory_gb": memory})}
    assert before <= {c.strategy.id for c in _feasible(more)}


def _feasible(answers: dict[str, Any]) -> list[Any]:
    from advisor.decision.candidates import candidates
    from advisor.decision.facts import project_facts

    return [c for c in candidates(project_facts(answers, BASE), BASE, MACHINE) if c.feasible]


def test_answers_of_a_profile_count_labels() -> None:
    profile = profile_of(task__labels={"a": None, "b": None, "c": None})
    assert answers_of(profile)["data.classes"] == 3
