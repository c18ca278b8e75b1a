"""Money: what hours of a device and tokens of an endpoint cost."""

from collections.abc import Mapping

from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import Value

_HOUR = 3600


def price_of_time(seconds: Interval, facts: Mapping[str, Value]) -> Interval:
    """Return the USD of so many seconds on the training device, at its price an hour; 0 where none is named."""
    return seconds.times(float(facts.get("compute.usd_per_hour") or 0.0) / _HOUR)


def price_of_answers(engine: str, facts: Mapping[str, Value], read: Interval, written: Interval) -> Interval | None:
    """Return the USD of 1,000 answers of a language model; None where an endpoint's prices are not known.

    (tokens read · price of a million read + tokens written · price of a million written) / 1000; your own machine's
    answers are not paid by the token.
    """
    if engine == "llm-local":
        return Interval.exactly(0.0)
    price_in, price_out = facts.get("model.llm_usd_per_million_in"), facts.get("model.llm_usd_per_million_out")
    if price_in is None or price_out is None:
        return None
    return read.times(float(price_in) / 1e3).plus(written.times(float(price_out) / 1e3))
