import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.documents import parse_document
from advisor.errors import RuleBaseError
from advisor.knowledge.conditions import Condition, ConditionReader

LIMITS = {"few": 8.0, "many": 64.0}
UNITS = dict.fromkeys(LIMITS, "labels per class")


def read(text: str, *, about_candidates: bool = False) -> Condition:
    document = parse_document(text, "rules.yaml", kind=RuleBaseError)
    return ConditionReader(document, UNITS, about_candidates=about_candidates).read(document.data, ())


@pytest.mark.parametrize(
    ("text", "facts", "held"),
    [
        ("labels_per_class: below few", {"labels_per_class": 7}, True),
        ("labels_per_class: below few", {"labels_per_class": 8}, False),
        ("labels_per_class: at least few and below many", {"labels_per_class": 8}, True),
        ("labels_per_class: at least few and below many", {"labels_per_class": 64}, False),
        ("data.labelled: 0", {"data.labelled": 0}, True),
        ("lifecycle.facts_change: weekly or daily", {"lifecycle.facts_change": "daily"}, True),
        ("lifecycle.facts_change: not never", {"lifecycle.facts_change": "never"}, False),
        ("task.type: not generation", {"task.type": None}, None),
        ("constraints.air_gapped: no", {"constraints.air_gapped": False}, True),
        ("compute.hours: above serving.latency_ms_p95", {}, "error"),
        ("any: [{data.labelled: 0}, {llm_usable: yes}]", {"data.labelled": 5, "llm_usable": True}, True),
        ("any: [{data.labelled: 0}, {llm_usable: yes}]", {"data.labelled": 5, "llm_usable": None}, None),
        ("all: [{data.labelled: 0}, {llm_usable: yes}]", {"data.labelled": 5, "llm_usable": None}, False),
        ("{}", {}, True),
    ],
)
def test_evaluation(text: str, facts: dict[str, object], held: object) -> None:
    if held == "error":
        with pytest.raises(RuleBaseError, match="is in hours"):
            read(text)
        return
    assert read(text).evaluate(facts, LIMITS) is held  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "labels_per_clas: 3",
            "rules.yaml:1:1: there is no fact 'labels_per_clas'; did you mean 'labels_per_class'?",
        ),
        ("labels_per_class: below fwe", "no number, threshold or fact 'fwe'; did you mean 'few'?"),
        ("labels_per_class: '>= 3'", "is not a number or a comparison"),
        ("labels_per_class: yes", "is not a number or a comparison"),
        ("task.type: clasification", "task.type is never 'clasification'"),
        ("constraints.air_gapped: maybe", "constraints.air_gapped is yes or no"),
        ("classes: below few", "classes is in classes, few in labels per class"),
        ("labels_per_class: below nan", "no number, threshold or fact 'nan'"),
        ("task.type: 3", "task.type is a word, not a number"),
        ("need.latency_ms: below few", "there is no fact 'need.latency_ms'"),
        ("any: {data.labelled: 0}", "'any' holds a list"),
        ("3", "a condition maps facts"),
    ],
)
def test_faults_are_pointed_at(text: str, message: str) -> None:
    with pytest.raises(RuleBaseError) as caught:
        read(text)
    assert message in str(caught.value)
    assert caught.value.exit_code == 5


def test_the_trace_names_values() -> None:
    condition = read("labels_per_class: at least few and below many")
    outcomes = condition.trace({"labels_per_class": 70}, LIMITS)
    assert [(o.text, o.held) for o in outcomes] == [
        ("labels_per_class: at least few (8)", True),
        ("labels_per_class: below many (64)", False),
    ]


three_valued = st.sampled_from([True, False, None])


@given(st.lists(three_valued, min_size=1, max_size=5), st.sampled_from(["all", "any"]))
def test_groups_follow_kleene(values: list[bool | None], kind: str) -> None:
    names = [
        "llm_usable",
        "constraints.air_gapped",
        "task.world_knowledge",
        "constraints.data_may_leave",
        "lifecycle.keep_general_skills",
    ]
    cells = ", ".join(f"{{{name}: yes}}" for name in names[: len(values)])
    found = read(f"{kind}: [{cells}]").evaluate(dict(zip(names, values, strict=False)), LIMITS)
    if kind == "all":
        expected = False if False in values else None if None in values else True
    else:
        expected = True if True in values else None if None in values else False
    assert found is expected


@given(st.dictionaries(st.sampled_from(["labels_per_class", "llm_usable"]), st.one_of(st.none(), st.integers(0, 100))))
def test_knowing_more_never_turns_a_verdict_round(facts: dict[str, int | None]) -> None:
    condition = read("labels_per_class: at least few\nany: [{llm_usable: yes}, {data.labelled: 0}]")
    partly = condition.evaluate(facts, LIMITS)
    fully = condition.evaluate(
        {"labels_per_class": 9, "llm_usable": True, "data.labelled": 0}
        | {k: v for k, v in facts.items() if v is not None},
        LIMITS,
    )
    assert partly is None or partly is fully
