"""The constants of the forecasts, from ``rules/estimates.yaml`` and ``rules/quality.yaml``."""

from functools import cache

from pydantic import BaseModel, ConfigDict

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.knowledge.interval import Interval, OrderedInterval


class Constant(BaseModel):
    """One constant with its unit and source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: OrderedInterval
    unit: str
    source: str


class QualityAnchor(BaseModel):
    """Skill of a strategy at one number of labels per class, over the data sets it was measured on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels_per_class: float
    skill: OrderedInterval


class QualityPrior(BaseModel):
    """What a strategy on one engine reached elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    anchors: list[QualityAnchor]


@cache
def load_constants() -> dict[str, Interval]:
    """Return the constants by name.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "estimates.yaml"), kind=RuleBaseError)
    return {name: document.validate(Constant, kind=RuleBaseError, at=(name,)).value for name in document.data}


@cache
def load_quality_priors() -> dict[tuple[str, str], QualityPrior]:
    """Return the quality priors by strategy and engine.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "quality.yaml"), kind=RuleBaseError)
    return {
        (strategy, engine): document.validate(QualityPrior, kind=RuleBaseError, at=(strategy, engine))
        for strategy in document.data
        for engine in document.data[strategy]
    }
