"""Lessons: rows in the form that trl's trainers learn from, and what of them does not fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from advisor.backend.alignment.chats import Chats
from advisor.backend.rows import Rows
from advisor.errors import InputError
from advisor.tasks import Demonstration, Input, Judged, Preferred

Stage = Literal["sft", "dpo", "kto"]
Record = dict[str, Any]
_WANTED = {"sft": "demonstrations, preferred or approved answers", "dpo": "pairs of a better and a worse answer"}


@dataclass(frozen=True)
class Lessons:
    """What a stage learns from.

    Attributes:
        records: prompts as messages with ``completion``, ``chosen`` and ``rejected``, or ``completion`` and ``label``.
        longest: tokens of the longest prompt with an answer, as far as it is read.
        left_out: rows whose prompt alone fills what is read.
        cut: rows whose answer does not fit.
    """

    records: list[Record]
    longest: int
    left_out: int
    cut: int


def lessons(stage: Stage, rows: Rows, chats: Chats, max_length: int, seed: int) -> Lessons:
    """Return what a stage learns from rows: preferred and approved answers count as demonstrations.

    Judgements come in an order drawn from the seed, since KTO's trainer takes them as they stand; pairs are taken apart
    into two judgements.

    Raises:
        InputError: no row holds what the stage needs, or all prompts are too long.
    """
    longest = left_out = cut = 0
    kept: list[Record] = []
    for one, target in zip(rows.inputs, rows.targets, strict=True):
        for record in _RECORDS[stage](chats, one, target):
            texts = [record[name][0]["content"] for name in ("completion", "chosen", "rejected") if name in record]
            answered = [chats.answered(one, text) for text in texts]
            if min(found.prompt for found in answered) >= max_length:
                left_out += 1
                continue
            length = max(len(found.ids) for found in answered)
            cut += length > max_length
            longest = max(longest, min(length, max_length))
            kept.append(record)
    if not kept:
        if left_out:
            raise InputError(f"every prompt fills the {max_length} tokens that are read; raise max_length")
        raise InputError(f"{stage} learns from {_WANTED.get(stage, 'judged answers')}, and the data hold none")
    if stage == "kto":
        kept = [kept[place] for place in np.random.default_rng([seed, 3]).permutation(len(kept))]
    return Lessons(kept, longest, left_out, cut)


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _demonstrated(chats: Chats, one: Input, target: Any) -> Sequence[Record]:
    if isinstance(target, Judged):
        text = target.answer if target.approved else None
    else:
        text = target.answers[0] if isinstance(target, Demonstration) else target.chosen
    return [] if text is None else [{"prompt": chats.messages(one), "completion": _said(text)}]


def _preferred(chats: Chats, one: Input, target: Any) -> Sequence[Record]:
    if not isinstance(target, Preferred):
        return []
    return [{"prompt": chats.messages(one), "chosen": _said(target.chosen), "rejected": _said(target.rejected)}]


def _judged(chats: Chats, one: Input, target: Any) -> Sequence[Record]:
    if isinstance(target, Judged):
        found = [(target.answer, target.approved)]
    else:
        found = [(target.chosen, True), (target.rejected, False)] if isinstance(target, Preferred) else []
    return [{"prompt": chats.messages(one), "completion": _said(text), "label": good} for text, good in found]


_RECORDS = {"sft": _demonstrated, "dpo": _preferred, "kto": _judged}
