"""The teacher of a plan with distillation: the best way to prompt that is at hand labels what nobody has labelled."""

from pathlib import Path

from advisor.data.reading import LabelledData
from advisor.decision.advice import Advice
from advisor.errors import InputError
from advisor.plan.plan import PlannedModel, PlannedTeacher
from advisor.plan.prompting import planned_language_model, reachable
from advisor.strategies import Strategy
from advisor.strategies.modifiers import DISTILLATION

_TAUGHT = "text-classification"
_TEACHER = "few-shot"


def planned_teacher(
    advice: Advice, data: LabelledData, strategy: Strategy, model: PlannedModel, folder: Path
) -> PlannedTeacher:
    """Return the teacher: few-shot prompting of the profile's language model, or of the encoder where there is none.

    Args:
        advice: its profile says where a language model is.
        data: the labelled data, with unlabelled texts among them.
        strategy: what learns from the teacher.
        model: the encoder that it adapts.
        folder: of the plan.

    Raises:
        InputError: there is nothing to label, nothing that could learn from it, or a task that it is not built for.
    """
    if strategy.family == "prompting":
        raise InputError(
            f"{strategy.id} learns nothing, so nothing can be distilled into it; name another by --strategy"
        )
    if data.task != _TAUGHT:
        raise InputError(f"{DISTILLATION} is for {_TAUGHT}, not for {data.task}")
    if not data.unlabelled:
        raise InputError(f"{DISTILLATION} needs unlabelled texts: rows of {data.train_part.path} with an empty label")
    candidates = [c for c in advice.decision.candidates if c.strategy.id == _TEACHER and c.engine != "encoder"]
    able = next((c for c in candidates if reachable(c, advice.profile)), None)
    if able is None:
        return PlannedTeacher(strategy=_TEACHER, engine="encoder", model=model)
    own, terms, _ = planned_language_model(advice.profile, able, data.task, folder)
    return PlannedTeacher(strategy=_TEACHER, engine=able.engine, model=own, prompting=terms)
