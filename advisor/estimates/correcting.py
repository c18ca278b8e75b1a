"""Correcting a forecast by what past runs on the same device were off by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from advisor.correction import Correction
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import Value
from advisor.ledger.conformal import Calibration, adjusted
from advisor.ledger.entry import Work
from advisor.machine import Machine
from advisor.strategies import Engine, Strategy

if TYPE_CHECKING:
    from advisor.estimates.forecast import Forecast

# What follows from a quantity and is off by as much.
_FOLLOWING = {
    "train_seconds": ("train_seconds", "least_train_seconds", "train_usd", "least_train_usd"),
    "train_memory_bytes": ("train_memory_bytes", "room_bytes", "least_room_bytes"),
}
# On a processor training memory is that of the process.
_FOLLOWING_ON_CPU = {"train_memory_bytes": ("host_memory_bytes",)}


def work_of(strategy: Strategy, engine: Engine) -> Work:
    """Return what kind of work a strategy is for a machine."""
    if engine != "encoder" and strategy.family == "prompting":
        return "asks"
    return "passes" if strategy.frozen else "updates"


def corrections_of(
    strategy: Strategy, engine: Engine, facts: Mapping[str, Value], machine: Machine
) -> dict[str, Correction]:
    """Return, by quantity, the corrections that a candidate's forecast takes; none but on an encoder."""
    if engine != "encoder" or not machine.corrections:
        return {}
    work = work_of(strategy, engine)
    training = machine.corrections_for(str(facts["compute.device"]), work)
    serving = machine.corrections_for(str(facts["serving.device"]), work)
    return {
        name: found
        for by, latency in ((training, False), (serving, True))
        for name, found in by.items()
        if name.startswith("latency") is latency
    }


def corrected(forecast: "Forecast", corrections: Mapping[str, Correction]) -> "Forecast":
    """Return a forecast with what has a correction shifted and widened, its terms in proportion; the rest stays."""
    changed: dict[str, Any] = {"terms": dict(forecast.terms)}
    for quantity, correction in corrections.items():
        by = Calibration(correction.bias, correction.margin)
        beside = _FOLLOWING_ON_CPU.get(quantity, ()) if correction.device == "cpu" else ()
        for name in (*_FOLLOWING.get(quantity, (quantity,)), *beside):
            changed[name] = adjusted(getattr(forecast, name), by)
        if quantity in forecast.terms:
            before, after = getattr(forecast, quantity), changed[quantity]
            share = Interval(*(new / old if old else 1.0 for old, new in zip(before, after, strict=True)))
            terms = forecast.terms[quantity]
            changed["terms"][quantity] = {name: _scaled(term, share) for name, term in terms.items()}
    return replace(forecast, **changed)


def _scaled(term: Interval, share: Interval) -> Interval:
    """Return a term scaled bound by bound, so that terms add up as before; a bound stays on its side of the point."""
    low, point, high = (bound * factor for bound, factor in zip(term, share, strict=True))
    return Interval(min(low, point), point, max(point, high))
