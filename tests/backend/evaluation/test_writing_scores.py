"""ROUGE-L, chrF and perplexity, by hand and by the libraries."""

import math

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.chrf import CHRF

from advisor.backend.evaluation import evaluate
from advisor.backend.evaluation.overlap import overlap
from advisor.tasks import Demonstration
from tests.backend.evaluation.samples import rows_of

TEXTS = ["The cat sat on the mat.", "A dog ran.", "It is 5 out of 5!"]


@pytest.mark.parametrize("written", [*TEXTS, "the mat sat", "nothing like it"])
@pytest.mark.parametrize("right", TEXTS)
def test_overlap_is_that_of_the_libraries(written: str, right: str) -> None:
    found = overlap(written, [right])
    assert found.rouge_l == pytest.approx(RougeScorer(["rougeL"]).score(right, written)["rougeL"].fmeasure)
    assert found.chrf == pytest.approx(CHRF().sentence_score(written, [right]).score / 100)


def test_the_nearest_of_several_right_answers_counts() -> None:
    assert overlap("A dog ran.", TEXTS) == overlap("A dog ran.", TEXTS[1:2]) == (1.0, 1.0)


def test_words_of_other_scripts_count_too() -> None:
    assert overlap("кошка сидит", ["Кошка спит"]).rouge_l == pytest.approx(0.5)


def test_an_empty_answer_shares_nothing() -> None:
    assert overlap(" ", ["a"]) == (0.0, 0.0)


def test_means_are_over_what_was_written_and_perplexity_over_all_tokens() -> None:
    outputs = np.array([[-2, 1, 1, 0.5, 1], [-4, 3, 0, 0, 1], [-6, 4, 0, 0, 0]], dtype=np.float32)
    found = evaluate("generation", outputs, rows_of("generation", [Demonstration(("a",))] * 3), [], draws=0, seed=0)
    values = {key: interval.value for key, interval in found.metrics.items()}
    expected = {"rouge_l": 0.5, "chrf": 0.25, "perplexity": math.exp(12 / 8), "written_answers": 2}
    assert values == pytest.approx(expected)
