"""A look over labelled data: balance, lengths, duplicates, contradictions, leakage, odd rows."""

import re
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, Field

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
from advisor.data.feedback import Feedback, feedback, whole_texts
from advisor.data.lengths import Quantiles, TokenLengths, evenly, quantiles, token_lengths, word_counts
from advisor.data.targets import (
    Answers,
    Entities,
    LabelCount,
    LabelSets,
    Numbers,
    answer_spans,
    entity_types,
    label_counts,
    label_sets,
    numbers,
)
from advisor.tasks import TASKS, WRITING

__all__ = ["Inspection", "inspect_data"]

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOJIBAKE = re.compile("[ÂÃ][\u0080-\u00bf]|â€|ï»¿|\ufffd")


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
        task: as named, or as the columns look.
        train, test: the files; ``rows`` counts all that are not blank, ``usable`` those with text and label.
        pair_column: the column of second texts or contexts, where there is one.
        unlabelled: training rows with a text and no label.
        classes: classes, or types of entities; this and the next three are ``None`` for numbers and answers.
        labels: from the most frequent to the least.
        imbalance: rows of the largest class for one row of the smallest; of entities likewise.
        label_sets: where a row may have several labels.
        numbers: where numbers are predicted.
        entities: where words are tagged.
        answers: where answers are found in contexts.
        feedback: where answers to prompts are demonstrated, preferred or judged.
        words: lengths of the training inputs in words, split at spaces, both texts of a pair together.
        tokens: lengths in tokens, where a tokenizer was given.
        duplicates: training rows that repeat all an earlier row's texts, case and spaces aside.
        near_duplicates: further rows that have the same set of words as an earlier one.
        contradictions: inputs with several labels; none of prompts, which may well have several answers.
        leakage: ``None`` without a test file.
        non_ascii_letters: share of letters beyond ASCII, from 0 to 1: near 0 for English,
            near 1 for scripts other than Latin.
    """

    task: str
    train: FileSummary
    test: FileSummary | None
    text_column: str
    label_column: str
    pair_column: str | None
    unlabelled: int
    classes: int | None
    labels: list[LabelCount] | None
    smallest_class: LabelCount | None
    imbalance: float | None
    label_sets: LabelSets | None
    numbers: Numbers | None
    entities: Entities | None
    answers: Answers | None
    feedback: Feedback | None
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
    train, task, texts = data.train, data.task, data.train.texts
    predicts = TASKS[task].predicts
    labels = label_counts(task, train) or None
    lengths = word_counts(train.inputs)
    whole = whole_texts(train) if predicts in WRITING else train.inputs
    words = quantiles(lengths)
    seen = Seen(train)
    return Inspection(
        task=task,
        train=_summary(data.train_part),
        test=_summary(data.test_part) if data.test_part else None,
        text_column=data.text_column,
        label_column=data.label_column,
        pair_column=data.pair_column,
        unlabelled=len(data.unlabelled),
        classes=len(labels) if labels else None,
        labels=labels,
        smallest_class=labels[-1] if labels else None,
        imbalance=labels[0].count / labels[-1].count if labels else None,
        label_sets=label_sets(train) if predicts == "classes" else None,
        numbers=numbers(train) if predicts == "number" else None,
        entities=entity_types(train) if predicts == "tags" else None,
        answers=answer_spans(train, data.test) if predicts == "span" else None,
        feedback=feedback(train) if predicts in WRITING else None,
        words=words,
        tokens=token_lengths(whole, tokenizer_path, limit) if tokenizer_path else None,
        duplicates=finding(train.rows[index] for index in sorted(seen.repeats)),
        near_duplicates=finding(train.rows[index] for index in seen.near_repeats),
        contradictions=Contradictions() if predicts in WRITING else find_contradictions(task, train, seen.repeats),
        leakage=find_leakage(task, train, data.test, seen) if data.test is not None else None,
        odd=_odd(data.train_part, texts, lengths, words),
        non_ascii_letters=_non_ascii_letters(texts),
    )


def _odd(part: Part, texts: list[str], lengths: list[int], words: Quantiles) -> Odd:
    examples = part.examples

    def where(wrong: Callable[[str], object]) -> Finding:
        return finding(row for row, text in zip(examples.rows, texts, strict=True) if wrong(text))

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
