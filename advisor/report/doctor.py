"""The doctor's findings on a terminal: the machine, its rates, what fits, which forecasts the rates narrow."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.doctor.capacity import Capacity
from advisor.doctor.checkup import CheckUp
from advisor.doctor.narrowing import Narrowed
from advisor.machine import MachineRates
from advisor.report.units import interval_of, significant, value_of

_MEMORY = "train_memory_bytes"
_RATES = (
    ("matmul_gflops", "large matrix products", "GFLOP/s"),
    ("forward_gflops", "many texts through the encoder", "GFLOP/s"),
    ("training_gflops", "tuning it", "GFLOP/s"),
    ("copy_gb_per_s", "copying memory", "GB/s"),
    ("reading_gb_per_s", "reading weights for one vector", "GB/s"),
    ("layer_overhead_ms", "a layer of a single text, at least", "ms"),
    ("update_overhead_ms", "an update beside its operations", "ms"),
    ("start_seconds", "starting up", "s"),
    ("tuning_start_seconds", "starting up to tune", "s"),
)
_TITLES = {"train_seconds": "training", "latency_ms_p50": "one text"}


def doctor_screen(found: CheckUp, fits: Sequence[Capacity], narrows: Sequence[Narrowed]) -> RenderableType:
    """Return all findings as one screen; problems come first."""
    parts: list[RenderableType] = [Text(line) for line in _machine(found)]
    parts += [Text(f"problem: {problem}", style="bold red") for problem in found.problems]
    parts += [Text(f"note: {note}") for note in found.notes]
    for rates in found.machine.rates:
        parts += [Text(), Text(_measured(rates), style="bold"), _rates(rates)]
    parts += [Text(), Text("Largest base model that can be adapted in memory", style="bold"), _capacities(fits)]
    if narrows:
        parts += [
            Text(),
            Text("What the rates make of forecasts for a typical project", style="bold"),
            _narrowed(narrows),
        ]
    return Group(*parts)


def _machine(found: CheckUp) -> Iterable[str]:
    machine = found.machine
    cores = f"{machine.cores} {'core' if machine.cores == 1 else 'cores'}"
    quota = f" of {found.host_cores}" if machine.cores < found.host_cores else ""
    yield f"{cores}{quota} · {machine.processor} · {machine.units}"
    whole, own = found.host_memory_bytes, machine.memory_bytes
    limit = (
        f", the limit of this container; the host has {value_of(_MEMORY, whole)}"
        if whole and own and own < whole
        else ""
    )
    yield f"{value_of(_MEMORY, own)} of memory{limit}"
    for card in found.cards:
        memory = f" · {value_of(_MEMORY, card.memory_bytes)}" if card.memory_bytes else ""
        yield f"{card.name}{memory}{f' · driver {card.driver}' if card.driver else ''}"
    if not found.cards:
        yield "a GPU of unknown kind" if machine.gpu else "no GPU"
    yield " · ".join(f"{name} {known or 'missing'}" for name, known in found.libraries.items())


def _measured(rates: MachineRates) -> str:
    when = (rates.measured_at or "").replace("T", " ")[:16]
    threads = f", {rates.threads} {'thread' if rates.threads == 1 else 'threads'}" if rates.device == "cpu" else ""
    return f"Measured on the {rates.device.upper()} in {rates.precision}{threads}, {when} UTC"


def _rates(rates: MachineRates) -> RenderableType:
    table = _grid(3)
    for name, title, unit in _RATES:
        value = getattr(rates, name)
        if value is not None:
            table.add_row(title, significant(value), unit)
    return Padding(table, (0, 0, 0, 2))


def _capacities(fits: Sequence[Capacity]) -> RenderableType:
    table = _grid(3)
    for one in fits:
        tight = f"perhaps {one.tight}" if one.tight else ""
        table.add_row(f"{one.strategy} ({one.device.upper()})", escape(one.fits or "none"), escape(tight))
    return Padding(table, (0, 0, 0, 2))


def _narrowed(narrows: Sequence[Narrowed]) -> RenderableType:
    table = _grid(4)
    table.add_row("", "", "[bold]before[/]", "[bold]measured rates[/]")
    for one in narrows:
        before, after = (interval_of(one.quantity, some.as_dict()) for some in (one.without, one.with_rates))
        table.add_row(f"{one.strategy} ({one.device.upper()})", _TITLES[one.quantity], escape(before), escape(after))
    return Padding(table, (0, 0, 0, 2))


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        table.add_column()
    return table
