"""An answer out of a context: exact match and F1 of words, as SQuAD measures them."""

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

from advisor.backend.answers import answer_text
from advisor.backend.arrays import Floats
from advisor.backend.evaluation.judgement import Judgement, Values, Weights, alike
from advisor.backend.rows import Rows

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class Spans(Judgement):
    """The better of the true answers counts, row by row (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250).

    A question without a true answer is right when nothing is answered (Rajpurkar et al. 2018,
    https://arxiv.org/abs/1806.03822).

    Args:
        outputs: (rows, 3): start and end character in the context, and a score.
        rows: questions with their true answers.
        labels: not used.
        thresholds: not used.
    """

    def __init__(self, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None) -> None:
        judged = []
        for source, answers, output in zip(rows.inputs, rows.targets, outputs, strict=True):
            judged.append(best_match(answer_text(source, output), [answer.text for answer in answers]))
        self.kinds, self.counts = alike(np.array(judged, dtype=np.float64))

    def measures(self, weights: Weights) -> Values:
        """Return F1 of words and exact match."""
        f1, exact = (weights @ self.kinds / weights.sum(axis=1, keepdims=True)).T
        return {"f1": f1, "exact_match": exact}


def best_match(given: str, answers: Sequence[str]) -> tuple[float, float]:
    """Return F1 of words and exact match of an answer, against the true one that it is closest to."""
    words = words_of(given)
    true = [found for found in map(words_of, answers) if found] or [[]]
    return max(word_f1(words, found) for found in true), float(words in true)


def words_of(answer: str) -> list[str]:
    """Return the words of an answer in lower case, without ASCII punctuation and English articles."""
    return _ARTICLE.sub(" ", answer.lower().translate(_NO_PUNCTUATION)).split()


def word_f1(given: list[str], true: list[str]) -> float:
    """Return the harmonic mean of the shares of words that two answers have in common; two empty ones are alike."""
    if not given or not true:
        return float(given == true)
    common = (Counter(given) & Counter(true)).total()
    return 2 * common / (len(given) + len(true))
