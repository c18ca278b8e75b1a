"""Narrowing: forecasts of a typical project on this machine, without its measured rates and with them."""

from dataclasses import replace
from typing import Any, NamedTuple

from advisor.doctor.typical import typical_facts
from advisor.estimates.forecast import Forecast, forecast_encoder
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.interval import Interval
from advisor.machine import Machine
from advisor.strategies import STRATEGIES

STRATEGIES_SHOWN = ("linear-probe", "lora", "full-fine-tuning")
_QUANTITIES = ("train_seconds", "latency_ms_p50")


class Narrowed(NamedTuple):
    """A forecast before and after: ``with_rates`` is the same where nothing was measured."""

    strategy: str
    device: str
    quantity: str
    without: Interval
    with_rates: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return both as plain data."""
        found = self._asdict()
        return found | {"without": self.without.as_dict(), "with_rates": self.with_rates.as_dict()}


def narrowed(machine: Machine) -> list[Narrowed]:
    """Return the forecasts that depend on rates, for the embedded encoder on every device that was measured."""
    catalogue = load_catalogue()
    model, bare, found = catalogue.models[catalogue.default_model], replace(machine, rates=()), []
    for rates in machine.rates:
        facts = typical_facts(machine, rates.device)
        for strategy in STRATEGIES_SHOWN:
            made: list[Forecast] = [
                forecast_encoder(STRATEGIES[strategy], model, facts, which) for which in (bare, machine)
            ]
            found += [
                Narrowed(strategy, rates.device, name, *(getattr(forecast, name) for forecast in made))
                for name in _QUANTITIES
            ]
    return found
