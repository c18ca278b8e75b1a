import pytest

from advisor.backend.prompted.endpoint.lengths import characters, halves, measured_rate, sample

TURN = [{"role": "user", "content": "q" * 50}, {"role": "assistant", "content": "a" * 10}]
QUESTION = {"role": "user", "content": "q" * 50}


def test_a_sample_of_many_demonstrations_is_the_last_of_them() -> None:
    messages = [{"role": "system", "content": "s"}, *TURN * 100, QUESTION]
    part = sample(messages, 800)
    assert part == messages[-len(part) :]
    assert part[0]["role"] == "user"
    assert 800 <= characters(part) < 900


@pytest.mark.parametrize(
    "messages",
    [
        [{**QUESTION, "content": "word " * 1000}],
        [*TURN, {**QUESTION, "content": "w" * 5000}],
        [{**TURN[0], "content": "w" * 5000}, TURN[1], QUESTION],
    ],
)
def test_a_sample_of_long_messages_is_pieces_of_them(messages: list[dict[str, str]]) -> None:
    (part,) = sample(messages, 800)
    assert part["role"] == "user"
    assert len(part["content"]) == 803


def test_the_rate_is_a_line_through_two_prompts() -> None:
    rate = measured_rate((40, 30), (840, 230))
    assert rate is not None
    assert (rate.tokens, rate.per_byte) == pytest.approx((20, 0.25))
    assert rate.expected(4000) == pytest.approx(1020)
    assert rate.allowing(420, 4000).expected(4000) == pytest.approx(420)
    assert rate.allowing(2000, 4000) == rate


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "s" * 30}, *TURN * 100, QUESTION],
        [*TURN * 3, {**QUESTION, "content": "w" * 5000}],
        [{"role": "system", "content": "s" * 30}, {**QUESTION, "content": "w" * 5001}],
        [{**QUESTION, "content": "w" * 5000}, TURN[1], *TURN, QUESTION],
    ],
)
def test_halves_are_prompts_of_about_the_same_length(messages: list[dict[str, str]]) -> None:
    first, second = halves(messages)
    whole = characters(messages)
    assert whole - 10 <= characters(first) + characters(second) <= whole
    assert abs(characters(first) - characters(second)) <= 60
    for half in (first, second):
        assert half[-1]["role"] == "user"
    assert second[0]["role"] == "user"


@pytest.mark.parametrize("long", [(40, 50), (840, 30), (840, 10)])
def test_two_prompts_that_tell_nothing_give_no_rate(long: tuple[int, int]) -> None:
    assert measured_rate((40, 30), long) is None
