"""The errors of the forecasts on the measured record, apart for models used for fitting and those held out."""

import statistics
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from advisor.estimates.forecast import default_settings
from advisor.estimates.latency import encoding_ms, writing_ms
from advisor.estimates.memory import total, training_memory
from advisor.estimates.place import Place, training_place
from advisor.estimates.training_time import training_seconds
from advisor.knowledge.catalogue import BaseModelFacts, load_catalogue
from advisor.knowledge.interval import Interval
from advisor.machine import Machine
from advisor.rates import MachineRates
from advisor.strategies import STRATEGIES, Engine, Passes, TextLoad, Workload

Row = dict[str, Any]
STRATEGY: dict[str, tuple[str, Engine]] = {
    "full": ("full-fine-tuning", "encoder"),
    "partial": ("partial-unfreezing", "encoder"),
    "lora": ("lora", "encoder"),
    "lm-full": ("full-fine-tuning", "llm-local"),
    "lm-lora": ("lora", "llm-local"),
    "embed": ("linear-probe", "encoder"),
}
# What a row and a device's rates have in common, where they are of the same work.
SAME = ("processor", "card", "threads", "precision")
WRITTEN = Interval.exactly(16.0)
HEADING = """\
| models | quantity | cells | median error | 90th percentile | within the interval | above it |
|---|---|---|---|---|---|---|"""


class Compared(NamedTuple):
    """A forecast beside what was measured."""

    model: str
    way: str
    quantity: str
    forecast: Interval
    measured: float

    @property
    def error(self) -> float:
        """How far the point is off, as a share of what was measured."""
        return abs(self.forecast.point / self.measured - 1)

    @property
    def covered(self) -> bool:
        """Whether what was measured lies within the interval."""
        return self.forecast.low <= self.measured <= self.forecast.high


def table(rows: Iterable[Row], used: Collection[str], rates: Sequence[Row], *, each: bool = False) -> str:
    """Return the errors as a Markdown table, or every forecast in a line of its own.

    Args:
        rows: of the record.
        used: names of the models that constants may be fitted to.
        rates: what devices were measured to achieve.
        each: whether every forecast is shown.
    """
    found = [one for row in latest(rows) for one in compared(row, rates)]
    if each:
        return "\n".join(
            f"{one.model:40} {one.way:8} {one.quantity:14} {one.forecast.point:12.4g} [{one.forecast.low:.4g}, "
            f"{one.forecast.high:.4g}]  measured {one.measured:.4g}  {one.forecast.point / one.measured - 1:+.0%}"
            for one in found
        )
    lines = [HEADING]
    for fitted, title in ((True, "fitted"), (False, "held out")):
        own = [one for one in found if (one.model in used) is fitted]
        for quantity in dict.fromkeys(one.quantity for one in found):
            some = [one for one in own if one.quantity == quantity]
            if some:
                lines.append(f"| {title} | {quantity} | {errors(some)} |")
    return "\n".join(lines)


def errors(some: list[Compared]) -> str:
    """Return the cells of a line: how many, median and 90th percentile, shares within and above the interval."""
    off = [one.error for one in some]
    within = statistics.mean(one.covered for one in some)
    above = statistics.mean(one.measured > one.forecast.high for one in some)
    return f"{len(some)} | {statistics.median(off):.0%} | {np.percentile(off, 90):.0%} | {within:.0%} | {above:.0%}"


def latest(rows: Iterable[Row]) -> list[Row]:
    """Return one row a cell and device: the last with times, else the last."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in ("device", "model", "way", "batch", "length", "precision", "recompute"))
        if key not in found or "seconds" in row or "seconds" not in found[key]:
            found[key] = row
    return list(found.values())


def compared(row: Row, rates: Sequence[Row]) -> Iterator[Compared]:
    """Yield the forecasts of a row beside what it measured; none where it ran out of memory."""
    model = load_catalogue().models.get(row["model"])
    if model is None or "peak_bytes" not in row:
        return
    place, way = place_of(row, rates), row["way"]

    def one(quantity: str, forecast: Interval, measured: float) -> Compared:
        return Compared(row["model"], way, quantity, forecast, measured)

    if way in STRATEGY:
        work, load = workload(row, model)
        longest = Interval.exactly(float(row["length"]))
        yield one(
            f"memory, {row['device']}", total(training_memory(work, model, load, longest, place)), row["peak_bytes"]
        )
        if "seconds" in row and row["batch"] > 1:
            terms = training_seconds(work, model, place)
            spent = total({name: term for name, term in terms.items() if name not in ("start", "saving")})
            yield one(f"pass, {row['device']}" if way == "embed" else f"update, {row['device']}", spent, row["seconds"])
    if "seconds" in row and (way == "answer" or (way == "embed" and row["batch"] == 1)):
        spent = total(encoding_ms(model, row["length"], place, tuned=way == "answer"))
        yield one(f"latency, {row['device']}", spent, 1e3 * row["seconds"])
    if "seconds" in row and way in ("prefill", "decode") and row["batch"] == 1:
        terms = writing_ms(model, row["length"], WRITTEN, place)
        spent = terms["reading"] if way == "prefill" else terms["writing"].times(1 / WRITTEN.point)
        yield one(f"{way}, {row['device']}", spent, 1e3 * row["seconds"])


def place_of(row: Row, rates: Sequence[Row]) -> Place:
    """Return where a row was measured, with the rates that the device had nearest to that time."""
    device = "gpu" if row["device"] == "cuda" else "cpu"
    known = [one for one in rates if all(one.get(name) == row.get(name) for name in SAME)]
    nearest = min(known, key=lambda one: abs(_when(one) - _when(row)), default=None)
    there = Machine(
        cores=row["threads"],
        memory_bytes=None,
        units=row.get("units", "unknown"),
        gpu=device == "gpu",
        cards=(row["card"],) if device == "gpu" else (),
        rates=(_rates(nearest, device),) if nearest else (),
    )
    facts = {"compute.device": device, "compute.devices": 1, "compute.card": row.get("card")}
    return training_place(facts, there)._replace(precision=row["precision"])


def _when(row: Row) -> datetime:
    return datetime.fromisoformat(row["measured_at"])


def _rates(row: Row, device: str) -> MachineRates:
    known = {one.name: row[one.name] for one in fields(MachineRates) if one.name in row}
    return MachineRates(**known | {"device": device})


def workload(row: Row, model: BaseModelFacts) -> tuple[Workload, TextLoad]:
    """Return the work of a single update or pass, as the strategy has it, and its texts."""
    strategy, engine = STRATEGY[row["way"]]
    rows, length = row["batch"], row["length"]
    settings = default_settings(strategy, engine)
    if row["way"] != "embed":
        settings = settings.model_copy(update={"batch_size": rows, "batch_tokens": rows * length})
    if row["way"] in ("lm-full", "lm-lora"):
        settings = settings.model_copy(update={"recompute": row["recompute"]})
    load = TextLoad(rows=float(rows), tokens=float(length), classes=2, longest=float(length))
    work = STRATEGIES[strategy].workload(model, load, settings)
    learning = next((one for one in work.passes if one.backward), Passes(0.0, 0.0))
    once = Passes(float(rows * length), float(length), learning.backward, float(row["recompute"]))
    work = work._replace(passes=(once,), weight_copies=0, recompute=row["recompute"], features=0, compared=0.0)
    if row["way"] == "embed":
        return work._replace(head_flops=0.0, trained_parameters=0), load
    return work._replace(updates=1, batch_texts=float(rows)), load
