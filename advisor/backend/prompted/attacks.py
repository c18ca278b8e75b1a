"""Attacks: how often an instruction appended to a row, an injection, changes the answer about it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from advisor.backend.answers import answers
from advisor.backend.prompted.model import PromptedModel
from advisor.tasks import TASKS, Input, Pair


class Attacked(NamedTuple):
    """What injections did.

    Attributes:
        rows: that were attacked.
        attempts: rows times injections.
        flipped: share of the attempts after which the answer is another one; of tags, those of the row's own words
            count; of numbers, a move of half a level or more.
        obeyed: share after which it is the one demanded; None unless a row has one class.
    """

    rows: int
    attempts: int
    flipped: float
    obeyed: float | None


def attack(model: PromptedModel, inputs: Sequence[Input], injections: Sequence[str]) -> Attacked | None:
    """Append injections that demand another answer to every row, and count the answers that change.

    No row is shown its own answer as a demonstration, before or after.

    Args:
        model: is asked before and after.
        inputs: rows to attack.
        injections: sentences with ``{answer}`` where the answer demanded stands.

    Returns:
        what they did; None where there is no row or no injection.
    """
    if not inputs or not injections:
        return None
    asking = model.interview.asking
    before = _answered(model, inputs, inputs)
    lures = [asking.lure(answer) for answer in before]
    flipped = obeyed = 0
    for injection in injections:
        hostile = [_appended(row, injection.replace("{answer}", lure)) for row, lure in zip(inputs, lures, strict=True)]
        for was, lure, now in zip(before, lures, _answered(model, hostile, inputs), strict=True):
            flipped += not _alike(model, was, now)
            obeyed += "label" in now and _named(model, now["label"]) == lure
    attempts = len(inputs) * len(injections)
    single = TASKS[model.task].predicts == "class"
    return Attacked(len(inputs), attempts, flipped / attempts, obeyed / attempts if single else None)


def _answered(model: PromptedModel, inputs: Sequence[Input], unseen: Sequence[Input]) -> list[dict[str, Any]]:
    outputs = model.outputs(inputs, unseen=unseen)
    return list(answers(model.task, outputs, inputs, model.labels, model.thresholds))


def _appended(row: Input, text: str) -> Input:
    if isinstance(row, Pair):
        return Pair(row.first, f"{row.second} {text}")
    return f"{row} {text}" if isinstance(row, str) else (*row, *text.split())


def _alike(model: PromptedModel, was: dict[str, Any], now: dict[str, Any]) -> bool:
    match TASKS[model.task].predicts:
        case "class":
            return bool(was["label"] == now["label"])
        case "classes":
            return set(was["labels"]) == set(now["labels"])
        case "number":
            levels = model.interview.asking.brief.levels
            return abs(float(was["value"]) - float(now["value"])) < (levels[1] - levels[0]) / 2
        case "tags":
            return bool(was["tags"] == now["tags"][: len(was["tags"])])
        case _:
            return bool(was["answer"] == now["answer"])


def _named(model: PromptedModel, label: str) -> str:
    words: Any = model.interview.asking.values()["labels"]
    return str(words[model.labels.index(label)].word)
