"""The whole bench of one device: measurements in turn, and the rates that follow from them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from advisor.backend.bench.fitting import pass_costs, single_costs
from advisor.backend.bench.passes import embedding_points, single_points
from advisor.backend.bench.points import Point, rate_of
from advisor.backend.bench.products import cast_seconds, copy_gb_per_s, product_gflops
from advisor.backend.bench.settings import BenchSettings
from advisor.backend.bench.start import start_seconds
from advisor.backend.bench.tuning import TASK, TuningTimes, tuning_times
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.objectives import objective_for
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import ReadingSettings, TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
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
    facts: BaseModelFacts,
    tuning: TuningSettings,
    settings: BenchSettings,
    report: Report = lambda what: None,
) -> BenchRecord:
    """Measure a device.

    Args:
        device: where, and in which precision runs compute there.
        folder: of the encoder that is run and tuned.
        facts: of that encoder.
        tuning: settings of full fine-tuning.
        settings: how much to measure.
        report: told what is measured next.

    Raises:
        InputError: the encoder cannot be loaded.
        RunError: something does not fit in memory.
    """
    place = device.torch
    report("matrix products and copies")
    products = {name: product_gflops(name, place, settings) for name in _precisions(device)}
    copied = copy_gb_per_s(place, settings)
    report("texts through the encoder")
    encoder = Encoder.load(folder, device)
    embedded, single = embedding_points(encoder, facts, settings), single_points(encoder, facts, settings)
    report("updates of the encoder")
    reading = ReadingSettings(**{name: getattr(tuning, name) for name in ReadingSettings.model_fields})
    model = TunedModel.with_new_head(folder, objective_for(TASK, ["a", "b"], reading), device, seed=0)
    single_tuned = single_points(model, facts, settings)
    cast = cast_seconds(model.model.parameters(), place, settings) if device.bf16 else 0.0
    times = tuning_times(model, facts, tuning, settings)
    report("starting up")
    rates = MachineRates(
        device="gpu" if device.kind == "cuda" else device.kind,
        copy_gb_per_s=copied,
        start_seconds=start_seconds(folder, device.kind, tuned=False),
        tuning_start_seconds=start_seconds(folder, device.kind, tuned=True),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        precision=device.precision,
        threads=torch.get_num_threads(),
        cast_ns_per_parameter=1e9 * cast / facts.parameters,
        **_of_passes(embedded, times, cast, products[device.precision]),
        **_of_single_texts(single, single_tuned, facts, cast),
    )
    return BenchRecord(rates, products, [*embedded, *single, *single_tuned, *times.points])


def _precisions(device: Device) -> Iterator[str]:
    yield from ("fp32", "bf16", "fp16") if device.kind == "cuda" else ("fp32", "bf16")


def _of_passes(embedded: list[Point], times: TuningTimes, cast: float, product: float) -> dict[str, float]:
    """Return the rates of passes; of an update the optimiser's step and the casts are taken away first."""
    apart = times.optimizer_seconds + cast
    passes = [Point(**point.as_dict() | {"seconds": max(1e-9, point.seconds - apart)}) for point in times.points]
    product = max(product, *(rate_of([point]) for point in [*embedded, *passes]))
    forward, training = pass_costs(embedded, product, calls=False), pass_costs(passes, product, calls=True)
    return {
        "forward_gflops": rate_of(embedded),
        "training_gflops": rate_of(passes),
        "matmul_gflops": product,
        "forward_ns_per_unit": forward.ns_per_unit,
        "forward_ns_per_score": forward.ns_per_score,
        "training_ns_per_unit": training.ns_per_unit,
        "training_ns_per_score": training.ns_per_score,
        "optimizer_ns_per_parameter": 1e9 * times.optimizer_seconds / times.parameters,
        "update_overhead_ms": 1e3 * training.call_seconds,
    }


def _of_single_texts(frozen: list[Point], tuned: list[Point], facts: BaseModelFacts, cast: float) -> dict[str, float]:
    kept, learnt = single_costs(frozen), single_costs(tuned)
    return {
        "layer_overhead_ms": 1e3 * kept.call_seconds / facts.layers,
        "single_gflops": kept.gflops,
        "tuned_layer_overhead_ms": 1e3 * max(0.0, learnt.call_seconds - cast) / facts.layers,
        "tuned_single_gflops": learnt.gflops,
    }
