"""The constants of the forecasts, from ``rules/estimates.yaml`` and ``rules/quality.yaml``."""

from functools import cache

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.knowledge.interval import Interval, OrderedInterval
from advisor.strict import Strict


class Constant(Strict):
    """One constant with its unit and source."""

    value: OrderedInterval
    unit: str
    source: str


class QualityAnchor(Strict):
    """Skill of a strategy at one number of labels per class, over the data sets it was measured on."""

    labels_per_class: float
    skill: OrderedInterval


class QualityPrior(Strict):
    """What a strategy on one engine reached elsewhere."""

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
