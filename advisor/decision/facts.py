"""Facts of a project: its answers, what is assumed where one is missing, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import Profile

Answers = Mapping[str, Value]


@dataclass(frozen=True)
class Facts:
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


def project_facts(answers: Answers, base: RuleBase) -> Facts:
    """Derive all facts; an unanswered input takes the rule base's assumption, or stays unknown where there is none."""
    values: dict[str, Value] = dict(answers)
    assumed = set()
    if values.get("constraints.model_access") == "api-only" and "model.llm" not in values:
        values["model.llm"] = "api"
    for name, assumption in base.assumptions.items():
        if values.get(name) is None:
            values[name] = assumption.value
            assumed.add(name)
    classes = values["data.classes"]
    values["classes"] = classes
    values["labels_per_class"] = _labels_per_class(values)
    values["llm_usable"] = _llm_usable(values)
    hours, budget, price = (values.get(f"compute.{name}") for name in ("hours", "budget_usd", "usd_per_hour"))
    values["compute_hours"] = _affordable_hours(hours, budget, price)
    return Facts(values, frozenset(assumed))


def _labels_per_class(values: Answers) -> Value:
    smallest, labelled, classes = (values.get(f"data.{name}") for name in ("smallest_class", "labelled", "classes"))
    if smallest is not None:
        return smallest
    if labelled is None or classes is None:
        return None
    per_class = values.get("task.type") in (None, "text-classification", "multi-label", "pair-classification")
    return float(labelled) / float(classes) if per_class else labelled


def _llm_usable(values: Answers) -> bool:
    if values["model.llm"] == "local":
        return True
    return values["model.llm"] == "api" and bool(values["constraints.data_may_leave"]) and not values["constraints.air_gapped"]


def _affordable_hours(hours: Value, budget: Value, price: Value) -> Value:
    if hours is None or budget is None or not price:
        return hours
    return min(float(hours), float(budget) / float(price))
