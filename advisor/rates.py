"""What a machine was measured to achieve, and the file that keeps it between commands."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from advisor.cache import cache_folder
from advisor.files import write_json

RATES_SCHEMA = 1


@dataclass(frozen=True)
class MachineRates:
    """What one device of a machine achieves, as `advisor doctor --bench` measured it; None where it was not measured.

    Rates are of the whole device with all its threads; operations are counted as `BaseModelFacts.forward_flops` does,
    three times that for a forward and a backward pass. Operations a second of one encoder are not those of a wider
    one: products grow with the square of the width, the rest with the width. So the time of a pass is split: operations
    at the rate of a large product, and what is left, by units (tokens x layers x width) and by attention's scores
    (tokens x layers x heads x length). `pass_seconds`, `update_seconds` and `single_seconds` put it together for any
    model; its *weights* are the parameters of its layers.

    Attributes:
        device: ``cpu`` or ``gpu``.
        forward_gflops: 10^9 operations a second of passes without gradients over many texts, embedded encoder.
        training_gflops: the same of forward and backward passes, the optimiser's step apart.
        matmul_gflops: 10^9 operations a second of a large matrix product in ``precision``.
        forward_ns_per_unit, forward_ns_per_score: of a pass without gradients, beyond its operations.
        training_ns_per_unit, training_ns_per_score: of a forward and a backward pass, beyond their operations.
        copy_gb_per_s: 10^9 bytes a second, read and written, of a large copy.
        reading_gb_per_s: 10^9 bytes of weights a second in the product of a large matrix and one vector.
        optimizer_ns_per_parameter: of clipping gradients and a step of AdamW.
        update_layer_overhead_ms, update_ns_per_weight: an update by layer and by weight, however small the batch;
            autocast casts every weight anew.
        update_overhead_ms: both together for the embedded encoder.
        single_gflops: 10^9 operations a second at which a single text takes longer as it grows.
        layer_overhead_ms, single_ns_per_weight: a single text by layer and by weight, however short, frozen weights.
        tuned_single_gflops, tuned_layer_overhead_ms, tuned_ns_per_weight: the same of a tuned model.
        start_seconds: from a new process to the loaded libraries and encoder.
        tuning_start_seconds: the same where it is loaded to be tuned.
        measured_at: date and time, ISO 8601 in UTC.
        precision: of the products, ``fp32`` or ``bf16`` (weights stay fp32 in training).
        threads: of the processor.
        busy: processors that other work kept busy meanwhile, so that rates are too low; 0 for none to speak of.
    """

    device: str = "cpu"
    forward_gflops: float | None = None
    training_gflops: float | None = None
    matmul_gflops: float | None = None
    forward_ns_per_unit: float | None = None
    forward_ns_per_score: float | None = None
    training_ns_per_unit: float | None = None
    training_ns_per_score: float | None = None
    copy_gb_per_s: float | None = None
    reading_gb_per_s: float | None = None
    optimizer_ns_per_parameter: float | None = None
    update_layer_overhead_ms: float | None = None
    update_ns_per_weight: float | None = None
    update_overhead_ms: float | None = None
    single_gflops: float | None = None
    layer_overhead_ms: float | None = None
    single_ns_per_weight: float | None = None
    tuned_single_gflops: float | None = None
    tuned_layer_overhead_ms: float | None = None
    tuned_ns_per_weight: float | None = None
    start_seconds: float | None = None
    tuning_start_seconds: float | None = None
    measured_at: str | None = None
    precision: str | None = None
    threads: int | None = None
    busy: float | None = None

    def pass_seconds(self, flops: float, units: float, scores: float, *, training: bool) -> float | None:
        """Return the seconds of passes over any model; None where a rate is missing.

        Args:
            flops: operations, of the backward pass too where it is training.
            units: tokens x layers x width.
            scores: tokens x layers x heads x tokens attended to.
            training: whether gradients are computed.
        """
        of_unit = self.training_ns_per_unit if training else self.forward_ns_per_unit
        of_score = self.training_ns_per_score if training else self.forward_ns_per_score
        if self.matmul_gflops is None or of_unit is None or of_score is None:
            return None
        return (flops / self.matmul_gflops + of_unit * units + of_score * scores) / 1e9

    def update_seconds(self, layers: int, weights: float, trained: float) -> float | None:
        """Return what an update of any model takes beside its passes; None where a rate is missing.

        Args:
            layers: of the model.
            weights: parameters of the layers.
            trained: parameters that learn.
        """
        of_layer, of_weight = self.update_layer_overhead_ms, self.update_ns_per_weight
        if of_layer is None or of_weight is None or self.optimizer_ns_per_parameter is None:
            return None
        return of_layer * layers / 1e3 + (of_weight * weights + self.optimizer_ns_per_parameter * trained) / 1e9

    def single_seconds(self, flops: float, layers: int, weights: float, *, tuned: bool) -> float | None:
        """Return the seconds of a single text through any encoder; None where a rate is missing.

        Args:
            flops: operations of the pass.
            layers: of the model.
            weights: parameters of the layers.
            tuned: whether the model was tuned, rather than frozen with a head beside it.
        """
        rate = self.tuned_single_gflops if tuned else self.single_gflops
        of_layer = self.tuned_layer_overhead_ms if tuned else self.layer_overhead_ms
        of_weight = self.tuned_ns_per_weight if tuned else self.single_ns_per_weight
        if rate is None or of_layer is None or of_weight is None:
            return None
        return of_layer * layers / 1e3 + (flops / rate + of_weight * weights) / 1e9


def rates_file(fingerprint: str) -> Path:
    """Return where the rates of a machine are kept: machines that share a home folder each have their own file."""
    return cache_folder("machines") / f"{fingerprint}.json"


def write_rates(fingerprint: str, rates: Sequence[MachineRates], details: dict[str, Any]) -> Path:
    """Keep a machine's rates, whole or not at all; return where.

    Args:
        fingerprint: of the machine.
        rates: one a device.
        details: what else is worth keeping of how they were measured, as JSON.

    Raises:
        OSError: the cache folder cannot be written.
    """
    path = rates_file(fingerprint)
    kept = {"schema": RATES_SCHEMA, "fingerprint": fingerprint, "rates": [asdict(one) for one in rates]}
    write_json(path, kept | details)
    return path


def read_rates(fingerprint: str) -> tuple[MachineRates, ...]:
    """Return a machine's rates; none where nothing was measured, or what was kept is damaged or of another version."""
    try:
        kept = json.loads(rates_file(fingerprint).read_text(encoding="utf-8"))
        if kept["schema"] != RATES_SCHEMA or kept["fingerprint"] != fingerprint:
            return ()
        return tuple(_rates(one) for one in kept["rates"])
    except (OSError, ValueError, TypeError, KeyError):
        return ()


def _rates(kept: dict[str, Any]) -> MachineRates:
    """Return rates with every value of its own type; a measured number is positive.

    Raises:
        ValueError: one is not.
    """
    types = get_type_hints(MachineRates)
    for name, value in kept.items():
        allowed = get_args(types[name]) or (types[name],)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = 0 <= value < float("inf") if number and float in allowed else isinstance(value, allowed)
        if not fits:
            raise ValueError(f"{name}: {value!r}")
    return MachineRates(**{field.name: kept[field.name] for field in fields(MachineRates) if field.name in kept})
