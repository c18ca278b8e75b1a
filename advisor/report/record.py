"""The record of an advice: its contract as plain data, with the decision map."""

from typing import Any

from advisor.decision.advice import Advice
from advisor.knowledge.vocabulary import in_words
from advisor.report.decision_map import decision_map


def advice_record(advice: Advice) -> dict[str, Any]:
    """Return `Advice.as_dict` and, as ``map``, what `decision_map` returns: all that a report needs of an advice."""
    return {**advice.as_dict(), "map": decision_map(advice)}


def spoken(name: str, value: Any) -> str:
    """Return the value of an input the way a person writes it."""
    if isinstance(value, list | tuple | dict):
        return ", ".join(str(part) for part in value)
    return in_words(name, value)
