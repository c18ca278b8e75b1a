"""What a plan may add to a strategy: more pre-training before it, a teacher's labels, several seeds of it."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import BaseModel, Field

from advisor.backend.pretraining_settings import PretrainingSettings
from advisor.documents import suggest
from advisor.errors import InputError
from advisor.knowledge.hyperparameters import default_values
from advisor.strict import Strict

MULTI_SEED = "multi-seed"
MORE_PRETRAINING = "domain-adaptive-pretraining"
DISTILLATION = "distillation"


class SeedSettings(Strict):
    """How often a strategy is fitted.

    Attributes:
        seeds: fits of everything, each with a seed of its own; the first is exported.
    """

    seeds: int = Field(ge=2)


class DistillationSettings(Strict):
    """How a teacher's labels are taken.

    Attributes:
        kept_share: share of the unlabelled texts that is learnt from, of every label the ones it was surest of.
        check_folds: parts of the labelled rows; the teacher is judged on each after it saw the others' labels.
        most_texts: unlabelled texts that it is asked about, drawn at random from more.
    """

    kept_share: float = Field(gt=0, le=1)
    check_folds: int = Field(ge=2)
    most_texts: int = Field(ge=1)


MODIFIERS: dict[str, type[BaseModel]] = {
    MORE_PRETRAINING: PretrainingSettings,
    DISTILLATION: DistillationSettings,
    MULTI_SEED: SeedSettings,
}


@cache
def modifier_settings(name: str) -> BaseModel:
    """Return a modifier's settings as the rules give them."""
    return MODIFIERS[name].model_validate(default_values(name))


def chosen_modifiers(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the settings of modifiers by name.

    Raises:
        InputError: there is no such modifier.
    """
    found = {}
    for name in names:
        if name not in MODIFIERS:
            raise InputError(f"there is no modifier '{name}'{suggest(name, MODIFIERS)}")
        found[name] = modifier_settings(name).model_dump(mode="json")
    return found
