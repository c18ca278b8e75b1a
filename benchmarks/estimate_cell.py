"""One cell of the record of forecasts: a model with random weights doing one kind of work, its memory and times.

Started by ``estimates.py`` in a process of its own, with cells as JSON on stdin; prints a line of JSON a cell. With
``--write MODEL FOLDER`` it writes a model's files instead: on a processor cells read them as runs do, because what
stays untouched in a file takes no memory, and reading in another precision takes more. With ``--rates DEVICE
PRECISION THREADS`` it prints what `advisor doctor --bench` measures of a device, in any precision.

Encoders are tuned by the advisor's own updates. Generators are tuned by a plain loop with their own loss, which is what
trl does without the figures it logs. On a processor memory is the highest that the process ever held; on a GPU what
torch allocated.
"""

import gc
import json
import os
import platform
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
import yaml

from advisor.backend.adapter_settings import LoraSettings
from advisor.backend.adapters import add_adapters, lora_config
from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.attention import attention
from advisor.backend.bench.bench import run_bench
from advisor.backend.bench.settings import BenchSettings
from advisor.backend.bench.timing import wait_for
from advisor.backend.devices import Device
from advisor.backend.layers import freeze
from advisor.backend.objectives import objective_for
from advisor.backend.objectives.base import Unit
from advisor.backend.rows import Rows
from advisor.backend.training import Training
from advisor.backend.tuned import TunedModel, hold_in_bf16
from advisor.backend.tuning_settings import ReadingSettings, TuningSettings
from advisor.backend.within_memory import out_of_memory
from advisor.errors import RunError
from advisor.estimates.forecast import default_settings
from advisor.knowledge.catalogue import embedded_folder, load_catalogue
from advisor.knowledge.hyperparameters import default_values
from advisor.tasks import TASKS

TASK = "text-classification"
WRITTEN_TOKENS = 16
SINGLE_REPEATS = 4
MODELS = yaml.safe_load(Path(__file__).with_name("estimate_models.yaml").read_text(encoding="utf-8"))


class NoTokenizer:
    """Stands for a tokenizer where token ids are made up."""

    pad_token_id = 0


class MadeUp(TunedModel):
    """A model with random weights whose inputs are numbers of tokens."""

    def units(self, inputs: Any) -> list[Unit]:
        """Return a unit of so many random tokens an input."""
        draw = np.random.default_rng(0)
        return [Unit(row, draw.integers(10, 1000, int(length)).tolist()) for row, length in enumerate(inputs)]


def make(cell: dict[str, Any], device: Device, kind: str, dtype: torch.dtype, attended: str | None) -> Any:
    """Return the cell's model, read from its files where it has some, else made where it will compute."""
    options = {"attn_implementation": attended} if attended else {}
    made: Any = getattr(transformers, kind)
    if "folder" in cell:
        return made.from_pretrained(cell["folder"], dtype=dtype, **options)
    with torch.device(device.torch):
        return made.from_config(configuration(cell["model"]), dtype=dtype, **options)


def configuration(model: str) -> Any:
    """Return a model's configuration; no layer drops anything."""
    config = transformers.AutoConfig.for_model(MODELS[model]["type"], **MODELS[model]["config"])
    for name in vars(config):
        if name.endswith(("dropout", "dropout_prob", "_pdrop")) and isinstance(getattr(config, name), float):
            setattr(config, name, 0.0)
    config.pad_token_id = 0
    return config


def write(model: str, folder: Path) -> None:
    """Write a model with random weights as a hub would hold it."""
    kind: Any = transformers.AutoModelForCausalLM if MODELS[model].get("writes") else transformers.AutoModel
    kind.from_config(configuration(model), dtype=torch.float32).save_pretrained(folder)


def tuning(cell: dict[str, Any], device: Device) -> tuple[Callable[[], object], Any]:
    """Return an update of an encoder and a new head, as a run makes it, and the model."""
    way, rows, length = cell["way"], cell["batch"], cell["length"]
    strategy = {"full": "full-fine-tuning", "partial": "partial-unfreezing", "lora": "lora"}[way]
    # A model computes activations again only while it is told to train; nothing drops out all the same.
    settings: Any = default_settings(strategy).model_copy(
        update={"batch_size": rows, "batch_tokens": rows * length, "dropout": cell["recompute"]}
    )
    reading = ReadingSettings(**{name: getattr(settings, name) for name in ReadingSettings.model_fields})
    objective = objective_for(TASK, ["a", "b"], reading)
    model = make(cell, device, "AutoModelForSequenceClassification", torch.float32, attention(device))
    if cell["recompute"]:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    tuned = MadeUp(model.eval(), NoTokenizer(), objective, device, max_length=length)
    if isinstance(settings, LoraSettings):
        add_adapters(model, settings, 0, Path())
    else:
        freeze(model, settings)
    data = Rows([str(length)] * rows, np.arange(rows) % 2, range(rows))
    return Training(tuned, data, None, settings, 0, TASKS[TASK].measures[0], refuse).update, model


def refuse(event: dict[str, Any]) -> None:
    """Stop where an update would go on with less at once: the cell does not fit as it stands.

    Raises:
        MemoryError: memory ran out.
    """
    if event["event"] == "out of memory":
        raise MemoryError(event)


def writing(cell: dict[str, Any], device: Device) -> tuple[Callable[[], object], Any]:
    """Return an update of a generator on texts, all weights or adapters, and the model."""
    from peft import inject_adapter_in_model

    adapters = cell["way"] == "lm-lora"
    held = torch.bfloat16 if adapters and device.bf16 and device.kind != "cpu" else torch.float32
    model = make(cell, device, "AutoModelForCausalLM", held, None)
    if adapters:
        settings: Any = default_settings("sft", "llm-local")
        assert isinstance(settings, AlignmentSettings)
        inject_adapter_in_model(lora_config(model, settings), model)
        for name, weight in model.named_parameters():
            weight.requires_grad_(".lora_" in name)
            if weight.requires_grad:
                weight.data = weight.data.float()
    model.train()
    if cell["recompute"]:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-5, fused=True)
    ids = torch.randint(10, 1000, (cell["batch"], cell["length"]), device=device.torch)

    def update() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.kind, dtype=torch.bfloat16, enabled=device.bf16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()

    return update, model


def embedding(cell: dict[str, Any], device: Device) -> tuple[Callable[[], object], Any]:
    """Return a pass of a frozen encoder over a batch, and the model."""
    fused = device.kind != "cpu" or not device.bf16
    dtype = torch.bfloat16 if device.bf16 else torch.float32
    model = make(cell, device, "AutoModel", dtype, None if fused else "eager").eval()
    ids = torch.randint(10, 1000, (cell["batch"], cell["length"]), device=device.torch)
    mask = torch.ones_like(ids)

    @torch.inference_mode()
    def embed() -> None:
        model(input_ids=ids, attention_mask=mask).last_hidden_state.float().mean(1).cpu()

    return embed, model


def answering(cell: dict[str, Any], device: Device) -> tuple[Callable[[], object], Any]:
    """Return an answer of a tuned encoder to a batch, and the model."""
    reading = ReadingSettings(long_texts="truncate", overlap=0, longest_answer=1)
    model = make(cell, device, "AutoModelForSequenceClassification", torch.float32, attention(device)).eval()
    if device.bf16:
        hold_in_bf16(model)
    tuned = MadeUp(model, NoTokenizer(), objective_for(TASK, ["a", "b"], reading), device, max_length=cell["length"])
    return lambda: tuned.outputs([str(cell["length"])] * cell["batch"]), model


def prompting(cell: dict[str, Any], device: Device) -> tuple[Callable[[], object], Any]:
    """Return the reading of a prompt, or the writing of `WRITTEN_TOKENS` after it, and the model."""
    dtype = torch.bfloat16 if device.bf16 else torch.float32
    model = make(cell, device, "AutoModelForCausalLM", dtype, None).eval()
    ids = torch.randint(10, 1000, (cell["batch"], cell["length"]), device=device.torch)

    @torch.inference_mode()
    def read() -> Any:
        return model(input_ids=ids, use_cache=True, logits_to_keep=1)

    if cell["way"] == "prefill":
        return read, model
    # It grows by what is written, a few percent over all repeats.
    cache = read().past_key_values

    @torch.inference_mode()
    def write() -> None:
        for _ in range(WRITTEN_TOKENS):
            model(input_ids=ids[:, :1], past_key_values=cache, use_cache=True)

    return write, model


WAYS = {
    "full": tuning, "partial": tuning, "lora": tuning, "lm-full": writing, "lm-lora": writing, "embed": embedding,
    "answer": answering, "prefill": prompting, "decode": prompting,
}  # fmt: skip


def measured(cell: dict[str, Any], kind: str, repeats: int) -> dict[str, Any]:
    """Do the cell's work and return what it took; ``repeats`` of 0 asks for memory alone."""
    device = Device(kind, cell["precision"], "as the cell says")
    before = highest(device, start=True)
    work, model = WAYS[cell["way"]](cell, device)
    work()
    times = []
    # Two updates reach the peak: the second one finds the optimiser's state beside the gradients.
    for _ in range(max(1, repeats * (SINGLE_REPEATS if cell["batch"] == 1 else 1))):
        started, spent = time.perf_counter(), time.process_time()
        work()
        wait_for(device.torch)
        times.append((time.perf_counter() - started, time.process_time() - spent))
    found = {
        **{name: value for name, value in cell.items() if name != "folder"},
        "device": kind,
        "before_bytes": before,
        "peak_bytes": highest(device),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "trained": sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
        if cell["way"] in ("full", "partial", "lora", "lm-full", "lm-lora")
        else 0,
    }
    if repeats:
        steps = WRITTEN_TOKENS if cell["way"] == "decode" else 1
        walls, used = ([one[number] / steps for one in times] for number in (0, 1))
        found |= {
            "seconds": statistics.median(walls),
            "seconds_p95": float(np.percentile(walls, 95)),
            "processor_seconds": statistics.median(used),
            "repeats": len(times),
        }
    return found


def highest(device: Device, *, start: bool = False) -> int:
    """Return the most bytes held so far: by this process, or by torch on a GPU, counted anew from a ``start``."""
    if device.kind == "cuda":
        if start:
            gc.collect()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def place(kind: str) -> dict[str, Any]:
    """Return what the figures depend on beside the cell."""
    found = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if kind == "cuda":
        from advisor.cards import cards

        name = torch.cuda.get_device_name()
        driver = next((card.driver for card in cards()), None)
        return found | {"card": name, "driver": driver, "cuda": torch.version.cuda}
    from advisor.machine import this_machine

    machine = this_machine()
    return found | {"processor": machine.processor, "units": machine.units}


def measure_rates(kind: str, precision: str, threads: int) -> None:
    """Print what a device achieves in a precision, and where that was."""
    if threads:
        torch.set_num_threads(threads)
    catalogue = load_catalogue()
    folder = embedded_folder(catalogue.models[catalogue.default_model])
    assert folder is not None, "the embedded encoder is not installed"
    device = Device(kind, precision, "as asked")
    tuning = TuningSettings.model_validate(default_values("full-fine-tuning"))
    record = run_bench(device, folder, tuning, BenchSettings.of_rules())
    print(json.dumps(asdict(record.rates) | place(kind)), flush=True)


def main() -> None:
    """Measure the cells on stdin, one after the other, or a device's rates, or write a model's files."""
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:2] == ["--rates"]:
        measure_rates(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        measure_asked(json.load(sys.stdin))


def measure_asked(asked: dict[str, Any]) -> None:
    """Measure cells on a device, and print a row each."""
    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    for cell in asked["cells"]:
        try:
            found = measured(cell, asked["device"], asked["repeats"])
        # One cell that fails must not keep the rest of a model's cells from being measured.
        except Exception as failure:
            if not out_of_memory(failure) and not isinstance(failure, RunError):
                traceback.print_exc()
                continue
            found = {**cell, "device": asked["device"], "out_of_memory": True}
            found.pop("folder", None)
        print(json.dumps(found | place(asked["device"])), flush=True)


if __name__ == "__main__":
    main()
