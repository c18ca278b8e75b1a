import pytest
import z3
from hypothesis import given
from hypothesis import strategies as st

from advisor.knowledge.conditions import Condition, Group
from advisor.knowledge.conditions import Test as Comparison
from advisor.knowledge.vocabulary import Value
from advisor.verification.terms import AtLeast, Number, Quantity, Ratio, Word, YesNo, truth

WORDS = ("never", "weekly", "daily")
LIMITS = {"half": 2.5, "whole": 3.0}
COMPARISONS = st.sampled_from(["is", "not", "below", "at most", "above", "at least"])
WHOLE, SHARE, MEAN, RAISED = "data.labelled", "data.label_noise", "labels_per_class", "mean_per_class"


def number(name: str) -> st.SearchStrategy[Condition]:
    plain = st.builds(Comparison, st.just(name), COMPARISONS, st.sampled_from([0.0, 1.0, 2.5, 3.0, 0.1]))
    named = st.builds(Comparison, st.just(name), COMPARISONS, st.none(), st.sampled_from([*LIMITS, WHOLE, SHARE]))
    return plain | named


LEAVES = (
    number(WHOLE)
    | number(SHARE)
    | st.builds(Comparison, st.sampled_from([MEAN, RAISED]), COMPARISONS, st.sampled_from([0.5, 1.0, 1.5, 2.5]))
    | st.builds(Comparison, st.just("pace"), st.sampled_from(["is", "not"]), st.sampled_from([*WORDS, "hourly"]))
    | st.builds(Comparison, st.just("usable"), st.sampled_from(["is", "not"]), st.booleans())
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(Group, st.sampled_from(["any", "all"]), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=6,
)


@given(
    CONDITIONS,
    st.none() | st.integers(0, 4),
    st.none() | st.sampled_from([0.0, 0.1, 2.5, 3.0]),
    st.none() | st.integers(0, 3),
    st.none() | st.sampled_from(WORDS),
    st.none() | st.booleans(),
)
def test_a_condition_is_true_false_or_unknown_as_in_its_evaluation(
    condition: Condition,
    whole: int | None,
    share: float | None,
    floor: int | None,
    pace: str | None,
    usable: bool | None,
) -> None:
    values: dict[str, Value] = {WHOLE: whole, SHARE: share, "pace": pace, "usable": usable}
    values[MEAN] = None if whole is None else whole / 2
    values[RAISED] = None if whole is None else max(whole / 2, floor or 0)
    count = Number(z3.BoolVal(whole is not None), z3.IntVal(whole or 0))
    terms: dict[str, Quantity] = {
        WHOLE: count,
        SHARE: Number(z3.BoolVal(share is not None), z3.Q(*(share or 0.0).as_integer_ratio())),
        MEAN: Ratio(count, Number(z3.BoolVal(True), z3.IntVal(2))),
        RAISED: AtLeast(
            Ratio(count, Number(z3.BoolVal(True), z3.IntVal(2))),
            Number(z3.BoolVal(floor is not None), z3.IntVal(floor or 0)),
        ),
        "pace": Word(z3.BoolVal(pace is not None), z3.IntVal(WORDS.index(pace) if pace else 0), WORDS),
        "usable": YesNo(z3.BoolVal(usable is not None), z3.BoolVal(bool(usable))),
    }
    found = truth(condition, terms.__getitem__, LIMITS)
    held = condition.evaluate(values, LIMITS)
    assert z3.is_true(z3.simplify(found.true)) is (held is True)
    assert z3.is_true(z3.simplify(found.false)) is (held is False)


@pytest.mark.parametrize("relation", ["is", "not", "below", "at most", "above", "at least"])
def test_a_whole_number_is_compared_with_a_fraction_exactly(relation: str) -> None:
    for whole in range(5):
        for limit in (1.0, 2.5, 3.0):
            number = Number(z3.BoolVal(True), z3.IntVal(whole))
            held = Comparison("data.labelled", relation, limit).evaluate({"data.labelled": whole}, {})
            assert z3.is_true(z3.simplify(number.test(relation, limit))) is held
