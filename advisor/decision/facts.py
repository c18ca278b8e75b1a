"""Facts of a project: its answers, what is assumed where one is missing, and what follows from them."""

from math import floor
from typing import Any, NamedTuple

from advisor.decision.derived import IMPLIED, Answers, derivations
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import Profile

# No row tests them; forecasts and the choice of models rest on them.
_UNASKED = ("model.llm_name", "compute.card", "serving.card")


class Reads(dict[str, Value]):
    """Values by name that note which names were asked for, present or not.

    What is computed from such values depends on nothing but ``names``: it stays as it is when other values change.
    """

    def __init__(self, values: Answers) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Value:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value, noting the name."""
        self.names.add(name)
        return super().get(name, default)


class Facts(NamedTuple):
    """Values by fact name, and the names among them that were assumed."""

    values: dict[str, Value]
    assumed: frozenset[str]


def answers_of(profile: Profile) -> dict[str, Value]:
    """Return the profile's known answers that facts are made of; labels count as their number."""
    answers = {name: value for name, value in profile.answered() if name in FACTS}
    if profile.task.labels and "data.classes" not in answers:
        answers["data.classes"] = len(profile.task.labels)
    for name in _UNASKED:
        if (value := profile.get(name)) is not None:
            answers[name] = value
    if profile.task.languages:
        answers["task.languages"] = ",".join(profile.task.languages)
    return answers


def project_facts(answers: Answers, base: RuleBase) -> Facts:
    """Derive all facts; an unanswered input takes the rule base's assumption, or stays unknown where there is none.

    What the answers imply of an unanswered input comes before that.

    Args:
        answers: values by dotted name.
        base: where the assumptions and the choice of base models are.
    """
    values: dict[str, Value] = dict(answers)
    assumed = set()
    for name, imply in IMPLIED.items():
        if values.get(name) is None:
            values[name] = imply(values)
            if values[name] is not None:
                assumed.add(name)
    for name, assumption in base.assumptions.items():
        if values.get(name) is None:
            values[name] = assumption.value
            assumed.add(name)
    for name, derive in derivations(base).items():
        values[name] = derive(values)
    return Facts(values, frozenset(assumed))


def with_answer(answers: Answers, name: str, value: Value) -> dict[str, Value]:
    """Return answers with one changed; labels are taken to come in the proportions of those at hand, or evenly."""
    changed = {**answers, name: value}
    labelled, smallest = answers.get("data.labelled"), answers.get("data.smallest_class")
    if name == "data.labelled" and smallest is not None:
        kept = float(smallest) * float(value or 0) / float(labelled) if labelled else None
        changed["data.smallest_class"] = None if kept is None else floor(kept)
    return changed
