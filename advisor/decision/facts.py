"""Facts of a project: its answers, what is assumed where one is missing, and what follows from them."""

from collections.abc import Mapping
from typing import NamedTuple

from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import Profile

Answers = Mapping[str, Value]
LABELLING_TASKS = ("text-classification", "multi-label", "pair-classification")


class Facts(NamedTuple):
    """Values by fact name, and the names among them that were assumed."""

    values: dict[str, Value]
    assumed: frozenset[str]


def answers_of(profile: Profile) -> dict[str, Value]:
    """Return the profile's known answers that facts are made of; labels count as their number."""
    answers = {name: value for name, value in profile.answered() if name in FACTS}
    if profile.task.labels and "data.classes" not in answers:
        answers["data.classes"] = len(profile.task.labels)
    if profile.task.languages:
        answers["task.languages"] = ",".join(profile.task.languages)
    return answers


def project_facts(answers: Answers, base: RuleBase, *, assume: bool = True) -> Facts:
    """Derive all facts; an unanswered input takes the rule base's assumption, or stays unknown where there is none.

    Args:
        answers: values by dotted name.
        base: where the assumptions are.
        assume: without it every unanswered input stays unknown.
    """
    values: dict[str, Value] = dict(answers)
    assumed = set()
    if values.get("constraints.model_access") == "api-only" and values.get("model.llm") is None:
        values["model.llm"] = "api"
    for name, assumption in base.assumptions.items() if assume else ():
        if values.get(name) is None:
            values[name] = assumption.value
            assumed.add(name)
    values["classes"] = values.get("data.classes")
    values["labels_per_class"] = _labels_per_class(values)
    values["llm_usable"] = _llm_usable(values)
    return Facts(values, frozenset(assumed))


def _labels_per_class(values: Answers) -> Value:
    smallest, labelled, classes = (values.get(f"data.{name}") for name in ("smallest_class", "labelled", "classes"))
    if smallest is not None:
        return smallest
    if values.get("task.type") not in (None, *LABELLING_TASKS):
        return labelled
    return None if labelled is None or classes is None else float(labelled) / float(classes)


def _llm_usable(values: Answers) -> bool | None:
    """Return whether a language model may be prompted: a local one always, an API where the texts may leave."""
    llm = values.get("model.llm")
    may_leave, air_gapped = values.get("constraints.data_may_leave"), values.get("constraints.air_gapped")
    if llm != "api":
        return None if llm is None else llm == "local"
    if may_leave is False or air_gapped:
        return False
    return None if may_leave is None or air_gapped is None else True
