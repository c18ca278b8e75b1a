"""Capacity: the largest base models that can be adapted within this machine's memory, by strategy."""

from typing import Any, NamedTuple

from advisor.doctor.narrowing import STRATEGIES_SHOWN
from advisor.doctor.typical import typical_facts
from advisor.estimates.forecast import forecast_encoder
from advisor.knowledge.catalogue import load_catalogue
from advisor.machine import Machine
from advisor.strategies import STRATEGIES


class Capacity(NamedTuple):
    """The largest catalogue model that surely fits one text at a time, and a larger one that perhaps does.

    Attributes:
        strategy: id.
        device: ``cpu`` or ``gpu``.
        fits, tight: their names; None where there is none.
    """

    strategy: str
    device: str
    fits: str | None
    tight: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return self._asdict()


def capacities(machine: Machine, memory: dict[str, int]) -> list[Capacity]:
    """Return what fits on each device.

    Args:
        machine: this one.
        memory: bytes by device, ``cpu`` and ``gpu``.
    """
    return [
        _capacity(strategy, device, room, machine) for device, room in memory.items() for strategy in STRATEGIES_SHOWN
    ]


def _capacity(strategy: str, device: str, room: int, machine: Machine) -> Capacity:
    facts = typical_facts(machine, device)
    by_size = sorted(load_catalogue().models.items(), key=lambda entry: entry[1].parameters)
    fits: str | None = None
    tight: str | None = None
    for name, model in by_size:
        if not model.encodes:
            continue
        memory = forecast_encoder(STRATEGIES[strategy], model, facts, machine).least_room_bytes
        if memory.high <= room:
            fits, tight = name, None
        elif memory.point <= room:
            tight = name
    return Capacity(strategy, device, fits, tight)
