"""Break-even: answers after which a small tuned model has paid for itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.estimates.break_even import break_even_answers
from advisor.estimates.forecast import Forecast
from advisor.knowledge.interval import Interval

NOTHING = Interval.exactly(0.0)
TUNED = Forecast(None, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, Interval(1.0, 2.0, 4.0), NOTHING, NOTHING)
PROMPTED = replace(TUNED, train_usd=NOTHING, usd_per_1000=Interval(0.5, 1.0, 2.0))


def test_what_it_takes_over_what_an_answer_saves() -> None:
    found = break_even_answers(PROMPTED, TUNED, labelling_usd=8.0)
    assert found == Interval(1000 * 9 / 2, 1000 * 10 / 1, 1000 * 12 / 0.5)


@pytest.mark.parametrize("price", [None, NOTHING])
def test_a_prompt_that_costs_nothing_or_nobody_knows_what_is_never_made_up_for(price: Interval | None) -> None:
    assert break_even_answers(replace(PROMPTED, usd_per_1000=price), TUNED, 1.0) is None


@given(price=st.floats(0.01, 100), labelling=st.floats(0, 1e5))
def test_a_dearer_prompt_is_made_up_for_sooner(price: float, labelling: float) -> None:
    cheap = break_even_answers(replace(PROMPTED, usd_per_1000=Interval.exactly(price)), TUNED, labelling)
    dear = break_even_answers(replace(PROMPTED, usd_per_1000=Interval.exactly(2 * price)), TUNED, labelling)
    assert cheap and dear and dear.point < cheap.point and cheap.low <= cheap.point <= cheap.high
