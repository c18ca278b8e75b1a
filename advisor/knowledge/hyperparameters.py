"""Hyper-parameters by strategy, each with its range, unit and source, from ``rules/hyperparameters.yaml``."""

from functools import cache
from typing import Any

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.settings import Setting, settings_in


@cache
def load_hyperparameters() -> dict[str, dict[str, Setting]]:
    """Read the shipped defaults: strategy to setting to value.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "hyperparameters.yaml"), kind=RuleBaseError)
    return {strategy: settings_in(document, strategy) for strategy in document.data}


def default_values(strategy: str) -> dict[str, Any]:
    """Return a strategy's default settings by name."""
    return {name: setting.value for name, setting in load_hyperparameters()[strategy].items()}
