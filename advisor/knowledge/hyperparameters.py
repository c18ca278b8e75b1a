"""Hyper-parameters by strategy, each with its range, unit and source, from ``rules/hyperparameters.yaml``."""

from functools import cache
from typing import Any

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.settings import Setting, load_settings, settings_in


@cache
def load_hyperparameters() -> dict[str, dict[str, Setting]]:
    """Read the shipped defaults: strategy to setting to value.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "hyperparameters.yaml"), kind=RuleBaseError)
    return {strategy: settings_in(document, strategy) for strategy in document.data}


def load_evaluation() -> dict[str, Any]:
    """Return how a run measures, by name, from ``rules/evaluation.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return load_settings("evaluation.yaml")


def load_explanation() -> dict[str, Any]:
    """Return how an explanation is worked out, by name, from ``rules/explanation.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return load_settings("explanation.yaml")


def load_doctor() -> dict[str, Any]:
    """Return how the bench measures and what is typical for the doctor, by name, from ``rules/doctor.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return load_settings("doctor.yaml")


def load_pilot() -> dict[str, Any]:
    """Return how a pilot measures and when it stops, by name, from ``rules/pilot.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return load_settings("pilot.yaml")


def load_ledger_settings() -> dict[str, float]:
    """Return what is made of the ledger, by name, from ``rules/ledger.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return load_settings("ledger.yaml")


def default_values(strategy: str) -> dict[str, Any]:
    """Return a strategy's default settings by name."""
    return {name: setting.value for name, setting in load_hyperparameters()[strategy].items()}
