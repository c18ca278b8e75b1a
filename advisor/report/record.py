"""The record of an advice: its contract as plain data, with the inputs' sources and the decision map."""

from typing import Any

from advisor.decision.advice import Advice
from advisor.knowledge.vocabulary import in_words
from advisor.profile import INPUTS, Profile
from advisor.report.decision_map import decision_map


def advice_record(advice: Advice) -> dict[str, Any]:
    """Return `Advice.as_dict` and two keys more, JSON throughout: all that a report needs of an advice.

    ``inputs`` lists every answer with its question and source; ``map`` is what `decision_map` returns.
    """
    return {**advice.as_dict(), "inputs": _inputs(advice.profile), "map": decision_map(advice)}


def _inputs(profile: Profile) -> list[dict[str, Any]]:
    return [
        {
            "input": name,
            "question": INPUTS[name].question,
            "value": value if isinstance(value, bool | int | float | str) else list(value),
            "source": profile.source(name),
        }
        for name, value in profile.answered()
    ]


def spoken(name: str, value: Any) -> str:
    """Return the value of an input the way a person writes it."""
    if isinstance(value, list | tuple | dict):
        return ", ".join(str(part) for part in value)
    return in_words(name, value)
