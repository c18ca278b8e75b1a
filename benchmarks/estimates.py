"""The measured record that forecasts of memory and time are held against.

    python benchmarks/estimates.py --only memory --threads 1             # memory, which other work does not disturb
    python benchmarks/estimates.py                                       # memory and times, on a quiet machine
    python benchmarks/estimates.py --device cuda                         # on a GPU, about eight minutes
    python benchmarks/estimates.py --table                               # errors of the forecasts

Models of real sizes are made from their configuration with random weights (memory and speed do not care) and tuned,
embed texts, answer, read prompts and write. A line a cell is appended to ``results/estimates.jsonl``; what is there is
not measured again, so a stopped run goes on. On a processor every cell has a process of its own; on a GPU every model.
What `advisor doctor --bench` measures is taken at the start of every run, in each precision of its cells, and kept in
``results/rates.jsonl``: the errors are those of forecasts that know these rates, wherever the table is printed.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

HERE = Path(__file__).parent
MODELS: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "estimate_models.yaml").read_text(encoding="utf-8"))
RESULTS = HERE / "results" / "estimates.jsonl"
RATES = HERE / "results" / "rates.jsonl"
KEY = ("model", "way", "batch", "length", "precision", "recompute")
# Of the memory that is free, what a cell may be expected to take: other work should not be driven out.
SHARE_OF_FREE = 0.6
PROCESS_BYTES = 1e9
PATIENCE_SECONDS = 900
ENVIRONMENT = os.environ | {"PYTHONPATH": str(HERE.parent), "HF_HUB_OFFLINE": "1"}

Cell = dict[str, Any]


def grid(place: str) -> Iterator[Cell]:
    """Yield the cells of a place, ``cpu`` or ``gpu``, those that say most first."""
    rounds = GRIDS[place]
    for encodings, writings in itertools.zip_longest(*rounds, fillvalue=()):
        for model, made in MODELS.items():
            if place in made["places"]:
                shapes = writings if made.get("writes") else encodings
                for way, batch, length, precision, recompute in shapes:
                    if too_large_to_tune(model, way):
                        continue
                    yield dict(zip(KEY, (model, way, batch, length, precision, recompute), strict=True))


def too_large_to_tune(model: str, way: str) -> bool:
    """Whether all weights of a model with their states are beyond any one card: 16 bytes each."""
    return way == "lm-full" and model.endswith(("-4B", "-8B", "-7B"))


# By place: rounds of (way, rows, tokens, precision, recomputed) for encoders, and for models that write.
GRIDS: dict[str, tuple[list[list[tuple[Any, ...]]], list[list[tuple[Any, ...]]]]] = {
    "cpu": (
        [
            [("full", 16, 128, "bf16", False), ("lora", 16, 128, "bf16", False)],
            [("full", 16, 32, "fp32", False), ("embed", 16, 128, "bf16", False), ("answer", 1, 32, "bf16", False)],
            [("partial", 16, 128, "bf16", False), ("full", 16, 128, "bf16", True), ("full", 4, 256, "bf16", False)],
            [("full", 16, 128, "fp32", False), ("lora", 16, 128, "fp32", False), ("embed", 16, 128, "fp32", False)],
            [("answer", 1, 128, "bf16", False), ("embed", 1, 32, "bf16", False), ("embed", 1, 128, "bf16", False)],
            [("answer", 1, 32, "fp32", False), ("full", 16, 32, "bf16", False), ("lora", 4, 256, "bf16", False)],
        ],
        [
            [("lm-lora", 4, 128, "bf16", True), ("prefill", 1, 256, "bf16", False)],
            [("lm-lora", 4, 128, "bf16", False), ("decode", 1, 256, "bf16", False)],
            [("lm-full", 2, 128, "bf16", True), ("lm-lora", 4, 128, "fp32", True)],
            [("prefill", 1, 256, "fp32", False), ("decode", 1, 256, "fp32", False)],
        ],
    ),
    "gpu": (
        [
            [("full", 32, 128, "bf16", False), ("lora", 32, 128, "bf16", False), ("embed", 128, 128, "bf16", False)],
            [("full", 8, 512, "bf16", False), ("full", 8, 512, "bf16", True), ("answer", 1, 64, "bf16", False)],
            [("full", 32, 128, "fp32", False), ("partial", 32, 128, "bf16", False), ("embed", 1, 64, "bf16", False)],
        ],
        [
            [("lm-lora", 8, 512, "bf16", True), ("prefill", 1, 1024, "bf16", False)],
            [("decode", 1, 1024, "bf16", False), ("lm-full", 4, 512, "bf16", True)],
            [("lm-lora", 4, 512, "bf16", False), ("decode", 8, 512, "bf16", False)],
            [("lm-full", 2, 512, "bf16", False), ("prefill", 8, 512, "bf16", False)],
        ],
    ),
}  # fmt: skip


def key_of(row: Cell, device: str) -> tuple[Any, ...]:
    """Return what makes a cell one: the same work on the same kind of device."""
    return (device, *(row[name] for name in KEY))


def read_results(path: Path) -> list[Cell]:
    """Return the rows of a results file; a line that was torn when a run was stopped is passed over."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def open_cells(device: str, done: list[Cell], *, timed: bool, only: str | None) -> list[Cell]:
    """Return the cells that are still to be measured.

    Args:
        device: ``cpu`` or ``cuda``.
        done: rows so far.
        timed: whether a row without times is not enough.
        only: a part of the model's name.
    """
    known = {key_of(row, row["device"]) for row in done if not timed or "seconds" in row or "out_of_memory" in row}
    place = "gpu" if device == "cuda" else "cpu"
    return [cell for cell in grid(place) if key_of(cell, device) not in known and (not only or only in cell["model"])]


def free_bytes() -> float:
    """Return the memory that is free on this machine."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def states_bytes(cell: Cell) -> float:
    """Return roughly what a cell keeps whatever the batch: the process, weights, gradients and moments."""
    config = {"hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072, "vocab_size": 30522}
    config |= MODELS[cell["model"]]["config"]
    matrices = 3 if MODELS[cell["model"]].get("writes") else 2
    layer = 4 * config["hidden_size"] ** 2 + matrices * config["hidden_size"] * config["intermediate_size"]
    weights = config["num_hidden_layers"] * layer + config["vocab_size"] * config["hidden_size"]
    return PROCESS_BYTES + weights * (18 if cell["way"] in ("full", "lm-full") else 6)


def written(model: str, folder: Path) -> Path:
    """Return the files of a model with random weights, written in a process of its own where they are not there yet."""
    place = folder / model.replace("/", "--")
    if not place.exists():
        print(f"writing {model}", file=sys.stderr)
        command = [sys.executable, str(HERE / "estimate_cell.py"), "--write", model, str(place)]
        subprocess.run(command, check=True, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    return place


def measure(cells: list[Cell], device: str, threads: int, repeats: int) -> Iterator[Cell]:
    """Yield the rows of cells, measured in one new process; what ends it is a row too."""
    asked = json.dumps({"cells": cells, "device": device, "threads": threads, "repeats": repeats})
    worker = subprocess.Popen(
        [sys.executable, str(HERE / "estimate_cell.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    try:
        printed, errors = worker.communicate(asked, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        printed, errors = worker.communicate()
    yield from (json.loads(line) for line in printed.splitlines() if line.startswith("{"))
    if worker.returncode:
        print(f"  ended with {worker.returncode}: {errors.strip().splitlines()[-1:]}", file=sys.stderr)


def keep_rates(precisions: Iterable[str], device: str, threads: int, path: Path) -> None:
    """Append what a device achieves in each precision.

    Raises:
        subprocess.CalledProcessError: it could not be measured.
    """
    for precision in precisions:
        print(f"rates of {device} in {precision}", file=sys.stderr)
        command = [sys.executable, str(HERE / "estimate_cell.py"), "--rates", device, precision, str(threads)]
        printed = subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True).stdout
        with path.open("a", encoding="utf-8") as kept:
            kept.write(printed.strip().splitlines()[-1] + "\n")


def run(options: argparse.Namespace) -> None:
    """Measure what is open, and append each row as soon as it is known."""
    timed = options.only != "memory"
    cells = open_cells(options.device, read_results(options.results), timed=timed, only=options.model)
    if timed:
        precisions = dict.fromkeys(cell["precision"] for cell in cells)
        keep_rates(precisions, options.device, options.threads, options.rates)
    groups = [[cell] for cell in cells]
    if options.device == "cuda":
        groups = [[cell for cell in cells if cell["model"] == model] for model in MODELS]
    options.results.parent.mkdir(parents=True, exist_ok=True)
    started, count = time.monotonic(), 0
    with TemporaryDirectory() as kept:
        for group in filter(None, groups):
            if options.minutes and time.monotonic() - started > 60 * options.minutes:
                break
            first = " ".join(str(group[0][name]) for name in KEY)
            if options.device == "cpu":
                if states_bytes(group[0]) > SHARE_OF_FREE * free_bytes():
                    print(f"{first}: left out, too little memory is free", file=sys.stderr)
                    continue
                group = [cell | {"folder": str(written(cell["model"], Path(kept)))} for cell in group]
            count += len(group)
            print(f"{count} of {len(cells)}  {first}", file=sys.stderr)
            with options.results.open("a", encoding="utf-8") as results:
                for row in measure(group, options.device, options.threads, options.repeats if timed else 0):
                    results.write(json.dumps(row) + "\n")


def main() -> None:
    """Measure, or print the table of errors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--only", choices=["memory"], help="memory alone, which other work does not disturb")
    parser.add_argument("--model", help="only models whose name has this in it")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch (default: its own choice)")
    parser.add_argument("--repeats", type=int, default=5, help="timings of a cell (default 5)")
    parser.add_argument("--minutes", type=float, help="start no further cell after so long")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--rates", type=Path, default=RATES)
    parser.add_argument("--table", action="store_true", help="print the forecasts' errors on what is measured")
    parser.add_argument("--each", action="store_true", help="with --table, every forecast beside what was measured")
    options = parser.parse_args()
    if options.table:
        from estimate_errors import table

        used = {name for name, made in MODELS.items() if made["fitted"]}
        rows, rates = read_results(options.results), read_results(options.rates)
        print(table(rows, used, rates, each=options.each))
    else:
        run(options)


if __name__ == "__main__":
    main()
