"""Exact match and F1 of answers by SQuAD's definition, worked out by hand."""

import numpy as np
import pytest

from advisor.backend.evaluation import headline, trivial_outputs
from advisor.backend.evaluation.spans import word_f1, words_of
from advisor.tasks import Answer, Pair
from tests.backend.evaluation.samples import rows_of

TASK = "question-answering"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("The  Cat, a dog!", ["cat", "dog"]),
        ("an-other theme", ["another", "theme"]),
        ("U.S.", ["us"]),
        ("the", []),
        ("—Ærø’s", ["—ærø’s"]),
    ],
)
def test_normal_form(answer: str, words: list[str]) -> None:
    assert words_of(answer) == words


@pytest.mark.parametrize(
    ("given", "true", "f1"),
    [
        ("in the big red house", "red house", 2 * (2 / 4) * 1 / (2 / 4 + 1)),
        ("to be or not to be", "to be", 2 * (2 / 6) * 1 / (2 / 6 + 1)),
        ("cats", "dogs", 0.0),
        ("", "dogs", 0.0),
        ("", "the", 1.0),
    ],
)
def test_f1_of_words(given: str, true: str, f1: float) -> None:
    assert word_f1(words_of(given), words_of(true)) == pytest.approx(f1)


def scores(context: str, start: int, end: int, *answers: Answer) -> dict[str, float]:
    rows = rows_of(TASK, [answers], inputs=[Pair("what?", context)])
    return headline(TASK, np.array([[start, end, 0.9]], dtype=np.float32), rows, [])


def test_the_best_of_several_true_answers_counts() -> None:
    context = "In the year 1066, at Hastings."
    answers = (Answer("year 1066", 7), Answer("the year 1066", 3), Answer("Hastings", 21))
    assert scores(context, 3, 17, *answers) == {"f1": 1.0, "exact_match": 1.0}
    assert scores(context, 12, 16, *answers) == pytest.approx({"f1": 2 / 3, "exact_match": 0.0})


def test_no_true_answer_wants_none() -> None:
    assert scores("Nothing here.", 0, 0) == {"f1": 1.0, "exact_match": 1.0}
    assert scores("Nothing here.", 0, 7) == {"f1": 0.0, "exact_match": 0.0}
    assert scores("Nothing here.", 9, 4, Answer("Nothing", 0)) == {"f1": 0.0, "exact_match": 0.0}


def test_the_trivial_answer_is_the_first_sentence() -> None:
    contexts = ["One, e.g. 1.5 apples. Two.", "No end", "何か。次。"]
    rows = rows_of(TASK, [(), (), ()], inputs=[Pair("what?", context) for context in contexts])
    name, outputs = trivial_outputs(TASK, rows, rows, [])
    assert name == "first-sentence"
    assert [context[: int(end)] for context, (_, end, _) in zip(contexts, outputs, strict=True)] == [
        "One, e.g.",
        "No end",
        "何か。",
    ]
