"""Cells: what a strategy reached on a data set at a number of labels, measured anywhere."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from advisor.assets import asset
from advisor.errors import RuleBaseError
from advisor.tasks import TASKS

HERE = "the data at hand"


class Cell(NamedTuple):
    """One measurement, or the mean of alike ones.

    Attributes:
        data: name of the data set; `HERE` for the user's.
        strategy: id.
        per_class: labelled rows divided by classes.
        classes: number of classes; 1 where a row has none.
        value: the leading measure, a share such as accuracy; less than nothing counts as nothing.
        judged: held-out rows that a fit was judged on.
        fits: draws and seeds that ``value`` is the mean of.
        task: id of the task.
        natural: whether rows were drawn as they come, as test rows are, and not in equal shares of classes; that can
            make as much of a difference as another data set.
    """

    data: str
    strategy: str
    per_class: float
    classes: int
    value: float
    judged: int
    fits: int = 1
    task: str = "text-classification"
    natural: bool = False


def classes_of(task: str, names: int) -> int:
    """Return by how many classes the labelled rows of a task are divided to compare data sets."""
    return names if TASKS[task].predicts in ("class", "classes") else 1


@cache
def evidence(folder: Path | None = None) -> tuple[Cell, ...]:
    """Return the shipped measurements of encoders, seeds averaged, always in one order.

    What ``encoder.jsonl`` lacks is taken from ``scores.jsonl``, as far as that says on how many rows it was measured.

    Raises:
        RuleBaseError: a line is not a measurement.
    """
    folder = folder or asset("rules", "evidence")
    trials = _lines(folder / "encoder.jsonl", _KEYS)
    there = {(row["data"], row["strategy"], row["size"]) for row in trials}
    scores = [
        row
        for row in _lines(folder / "scores.jsonl", ("data", "strategy", "labels_per_class", "accuracy"))
        if "test_rows" in row and (row["data"], row["strategy"], str(row["labels_per_class"])) not in there
    ]
    return (*cells_of(trials), *map(_cell, scores))


def _lines(path: Path, keys: Iterable[str]) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            rows.append({name: row[name] for name in keys} | row)
        except (ValueError, KeyError) as wrong:
            raise RuleBaseError(f"this is no measurement: {wrong!r}", path, number) from None
    return rows


def _cell(score: dict[str, Any]) -> Cell:
    return Cell(
        score["data"],
        score["strategy"],
        score["labels_per_class"],
        score["classes"],
        score["accuracy"],
        score["test_rows"],
        score["seeds"],
    )


def cells_of(rows: Iterable[dict[str, Any]]) -> tuple[Cell, ...]:
    """Average benchmark rows of the same strategy, data and size over seeds."""
    alike: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        alike[row["data"], row["strategy"], row["size"]].append(row)
    return tuple(_mean(same) for _, same in sorted(alike.items()))


def _mean(alike: list[dict[str, Any]]) -> Cell:
    one = alike[0]
    classes, leading = classes_of(one["task"], one["classes"]), TASKS[one["task"]].measures[0].key
    return Cell(
        data=one["data"],
        strategy=one["strategy"],
        per_class=sum(row["labelled"] for row in alike) / len(alike) / classes,
        classes=classes,
        value=max(0.0, math.fsum(row[leading] for row in alike) / len(alike)),
        judged=one["test_rows"],
        fits=len(alike),
        task=one["task"],
        natural=bool(one["labelled"]) and not one["size"].isdigit(),
    )


_KEYS = ("data", "strategy", "size", "task", "labelled", "classes", "test_rows")
