"""A look over labelled data: balance, lengths, duplicates, contradictions, leakage, odd rows."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, Field

from advisor.data.columns import guess_task
from advisor.data.duplicates import (
    Contradictions,
    Finding,
    Leakage,
    Seen,
    find_contradictions,
    find_leakage,
    finding,
)
from advisor.data.examples import LabelledData, Part
from advisor.data.lengths import Quantiles, TokenLengths, evenly, quantiles, token_lengths

__all__ = ["Inspection", "guess_task", "inspect_data"]

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOJIBAKE = re.compile("[ÂÃ][\u0080-\u00bf]|â€|ï»¿|\ufffd")


class LabelCount(BaseModel):
    """How often a label occurs among the usable training rows; ``share`` from 0 to 1."""

    label: str
    count: int
    share: float


class Odd(BaseModel):
    """Training rows worth a look.

    Attributes:
        without_text: no text; not used.
        without_label: a text and no label; used as unlabelled text only.
        no_words: nothing but punctuation, symbols or links.
        control_characters: NUL, escape and other control characters.
        mojibake: text decoded wrongly at some time (``Ã©`` for ``é``) or with replacement characters.
        far_longer: more than ten times as many words as the 95th percentile of all rows.
    """

    without_text: Finding = Field(default_factory=Finding)
    without_label: Finding = Field(default_factory=Finding)
    no_words: Finding = Field(default_factory=Finding)
    control_characters: Finding = Field(default_factory=Finding)
    mojibake: Finding = Field(default_factory=Finding)
    far_longer: Finding = Field(default_factory=Finding)


class FileSummary(BaseModel):
    """One data file: what was read from it; ``unit`` says what row numbers count, lines or rows."""

    path: str
    format: str
    unit: str
    sha256: str
    columns: list[str]
    rows: int
    usable: int


class Inspection(BaseModel):
    """What was found in labelled data.

    Attributes:
        train, test: the files; ``rows`` counts all that are not blank, ``usable`` those with text and label.
        unlabelled: training rows with a text and no label.
        labels: from the most frequent to the least.
        imbalance: rows of the largest class for one row of the smallest.
        words: lengths of the training texts in words, split at spaces.
        tokens: lengths in tokens, where a tokenizer was given.
        duplicates: training rows that repeat an earlier row's text, case and spaces aside.
        near_duplicates: further rows that have the same set of words as an earlier one.
        leakage: ``None`` without a test file.
        non_ascii_letters: share of letters beyond ASCII, from 0 to 1: near 0 for English,
            near 1 for scripts other than Latin.
    """

    task: str = "text-classification"
    train: FileSummary
    test: FileSummary | None
    text_column: str
    label_column: str
    unlabelled: int
    classes: int
    labels: list[LabelCount]
    smallest_class: LabelCount
    imbalance: float
    words: Quantiles
    tokens: TokenLengths | None
    duplicates: Finding
    near_duplicates: Finding
    contradictions: Contradictions
    leakage: Leakage | None
    odd: Odd
    non_ascii_letters: float


def inspect_data(data: LabelledData, *, tokenizer_path: Path | None, limit: int | None) -> Inspection:
    """Look over labelled data.

    Args:
        data: as read by `load_labelled`.
        tokenizer_path: an encoder's ``tokenizer.json``; without it no token lengths are given.
        limit: the encoder's longest input in tokens, special ones included.

    Raises:
        InputError: the tokenizer cannot be read.
    """
    train = data.train
    counts = Counter(train.labels).most_common()
    labels = [
        LabelCount(label=label, count=count, share=count / len(train))
        for label, count in sorted(counts, key=lambda pair: (-pair[1], pair[0]))
    ]
    lengths = [len(text.split()) for text in train.texts]
    words = quantiles(lengths)
    seen = Seen(train)
    return Inspection(
        train=_summary(data.train_part),
        test=_summary(data.test_part) if data.test_part else None,
        text_column=data.text_column,
        label_column=data.label_column,
        unlabelled=len(data.unlabelled),
        classes=len(labels),
        labels=labels,
        smallest_class=labels[-1],
        imbalance=labels[0].count / labels[-1].count,
        words=words,
        tokens=token_lengths(train.texts, tokenizer_path, limit) if tokenizer_path else None,
        duplicates=finding(train.rows[index] for index in sorted(seen.repeats)),
        near_duplicates=finding(train.rows[index] for index in seen.near_repeats),
        contradictions=find_contradictions(train, seen.repeats),
        leakage=find_leakage(train, data.test, seen) if data.test is not None else None,
        odd=_odd(data.train_part, lengths, words),
        non_ascii_letters=_non_ascii_letters(train.texts),
    )


def _odd(part: Part, lengths: list[int], words: Quantiles) -> Odd:
    examples = part.examples

    def where(wrong: Callable[[str], object]) -> Finding:
        return finding(row for row, text in zip(examples.rows, examples.texts, strict=True) if wrong(text))

    longest = 10 * words.p95
    return Odd(
        without_text=finding(part.without_text),
        without_label=finding(part.unlabelled_rows),
        no_words=where(lambda text: not any(map(str.isalnum, _LINK.sub("", text)))),
        control_characters=where(_CONTROL.search),
        mojibake=where(lambda text: not text.isascii() and _MOJIBAKE.search(text)),
        far_longer=finding(row for row, count in zip(examples.rows, lengths, strict=True) if count > longest),
    )


def _summary(part: Part) -> FileSummary:
    usable = len(part.examples)
    return FileSummary(
        path=part.path,
        format=part.format,
        unit=part.unit,
        sha256=part.sha256,
        columns=part.columns,
        rows=usable + len(part.without_text) + len(part.unlabelled),
        usable=usable,
    )


def _non_ascii_letters(texts: list[str]) -> float:
    letters = beyond = 0
    for text in evenly(texts):
        found = [character for character in text[:2000] if character.isalpha()]
        letters += len(found)
        beyond += sum(not character.isascii() for character in found)
    return beyond / letters if letters else 0.0
