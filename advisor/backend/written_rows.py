"""Rows of ``predictions.jsonl`` of a model that writes: prompts with its answers, or with how it rates given ones."""

from collections.abc import Iterator, Sequence
from typing import Any

from advisor.backend.arrays import Floats
from advisor.backend.rows import Rows
from advisor.tasks import TASKS, Chat, Demonstration, Input, Judged

_DIGITS = 6


def written_rows(task: str, rows: Rows, numbers: Floats, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield one object a row: where it stood, the ``prompt``, the truth as ``label``, ``predicted``, and more.

    - An answer: ``label`` is the right one, ``predicted`` what was written, None where none was; ``rouge_l``, ``chrf``
      and the mean ``log_likelihood`` of the right one's tokens, in nats.
    - A preference: ``label`` and ``predicted`` say which of ``chosen`` and ``rejected`` is better, ``margin`` by how
      much reward, in nats.
    - A judgement: ``label`` says whether the ``answer`` was approved, ``predicted`` whether its ``reward`` exceeds 0.

    Args:
        task: id of the task.
        rows: as measured.
        numbers: as `advisor.backend.alignment.observing` gives them.
        texts: the answers that were written.
    """
    written = TASKS[task].predicts == "text"
    for place, one, target, found, text in zip(rows.places, rows.inputs, rows.targets, numbers, texts, strict=True):
        said = _answered(target, found, text) if written else _rated(target, found)
        yield {"row": place, "prompt": prompt_of(one), **said}


def prompt_of(one: Input) -> Any:
    """Return a prompt as JSON has it: a text, or messages."""
    return [message._asdict() for message in one.messages] if isinstance(one, Chat) else one


def _answered(target: Demonstration, found: Floats, text: str) -> dict[str, Any]:
    likelihood, tokens, rouge, chrf, written = map(float, found)
    return {
        "label": target.answers[0],
        "predicted": text if written else None,
        **({"rouge_l": _rounded(rouge), "chrf": _rounded(chrf)} if written else {}),
        "log_likelihood": _rounded(likelihood / tokens) if tokens else None,
    }


def _rated(target: Any, found: Floats) -> dict[str, Any]:
    reward, other = float(found[0] - found[2]), float(found[3] - found[5])
    if isinstance(target, Judged):
        said = {"label": target.approved, "predicted": reward > 0, "answer": target.answer}
        return {**said, "reward": _rounded(reward)}
    return {
        "label": "chosen",
        "predicted": "chosen" if reward > other else "rejected",
        "chosen": target.chosen,
        "rejected": target.rejected,
        "margin": _rounded(reward - other),
    }


def _rounded(value: float) -> float:
    return round(value, _DIGITS)
