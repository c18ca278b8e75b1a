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

HERE = "the data at hand"


class Cell(NamedTuple):
    """One measurement, or the mean of alike ones.

    Attributes:
        data: name of the data set; `HERE` for the user's.
        strategy: id.
        per_class: labelled rows divided by classes.
        classes: number of classes.
        value: the leading measure, a share such as accuracy.
        judged: held-out rows that a fit was judged on.
        fits: draws and seeds that ``value`` is the mean of.
    """

    data: str
    strategy: str
    per_class: float
    classes: int
    value: float
    judged: int
    fits: int = 1


@cache
def evidence(folder: Path | None = None) -> tuple[Cell, ...]:
    """Return the shipped measurements of encoders, seeds averaged, always in one order.

    What ``encoder.jsonl`` lacks is taken from ``scores.jsonl``, as far as that says on how many rows it was measured.

    Raises:
        RuleBaseError: a line is not a measurement.
    """
    folder = folder or asset("rules", "evidence")
    trials = _lines(folder / "encoder.jsonl", (*_KEYS, "accuracy"))
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
    return tuple(
        Cell(
            data=data,
            strategy=strategy,
            per_class=sum(row["labelled"] for row in same) / len(same) / same[0]["classes"],
            classes=same[0]["classes"],
            value=math.fsum(row["accuracy"] for row in same) / len(same),
            judged=same[0]["test_rows"],
            fits=len(same),
        )
        for (data, strategy, _), same in sorted(alike.items())
    )


_KEYS = ("data", "strategy", "size", "labelled", "classes", "test_rows")
