"""Outputs in people's terms, task by task, and the lines of predictions."""

import json

import numpy as np
import pytest

from advisor.backend.answers import answers, prediction_rows
from advisor.tasks import TASKS, Answer, Pair
from tests.backend.evaluation.samples import TAGS, one_hot, predictions, rows_of, sample

SENTENCE = ("Ada", "Lovelace", "left", "London", "today")


def test_a_class() -> None:
    outputs = np.array([[0.25, 0.75]], dtype=np.float32)
    expected = {"label": "yes", "probability": 0.75, "probabilities": {"no": 0.25, "yes": 0.75}}
    assert list(answers("text-classification", outputs, ["a text"], ["no", "yes"])) == [expected]
    assert list(answers("pair-classification", outputs, [Pair("a", "b")], ["no", "yes"])) == [expected]


def test_several_labels_come_most_probable_first_and_may_be_none() -> None:
    outputs = np.array([[0.6, 0.1, 0.9], [0.1, 0.2, 0.3]], dtype=np.float32)
    found = list(answers("multi-label", outputs, ["one", "two"], ["a", "b", "c"]))
    assert [row["labels"] for row in found] == [["c", "a"], []]
    assert found[1]["probabilities"] == {"a": 0.1, "b": 0.2, "c": 0.3}
    thresholds = np.array([0.05, 0.2, 1.0], dtype=np.float32)
    assert [row["labels"] for row in answers("multi-label", outputs, ["one", "two"], ["a", "b", "c"], thresholds)] == [
        ["a"],
        ["b", "a"],
    ]


def test_a_number() -> None:
    assert list(answers("regression", np.array([[2.5]], dtype=np.float32), ["text"], [])) == [{"value": 2.5}]


def test_tags_are_repaired_and_entities_cut_from_the_words() -> None:
    given = [["I-PER", "I-PER", "O", "I-LOC", "I-PER"], [], ["B-LOC"]]
    rows = [SENTENCE, (), ("Oslo",)]
    found = list(answers("token-classification", 0.75 * one_hot(given), rows, TAGS))
    assert found[0] == {
        "tags": ["B-PER", "I-PER", "O", "B-LOC", "B-PER"],
        "entities": [
            {"label": "PER", "text": "Ada Lovelace", "start": 0, "end": 2, "score": 0.75},
            {"label": "LOC", "text": "London", "start": 3, "end": 4, "score": 0.75},
            {"label": "PER", "text": "today", "start": 4, "end": 5, "score": 0.75},
        ],
    }
    assert found[1] == {"tags": [], "entities": []}
    assert found[2]["entities"] == [{"label": "LOC", "text": "Oslo", "start": 0, "end": 1, "score": 0.75}]


def test_an_answer_is_cut_from_the_context() -> None:
    pair = Pair("who?", "Ada wrote it.")
    outputs = np.array([[0, 3, 0.5], [0, 0, 0.1], [10, 99, 0.2]], dtype=np.float32)
    assert list(answers("question-answering", outputs, [pair] * 3, [])) == [
        {"answer": "Ada", "start": 0, "end": 3, "score": 0.5},
        {"answer": "", "start": 0, "end": 0, "score": 0.1},
        {"answer": "it.", "start": 10, "end": 13, "score": 0.2},
    ]


@pytest.mark.parametrize("task", TASKS)
def test_every_answer_is_plain_json(task: str) -> None:
    outputs, rows, labels = sample(task, 7, 1)
    lines = predictions(task, rows, labels, outputs)
    assert len(lines) == 7
    assert [line["row"] for line in lines] == list(range(1, 8))
    for line in lines:
        assert json.loads(json.dumps(line, allow_nan=False)) == line
        assert {"label", "predicted"} <= line.keys()


def test_lines_of_predictions_say_what_was_read_and_what_is_true() -> None:
    pair = Pair("one", "two")
    line = next(prediction_rows("pair-classification", rows_of("pair-classification", ["no"], ["no", "yes"], [pair]),
                                ["no", "yes"], np.array([[0.25, 0.75]], dtype=np.float32)))  # fmt: skip
    assert line == {
        "row": 1, "text": "one", "text_pair": "two", "label": "no", "predicted": "yes", "probability": 0.75,
        "probabilities": {"no": 0.25, "yes": 0.75},
    }  # fmt: skip
    question = Pair("who?", "Ada wrote it.")
    rows = rows_of("question-answering", [(Answer("Ada", 0), Answer("it", 10))], inputs=[question])
    line = next(prediction_rows("question-answering", rows, [], np.array([[0, 9, 0.5]], dtype=np.float32)))
    assert line == {
        "row": 1, "question": "who?", "context": "Ada wrote it.", "label": ["Ada", "it"], "predicted": "Ada wrote",
        "start": 0, "end": 9, "score": 0.5,
    }  # fmt: skip
    rows = rows_of("token-classification", [TAGS], TAGS, [SENTENCE])
    line = next(prediction_rows("token-classification", rows, TAGS, one_hot([["O"] * 5])))
    assert line == {"row": 1, "words": list(SENTENCE), "label": TAGS, "predicted": ["O"] * 5, "entities": []}
    rows = rows_of("multi-label", [("a",)], ["a", "b"])
    line = next(prediction_rows("multi-label", rows, ["a", "b"], np.array([[0.1, 0.9]], dtype=np.float32)))
    assert line == {
        "row": 1, "text": "some text", "label": ["a"], "predicted": ["b"], "probabilities": {"a": 0.1, "b": 0.9},
    }  # fmt: skip
