"""Correcting a forecast by what past runs on the same device were off by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from advisor.correction import Correction
from advisor.estimates.forecast import Forecast
from advisor.knowledge.vocabulary import Value
from advisor.ledger.conformal import Calibration, adjusted
from advisor.ledger.entry import Work
from advisor.machine import Machine
from advisor.strategies import Engine, Strategy

# What follows from a quantity and is off by as much.
_FOLLOWING = {
    "train_seconds": ("train_seconds", "least_train_seconds", "train_usd", "least_train_usd"),
    "train_memory_bytes": ("train_memory_bytes", "room_bytes", "least_room_bytes"),
}


def work_of(strategy: Strategy, engine: Engine) -> Work:
    """Return what kind of work a strategy is for a machine."""
    if engine != "encoder" and strategy.family == "prompting":
        return "asks"
    return "passes" if strategy.frozen else "updates"


def corrections_of(
    strategy: Strategy, engine: Engine, facts: Mapping[str, Value], machine: Machine
) -> dict[str, Correction]:
    """Return, by quantity, the corrections that a candidate's forecast takes; none but on an encoder."""
    if engine != "encoder":
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


def corrected(forecast: Forecast, corrections: Mapping[str, Correction]) -> Forecast:
    """Return a forecast with what has a correction shifted and widened; the rest stays."""
    changed: dict[str, Any] = {}
    for quantity, correction in corrections.items():
        by = Calibration(correction.bias, correction.margin)
        for name in _FOLLOWING.get(quantity, (quantity,)):
            changed[name] = adjusted(getattr(forecast, name), by)
    return replace(forecast, **changed) if changed else forecast
