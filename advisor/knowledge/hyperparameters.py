"""Hyper-parameters by strategy, each with its range, unit and source, from ``rules/hyperparameters.yaml``."""

from functools import cache
from typing import Any

from advisor.assets import asset
from advisor.documents import Document, read_document
from advisor.errors import RuleBaseError
from advisor.strict import Strict


class Hyperparameter(Strict):
    """A default value of one setting; ``range`` is what is sensible to try, a list of numbers or of choices."""

    value: Any
    range: list[Any] | None = None
    unit: str = ""
    source: str


@cache
def load_hyperparameters() -> dict[str, dict[str, Hyperparameter]]:
    """Read the shipped defaults: strategy to setting to value.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "hyperparameters.yaml"), kind=RuleBaseError)
    return {strategy: _settings(document, strategy) for strategy in document.data}


@cache
def load_evaluation() -> dict[str, Any]:
    """Return how a run measures and an explanation is worked out, by name, from ``rules/evaluation.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return _values("evaluation.yaml")


@cache
def load_pilot() -> dict[str, Any]:
    """Return how a pilot measures and when it stops, by name, from ``rules/pilot.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return _values("pilot.yaml")


@cache
def load_ledger_settings() -> dict[str, float]:
    """Return what is made of the ledger, by name, from ``rules/ledger.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return _values("ledger.yaml")


def _values(file: str) -> dict[str, Any]:
    settings = _settings(read_document(asset("rules", file), kind=RuleBaseError))
    return {name: setting.value for name, setting in settings.items()}


def _settings(document: Document, *at: str) -> dict[str, Hyperparameter]:
    names = document.data[at[0]] if at else document.data
    return {name: document.validate(Hyperparameter, kind=RuleBaseError, at=(*at, name)) for name in names}


def default_values(strategy: str) -> dict[str, Any]:
    """Return a strategy's default settings by name."""
    return {name: setting.value for name, setting in load_hyperparameters()[strategy].items()}
