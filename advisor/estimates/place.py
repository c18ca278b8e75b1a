"""A place of computing: what a device achieves, as its kind suggests or as this machine was measured."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from advisor.estimates.constants import load_constants
from advisor.knowledge.catalogue import DeviceFacts, load_catalogue
from advisor.knowledge.hardware import Card, find_card
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine, MachineRates


class Place(NamedTuple):
    """A device; rates in 10^9 a second are of all its cores.

    Attributes:
        kind: ``cpu`` or ``gpu``.
        precision: of its products: ``fp32`` or ``bf16``; None where that is not known, and bf16 likely.
        forward_gflops, training_gflops: operations of passes over many texts.
        single_gflops: of a single text.
        reading_gb_per_s: bytes of weights read.
        optimizer_ns: of a step of AdamW, a parameter.
        start_seconds, tuning_start_seconds: to the loaded libraries and model, frozen or to be tuned.
        rates: what was measured of it; None where nothing was.
    """

    kind: str
    precision: str | None
    forward_gflops: Interval
    training_gflops: Interval
    single_gflops: Interval
    reading_gb_per_s: Interval
    layer_overhead_ms: Interval
    update_overhead_ms: Interval
    optimizer_ns: Interval
    start_seconds: Interval
    tuning_start_seconds: Interval
    rates: MachineRates | None = None


def training_place(facts: Mapping[str, Value], machine: Machine) -> Place:
    """Return where a project trains."""
    return _place(
        str(facts["compute.device"]), _named(facts, "compute.card"), float(facts.get("compute.devices") or 1), machine
    )


def serving_place(facts: Mapping[str, Value], machine: Machine) -> Place:
    """Return where a project's model answers."""
    return _place(str(facts["serving.device"]), _named(facts, "serving.card"), 1.0, machine)


def _named(facts: Mapping[str, Value], name: str) -> str | None:
    named = facts.get(name)
    return str(named) if named else None


@lru_cache(maxsize=256)
def _place(kind: str, called: str | None, devices: float, machine: Machine) -> Place:
    constants, known = load_constants(), _device(kind, machine)
    card = find_card(called) if called and kind == "gpu" else None
    measured = machine.rates_on(kind) if card is None or _is_here(card, machine) else None
    spread, peak = constants["measured_spread"], _peak(card)
    cores = machine.cores if known.per_core else 1
    forward, training, read = known.forward_gflops, known.training_gflops, constants[f"{kind}_reading_gb_per_s"]
    if peak:
        forward, training = (constants[name].times(peak) for name in ("share_of_peak", "share_of_peak_in_training"))
    if card and card.bandwidth_gb_per_s:
        read = constants["share_of_bandwidth"].times(card.bandwidth_gb_per_s)
    single = forward.times(cores).by(constants["small_batch_rate"])

    def narrowed(value: float | None, otherwise: Interval) -> Interval:
        return otherwise if value is None else spread.times(value)

    given = measured or MachineRates(kind)
    return Place(
        kind=kind,
        precision=given.precision or _precision(kind, card, machine),
        forward_gflops=narrowed(given.forward_gflops, _all(forward, cores, devices)),
        training_gflops=narrowed(given.training_gflops, _all(training, cores, devices)),
        single_gflops=narrowed(given.single_gflops, single),
        reading_gb_per_s=narrowed(given.reading_gb_per_s, read),
        layer_overhead_ms=narrowed(given.layer_overhead_ms, known.layer_overhead_ms),
        update_overhead_ms=narrowed(given.update_overhead_ms, constants["update_overhead_ms"]),
        optimizer_ns=narrowed(given.optimizer_ns_per_parameter, constants[f"{kind}_optimizer_ns"]),
        start_seconds=narrowed(given.start_seconds, known.start_seconds),
        tuning_start_seconds=narrowed(given.tuning_start_seconds, known.start_seconds),
        rates=measured,
    )


def _all(rate: Interval, cores: int, devices: float) -> Interval:
    """Return the rate of all cores; of several devices at best, for a run here computes on one."""
    return Interval(rate.low * cores, rate.point * cores, rate.high * cores * devices)


def _device(kind: str, machine: Machine) -> DeviceFacts:
    devices = load_catalogue().devices
    return devices["gpu"] if kind == "gpu" else devices.get(f"cpu-{machine.units}", devices["cpu-unknown"])


def _peak(card: Card | None) -> float | None:
    """Return a card's peak in the precision that a run computes in there, in 10^9 operations a second."""
    if card is None:
        return None
    peaks = card.dense_tflops
    tflops = peaks.bf16 if card.bf16 else peaks.fp32
    return tflops * 1e3 if tflops else None


def _is_here(card: Card, machine: Machine) -> bool:
    """Return whether a card is this machine's."""
    return any(find_card(name) == card for name in machine.cards)


def _precision(kind: str, card: Card | None, machine: Machine) -> str | None:
    """Return the precision that a run computes in there: bf16 where there are matrix units for it.

    Whether wider vectors for bf16 are worth it a run finds out by measuring.
    """
    if kind == "cpu":
        return {"amx": "bf16", "avx512-bf16": None}.get(machine.units, "fp32")
    if card is None or card.bf16 is None:
        return None
    return "bf16" if card.bf16 else "fp32"
