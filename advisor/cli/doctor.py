"""``advisor doctor``: this machine - what is there, what is wrong, what fits, and its measured rates."""

from dataclasses import replace
from typing import Any

import click

from advisor.cli.options import as_json, print_json
from advisor.doctor.capacity import capacities
from advisor.doctor.checkup import CheckUp, check_up
from advisor.doctor.narrowing import narrowed
from advisor.machine import Machine, this_machine
from advisor.report.console import console
from advisor.report.doctor import doctor_screen


@click.command("doctor")
@click.option("--bench", is_flag=True, help="Measure this machine, a minute or two; forecasts on it use the rates.")
@as_json
def command(bench: bool, as_json: bool) -> int:
    """Look over this machine: processors, memory, GPUs, libraries; what fits, and what it was measured to achieve.

    Exit code 1 where something keeps runs from working.
    """
    machine = this_machine()
    if bench:
        machine = _measured(machine)
    found = check_up(machine)
    fits, narrows = capacities(machine, _memory(found)), narrowed(machine)
    if as_json:
        lists: dict[str, Any] = {"fits": fits, "narrows": narrows}
        print_json(
            {"schema": 1, **found.as_dict()} | {name: [one.as_dict() for one in some] for name, some in lists.items()}
        )
    else:
        console().print(doctor_screen(found, fits, narrows))
    return 1 if found.problems else 0


def _measured(machine: Machine) -> Machine:
    """Measure every device of this machine, keep the rates, and return the machine with them."""
    from advisor.backend.bench.machine import bench_machine

    rates = bench_machine(machine, lambda what: click.echo(f"measuring {what}", err=True))
    this_machine.cache_clear()
    return replace(machine, rates=rates)


def _memory(found: CheckUp) -> dict[str, int]:
    """Return the memory of each kind of device; of several cards that of the smallest."""
    memory = {"cpu": found.machine.memory_bytes, "gpu": min((c.memory_bytes or 0 for c in found.cards), default=None)}
    return {device: size for device, size in memory.items() if size}
