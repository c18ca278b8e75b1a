"""Entities by conlleval's definition: held against seqeval where it is installed, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.backend.evaluation import evaluate, headline, trivial_outputs
from tests.backend.evaluation.samples import TAGS, one_hot, rows_of

TASK = "token-classification"
WIDE = ["O", *(f"{prefix}-{kind}" for kind in ("LOC", "PER", "ORG") for prefix in "BIES")]


def sentences(tags: list[str]) -> st.SearchStrategy[list[tuple[list[str], list[str]]]]:
    sentence = st.integers(1, 9).flatmap(
        lambda length: st.tuples(*[st.lists(st.sampled_from(tags), min_size=length, max_size=length)] * 2)
    )
    return st.lists(sentence, min_size=1, max_size=8)


@pytest.mark.filterwarnings("ignore::RuntimeWarning:numpy")
@pytest.mark.parametrize("tags", [TAGS, WIDE], ids=["BIO", "BIOES"])
def test_scores_are_seqevals(tags: list[str]) -> None:
    seqeval = pytest.importorskip("seqeval.metrics")

    @settings(max_examples=150)
    @given(sentences(tags))
    def compare(made: list[tuple[list[str], list[str]]]) -> None:
        truth, predicted = [true for true, _ in made], [given for _, given in made]
        found = evaluate(TASK, one_hot(predicted, tags), rows_of(TASK, truth, tags), tags, draws=5, seed=0)
        value = {key: interval.value for key, interval in found.metrics.items()}
        for key, of, average in (
            ("micro_f1", seqeval.f1_score, "micro"),
            ("macro_f1", seqeval.f1_score, "macro"),
            ("precision", seqeval.precision_score, "micro"),
            ("recall", seqeval.recall_score, "micro"),
        ):
            expected = of(truth, predicted, average=average, zero_division=0)
            assert value[key] == pytest.approx(float(np.nan_to_num(expected))), key
        report = seqeval.classification_report(truth, predicted, output_dict=True, zero_division=0)
        for row in found.classes:
            expected = report.get(row.label)
            if expected:
                assert [row.precision, row.recall, row.f1, row.support] == pytest.approx(list(expected.values()))
            else:
                assert row.support == 0

    compare()


def test_scores_by_hand() -> None:
    truth = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC", "B-LOC"]]
    given_tags = [["B-PER", "I-PER", "O", "B-PER"], ["O", "B-LOC", "I-LOC"]]
    found = evaluate(TASK, one_hot(given_tags), rows_of(TASK, truth, TAGS), TAGS, draws=20, seed=0)
    value = {key: interval.value for key, interval in found.metrics.items()}
    assert value["precision"] == pytest.approx(1 / 3)
    assert value["recall"] == pytest.approx(1 / 4)
    assert value["micro_f1"] == pytest.approx(2 / 7)
    assert value["macro_f1"] == pytest.approx((2 / 3) / 2)
    assert value["token_accuracy"] == pytest.approx(5 / 7)
    assert [(row.label, row.f1, row.support) for row in found.classes] == [
        ("LOC", 0.0, 3),
        ("PER", pytest.approx(2 / 3), 1),
    ]


def test_a_tag_that_repair_puts_right_is_right() -> None:
    truth, given_tags = [["B-PER", "I-PER", "O"]], [["I-PER", "I-PER", "O"]]
    found = headline(TASK, one_hot(given_tags), rows_of(TASK, truth, TAGS), TAGS)
    assert set(found.values()) == {1.0}


def test_tags_without_a_prefix_are_types_of_their_own() -> None:
    names = ["ADJ", "NOUN"]
    truth = [["NOUN", "NOUN", "ADJ"]]
    rows = rows_of(TASK, truth, names)
    found = evaluate(TASK, one_hot([["NOUN", "ADJ", "ADJ"]], names), rows, names, draws=5, seed=0)
    assert found.metrics["token_accuracy"].value == pytest.approx(2 / 3)
    assert trivial_outputs(TASK, rows, rows, names)[0] == "majority"


def test_no_entity_anywhere_has_no_f1_and_no_warning() -> None:
    rows = rows_of(TASK, [["O", "O"]], TAGS)
    name, outputs = trivial_outputs(TASK, rows, rows, TAGS)
    found = headline(TASK, outputs, rows, TAGS)
    assert name == "no-entity"
    assert (found["micro_f1"], found["macro_f1"], found["token_accuracy"]) == (0.0, 0.0, 1.0)
