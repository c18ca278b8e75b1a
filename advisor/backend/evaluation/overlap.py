"""Overlap of a written answer with the right ones: ROUGE-L by rouge-score, chrF by sacrebleu."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from advisor.errors import InputError

_WORD = re.compile(r"[^\W_]+")


class Overlap(NamedTuple):
    """How much an answer shares with the right one it is nearest to, each from 0 to 1.

    Attributes:
        rouge_l: F-measure of the longest common subsequence of words (Lin 2004).
        chrf: F-score of character n-grams up to 6, recall counted twice (Popović 2015).
    """

    rouge_l: float
    chrf: float


class _Words:
    """Words of any script, case evened out; the library's own words are ASCII alone."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(text.casefold())


def overlap(written: str, answers: Sequence[str]) -> Overlap:
    """Compare an answer with the right ones; an empty one shares nothing.

    Raises:
        InputError: the libraries are not installed.
    """
    if not written.strip():
        return Overlap(0.0, 0.0)
    rouge, chrf = _measures()
    found = rouge.score_multi(list(answers), written)["rougeL"].fmeasure
    return Overlap(float(found), float(chrf.sentence_score(written, list(answers)).score) / 100)


@cache
def _measures() -> tuple[Any, Any]:
    try:
        from rouge_score.rouge_scorer import RougeScorer
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as missing:
        raise InputError(
            f"{missing.name} is needed to measure what is written: pip install adaptation-advisor[align]"
        ) from None
    return RougeScorer(["rougeL"], tokenizer=_Words()), CHRF()
