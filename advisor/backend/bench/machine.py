"""The bench of a whole machine: each of its devices in turn, the rates kept for all later forecasts on it."""

from dataclasses import replace
from importlib.metadata import version

import torch

from advisor.backend.bench.bench import Report, run_bench
from advisor.backend.bench.elsewhere import busy_elsewhere
from advisor.backend.bench.settings import BenchSettings
from advisor.backend.devices import choose_device
from advisor.backend.tuning_settings import TuningSettings
from advisor.errors import RunError
from advisor.knowledge.catalogue import embedded_folder, load_catalogue
from advisor.knowledge.hyperparameters import default_values
from advisor.machine import Machine
from advisor.rates import MachineRates, write_rates
from advisor.settings import load_settings


def bench_machine(machine: Machine, report: Report) -> tuple[MachineRates, ...]:
    """Measure the processor, and a GPU where torch can use one; keep and return the rates.

    Args:
        machine: this one.
        report: told what is measured next.

    Raises:
        RunError: the embedded encoder is not installed.
        OSError: the rates cannot be kept.
    """
    catalogue = load_catalogue()
    folder = embedded_folder(catalogue.models[catalogue.default_model])
    if folder is None:
        raise RunError(f"the embedded encoder {catalogue.default_model} is not installed, so nothing can be measured")
    rules = load_settings("doctor.yaml")
    busy = busy_elsewhere(rules["bench_watch_seconds"])
    busy = busy if busy >= rules["bench_busy"] else 0.0
    if busy:
        report(
            f"although other work keeps {busy:.1f} processors busy: rates will be too low, measure again when it ends"
        )
    tuning, settings = TuningSettings.model_validate(default_values("full-fine-tuning")), BenchSettings.of_rules()
    records = []
    for kind in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
        place = f"{kind} ({torch.cuda.get_device_name()})" if kind == "cuda" else kind

        def measuring(what: str, place: str = place) -> None:
            report(f"{place}: {what}")

        records.append(run_bench(choose_device(kind), folder, tuning, settings, measuring))
    details = {
        "machine": machine.describe(),
        "versions": {name: version(name) for name in ("torch", "transformers")},
        "measured": [record.as_dict() for record in records],
    }
    rates = tuple(replace(record.rates, busy=busy) for record in records)
    write_rates(machine.fingerprint, rates, details)
    return rates
