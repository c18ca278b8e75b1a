"""What tuned models learn, by what the task predicts: one module for texts, one for tags, one for spans."""

from collections.abc import Sequence

from advisor.backend.objectives.base import Objective, Unit
from advisor.backend.objectives.spans import Spans
from advisor.backend.objectives.tags import Tags
from advisor.backend.objectives.texts import Number, OneClass, SeveralClasses
from advisor.backend.tuning_settings import ReadingSettings
from advisor.tasks import TASKS

__all__ = ["Objective", "Unit", "objective_for"]

_OBJECTIVES: dict[str, type[Objective]] = {
    "class": OneClass,
    "classes": SeveralClasses,
    "number": Number,
    "tags": Tags,
    "span": Spans,
}


def objective_for(task: str, labels: Sequence[str], reading: ReadingSettings) -> Objective:
    """Return what a model learns for a task."""
    return _OBJECTIVES[TASKS[task].predicts](TASKS[task], list(labels), reading)
