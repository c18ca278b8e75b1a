import pytest

from advisor.backend.prompted.endpoint.lengths import characters, measured_rate, sample

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
    assert (rate.tokens, rate.per_character) == pytest.approx((20, 0.25))
    assert rate.expected(4000) == pytest.approx(1020)


@pytest.mark.parametrize("long", [(40, 50), (840, 30), (840, 10)])
def test_two_prompts_that_tell_nothing_give_no_rate(long: tuple[int, int]) -> None:
    assert measured_rate((40, 30), long) is None
