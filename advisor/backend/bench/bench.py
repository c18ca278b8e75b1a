"""The whole bench of one device: measurements in turn, and the rates that follow from them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch

from advisor.backend.bench.fitting import pass_costs, single_costs
from advisor.backend.bench.passes import embedding_points, single_points
from advisor.backend.bench.points import Point, rate_of
from advisor.backend.bench.products import copy_gb_per_s, product_gflops, reading_gb_per_s
from advisor.backend.bench.settings import BenchSettings
from advisor.backend.bench.start import start_seconds
from advisor.backend.bench.tuning import TASK, tuning_times
from advisor.backend.bench.wide import write_wide_encoder
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.new_head import with_new_head
from advisor.backend.objectives import objective_for
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import ReadingSettings, TuningSettings
from advisor.knowledge.catalogue import describe_model
from advisor.rates import MachineRates

Report = Callable[[str], None]


@dataclass(frozen=True)
class BenchRecord:
    """What was measured of a device: its rates, products by precision, and every timed point."""

    rates: MachineRates
    products: dict[str, float]
    points: list[Point]

    def as_dict(self) -> dict[str, Any]:
        """Return what the rates do not say, as plain data."""
        return {
            "device": self.rates.device,
            "products_gflops": self.products,
            "points": [point.as_dict() for point in self.points],
        }


def run_bench(
    device: Device,
    folder: Path,
    tuning: TuningSettings,
    settings: BenchSettings,
    report: Report = lambda what: None,
) -> BenchRecord:
    """Measure a device.

    Args:
        device: where, and in which precision runs compute there.
        folder: of the embedded encoder, a BERT.
        tuning: settings of full fine-tuning.
        settings: how much to measure.
        report: told what is measured next.

    Raises:
        InputError: the encoder cannot be loaded.
        RunError: something does not fit in memory.
    """
    report("matrix products and copies")
    products = {name: product_gflops(name, device.torch, settings) for name in _precisions(device)}
    copied, read = copy_gb_per_s(device.torch, settings), reading_gb_per_s(device.precision, device.torch, settings)
    report("the embedded encoder")
    own = _measure(device, folder, tuning, settings)
    with TemporaryDirectory() as place:
        report("a wider encoder")
        wide = write_wide_encoder(
            folder, Path(place) / "wide", hidden=settings.wide_hidden, layers=settings.wide_layers
        )
        wider = _measure(device, wide, tuning, settings.wide())
    report("starting up")
    rates = MachineRates(
        device="gpu" if device.kind == "cuda" else device.kind,
        copy_gb_per_s=copied,
        reading_gb_per_s=read,
        start_seconds=start_seconds(folder, device.kind, tuned=False),
        tuning_start_seconds=start_seconds(folder, device.kind, tuned=True),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        precision=device.precision,
        threads=torch.get_num_threads(),
        **_of_passes(own, wider, products[device.precision]),
        **_of_single_texts([*own.points, *wider.points]),
    )
    return BenchRecord(rates, products, [*own.points, *wider.points])


class _Measured(NamedTuple):
    """The points of an encoder, its updates without the optimiser's step, and that step's ns a parameter."""

    points: list[Point]
    updates: list[Point]
    optimizer_ns: float

    def of(self, kind: str) -> list[Point]:
        return [point for point in self.points if point.kind == kind]


def _measure(device: Device, folder: Path, tuning: TuningSettings, settings: BenchSettings) -> _Measured:
    facts = describe_model(str(folder))
    assert facts is not None
    encoder = Encoder.load(folder, device)
    points = [*embedding_points(encoder, facts, settings), *single_points(encoder, facts, settings)]
    reading = ReadingSettings(**{name: getattr(tuning, name) for name in ReadingSettings.model_fields})
    model = with_new_head(folder, objective_for(TASK, ["a", "b"], reading), device, seed=0)
    points += single_points(_served(model, device), facts, settings)
    times = tuning_times(model, facts, tuning, settings)
    updates = [replace(point, seconds=max(1e-9, point.seconds - times.optimizer_seconds)) for point in times.points]
    return _Measured([*points, *times.points], updates, 1e9 * times.optimizer_seconds / times.parameters)


def _served(model: TunedModel, device: Device) -> TunedModel:
    """Return a tuned model as it gives answers: read back from its files."""
    with TemporaryDirectory() as place:
        model.save(Path(place))
        return TunedModel.load(Path(place), device)


def _precisions(device: Device) -> Iterator[str]:
    yield from ("fp32", "bf16", "fp16") if device.kind == "cuda" else ("fp32", "bf16")


def _of_passes(own: _Measured, wider: _Measured, product: float) -> dict[str, float]:
    """Return the rates of passes and updates; nothing ran faster than a large product does."""
    embedded, updates = [*own.of("embed"), *wider.of("embed")], [*own.updates, *wider.updates]
    product = max(product, *(rate_of([point]) for point in [*embedded, *updates]))
    forward, training = pass_costs(embedded, product, updates=False), pass_costs(updates, product, updates=True)
    first = own.updates[0]
    return {
        "forward_gflops": rate_of(own.of("embed")),
        "training_gflops": rate_of(own.updates),
        "matmul_gflops": product,
        "forward_ns_per_unit": forward.ns_per_unit,
        "forward_ns_per_score": forward.ns_per_score,
        "training_ns_per_unit": training.ns_per_unit,
        "training_ns_per_score": training.ns_per_score,
        "optimizer_ns_per_parameter": wider.optimizer_ns,
        "update_layer_overhead_ms": training.layer_ms,
        "update_ns_per_weight": training.ns_per_weight,
        "update_overhead_ms": training.layer_ms * first.layers + 1e-6 * training.ns_per_weight * first.weights,
    }


def _of_single_texts(points: list[Point]) -> dict[str, float]:
    frozen, tuned = (single_costs([p for p in points if p.kind == kind]) for kind in ("single", "single-tuned"))
    return {
        "single_gflops": frozen.gflops,
        "layer_overhead_ms": frozen.layer_ms,
        "single_ns_per_weight": frozen.ns_per_weight,
        "tuned_single_gflops": tuned.gflops,
        "tuned_layer_overhead_ms": tuned.layer_ms,
        "tuned_ns_per_weight": tuned.ns_per_weight,
    }
