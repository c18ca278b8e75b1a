import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.backend.prompted.endpoint.answer import Answer, Likely, Step, kept_answer, read_answer
from advisor.backend.prompted.endpoint.choosing import chosen, likelihoods, sure_scores, tokens_to_tell


def step(taken: str, **likeliest: float) -> Step:
    told = tuple(Likely(text.encode(), math.log(p)) for text, p in likeliest.items())
    return Step(next(one for one in told if one.text == taken.encode()), told)


def found(*steps: Step, choices: tuple[str, ...]) -> list[float]:
    scores = likelihoods(told(*steps), choices, 0.05)
    assert scores is not None
    return np.exp(scores).tolist()


def told(*steps: Step, whole: bool = True) -> Answer:
    return Answer("", whole, steps, 1, 1, True)


def said(text: str, *, whole: bool = True) -> Answer:
    return Answer(text, whole, (), 1, 1, True)


def test_whole_words_have_their_probability() -> None:
    scores = found(step("good", good=0.7, bad=0.2, other=0.1), choices=("good", "bad"))
    assert scores == pytest.approx([0.7, 0.2])


def test_beginnings_spaces_quotes_and_case_count() -> None:
    tokens = {" Pos": 0.4, "positive": 0.2, '"pos': 0.1, "Neg": 0.2, "x": 0.1}
    assert found(step(" Pos", **tokens), choices=("positive", "negative")) == pytest.approx([0.7, 0.2])


def test_choices_with_one_beginning_are_told_apart_by_the_next_token() -> None:
    steps = (step("very", very=0.8, quite=0.2), step(" good", **{" good": 0.75, " bad": 0.25}))
    scores = found(*steps, choices=("very good", "very bad", "quite fine"))
    assert scores == pytest.approx([0.6, 0.2, 0.2])


def test_choices_share_what_a_token_not_taken_begins() -> None:
    scores = found(step("fine", fine=0.5, very=0.4, no=0.1), choices=("very good", "very bad", "fine"))
    assert scores == pytest.approx([0.2, 0.2, 0.5])


def test_a_choice_that_begins_another_ends_where_the_answer_does() -> None:
    steps = (step("good", good=1.0), step("<end>", **{"<end>": 0.6, " enough": 0.3, "ness": 0.1}))
    assert found(*steps, choices=("good", "good enough")) == pytest.approx([0.6, 0.3])


def test_an_answer_that_ends_on_a_choice_that_begins_another_is_that_one() -> None:
    taken = step("1", **{"1": 0.7, "2": 0.2, "3": 0.05})
    assert likelihoods(told(taken), ("1", "10", "2"), 0.05) == pytest.approx(np.log([0.7, 0.05, 0.2]), abs=1e-5)
    cut = likelihoods(told(taken, whole=False), ("1", "10", "2"), 0.05)
    assert cut == pytest.approx(np.log([0.35, 0.35, 0.2]), abs=1e-5)


def test_a_choice_with_a_token_of_its_own_is_begun_by_no_other() -> None:
    scores = found(step("7", **{"7": 0.5, "1": 0.3, "10": 0.1, "x": 0.1}), choices=("1", "7", "10"))
    assert scores == pytest.approx([0.3, 0.5, 0.1])
    scores = found(step("7", **{"7": 0.5, "1": 0.4, "x": 0.1}), choices=("1", "7", "10"))
    assert scores == pytest.approx([0.2, 0.5, 0.2])


def test_an_unseen_choice_is_below_every_seen_one() -> None:
    scores = found(step("a", a=0.9, b=0.06, z=0.03), choices=("a", "b", "c"))
    assert scores[2] == pytest.approx(0.01)
    assert scores[2] < scores[1]


def test_an_answer_that_means_to_say_something_else_tells_nothing() -> None:
    assert likelihoods(told(step("The", The=0.9, Well=0.09, good=0.01)), ("good", "bad"), 0.05) is None
    assert likelihoods(told(), ("good", "bad"), 0.05) is None
    assert likelihoods(told(Step(Likely(b"good", -0.1), ())), ("good", "bad"), 0.05) is None


def test_choices_that_differ_by_case_alone_are_told_apart() -> None:
    assert found(step("A", A=0.6, a=0.4), choices=("A", "a")) == pytest.approx([0.6, 0.4])


def test_tokens_that_end_within_a_letter_are_put_together() -> None:
    first, second = "好".encode(), "坏".encode()
    tokens = (Likely(first[:2], math.log(0.7)), Likely(second[:2], math.log(0.3)))
    scores = likelihoods(told(Step(tokens[0], tokens)), ("好", "坏"), 0.05)
    assert scores is not None
    assert np.exp(scores).tolist() == pytest.approx([0.7, 0.3])


@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=2, max_size=6, unique=True), st.data())
def test_told_letter_by_letter_every_choice_taken_whole_gets_its_probability(
    choices: list[str], data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.floats(0.05, 1), min_size=len(choices), max_size=len(choices)))
    probability = dict(zip(choices, (weight / sum(weights) for weight in weights), strict=True))
    taken = max(choices, key=lambda choice: probability[choice])
    steps = []
    for place in range(len(taken) + 1):
        alive = {c: p for c, p in probability.items() if c.startswith(taken[:place]) and len(c) >= place}
        share: dict[str, float] = {}
        for choice, p in alive.items():
            token = choice[place : place + 1] or "."
            share[token] = share.get(token, 0) + p / sum(alive.values())
        steps.append(step(taken[place : place + 1] or ".", **share))
    scores = found(*steps, choices=tuple(choices))
    assert scores[choices.index(taken)] == pytest.approx(probability[taken], abs=1e-6)
    assert sum(scores) == pytest.approx(1, abs=1e-4) or min(scores) > 0


@pytest.mark.parametrize(
    ("choices", "tokens"),
    [(("yes", "no"), 2), (("negative", "neutral"), 4), (("a",), 2), (("very good", "very bad"), 7),
     (("x" * 90 + "a", "x" * 90), 32)],
)  # fmt: skip
def test_only_as_many_tokens_are_asked_for_as_tell_the_choices_apart(choices: tuple[str, ...], tokens: int) -> None:
    assert tokens_to_tell(choices, 32) == tokens


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("good", 0), (" Good. ", 0), ('"bad"', 1), ("**good**", 0), ('{"answer": "bad"}', 1), ("good\nbecause", 0),
        ('```json\n{"answer": "good"}\n```', 0), ("good enough", 2), ("good enough, I think", 2), ("goodness", None),
        ("not good", None), ("", None), ("{", None), ('{"answer": "fine"}', None), ('{"answer": 3}', None),
        ("[]", None),
        ("good - or bad", 0), ("\n\n", None), ("{" * 10_000, None),
    ],
)  # fmt: skip
def test_written_answers_are_read(text: str, number: int | None) -> None:
    assert chosen(said(text), ("good", "bad", "good enough")) == number


def test_a_cut_answer_counts_only_where_it_is_a_choice() -> None:
    assert chosen(said("good en", whole=False), ("good", "bad")) is None
    assert chosen(said("good", whole=False), ("good", "bad")) == 0


def test_a_choice_without_probability_gets_the_assumed_one() -> None:
    assert np.exp(sure_scores(1, 3, 0.9)).tolist() == pytest.approx([0.05, 0.9, 0.05])
    assert np.exp(sure_scores(None, 4, 0.9)).tolist() == pytest.approx([0.25] * 4)
    assert sure_scores(0, 1, 0.9).tolist() == [0]


@given(st.binary(min_size=1, max_size=6), st.floats(-20, 0))
def test_answers_come_back_from_the_journal_as_they_were(token: bytes, log: float) -> None:
    answer = Answer("ä\ud800", False, (Step(Likely(token, log), (Likely(b"x", -1.5),)),), 3, 4, False, 0.25)
    assert kept_answer(answer.as_json()) == answer


def test_thoughts_are_no_part_of_an_answer() -> None:
    payload = {"choices": [{"message": {"content": "<think>it is bad\n</think>\n good"}, "finish_reason": "stop"}]}
    answer = read_answer(payload, (7, 8), str)
    assert answer.text.strip() == "good"
    assert (answer.tokens_in, answer.tokens_out, answer.counted) == (7, 8, False)
