"""The machine at hand as forecasts see it: what it is, and what past runs on it teach."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from advisor import __version__
from advisor.assets import asset
from advisor.ledger.corrections import corrections
from advisor.ledger.entry import Entry
from advisor.machine import Machine, this_machine

_CONSTANTS = ("estimates.yaml", "devices.yaml", "blocks.yaml", "computing.yaml")
_DIGITS = 12


def machine_here(entries: Iterable[Entry]) -> Machine:
    """Return this machine with the corrections that entries of the ledger, oldest first, hold enough runs for."""
    machine = this_machine()
    return replace(machine, corrections=corrections(entries, machine.fingerprint, basis(machine)))


def basis(machine: Machine) -> str:
    """Return a word for what forecasts are made from: the advisor, its constants, and whether rates were measured.

    Errors of forecasts made from something else say little about those of today.
    """
    return _digest(_constants() + str(bool(machine.rates)).encode())


@cache
def _constants() -> bytes:
    return __version__.encode() + b"".join(asset("rules", name).read_bytes() for name in _CONSTANTS)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
