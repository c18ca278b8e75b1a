"""Asking: how rows of each task become prompts, and how scores or written answers become the task's outputs."""

from advisor.backend.prompted.asking.base import Asking, ScoredAsking, WrittenAsking
from advisor.backend.prompted.asking.brief import Brief
from advisor.backend.prompted.asking.classes import Classes
from advisor.backend.prompted.asking.label_sets import EachLabel, ListedLabels
from advisor.backend.prompted.asking.numbers import Numbers, scale
from advisor.backend.prompted.asking.spans import Spans
from advisor.backend.prompted.asking.tags import Tags
from advisor.backend.prompted.asking.texts import Texts
from advisor.errors import InputError
from advisor.tasks import TASKS, Predicts

__all__ = ["Asking", "Brief", "ScoredAsking", "WrittenAsking", "asking_for", "scale"]

_ASKING: dict[Predicts, type[Asking]] = {
    "class": Classes,
    "number": Numbers,
    "tags": Tags,
    "span": Spans,
    "text": Texts,
}


def asking_for(brief: Brief, text: str) -> Asking:
    """Return how rows are asked about.

    Args:
        brief: what is asked.
        text: of the prompt template.

    Raises:
        InputError: the template cannot be filled, or this task cannot be asked about.
    """
    predicts = TASKS[brief.task].predicts
    if predicts == "classes":
        return ListedLabels(brief, text) if brief.listed else EachLabel(brief, text)
    if predicts not in _ASKING:
        raise InputError(f"{brief.task}: there are no prompts for this task; name another strategy by --strategy")
    return _ASKING[predicts](brief, text)
