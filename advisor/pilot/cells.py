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
def evidence(path: Path | None = None) -> tuple[Cell, ...]:
    """Return the shipped measurements of encoders, seeds averaged, in the order of their names.

    Raises:
        RuleBaseError: a line is not a measurement.
    """
    path = path or asset("rules", "evidence", "encoder.jsonl")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            rows.append({name: row[name] for name in (*_KEYS, "accuracy")})
        except (ValueError, KeyError) as wrong:
            raise RuleBaseError(f"this is no measurement: {wrong!r}", path, number) from None
    return cells_of(rows)


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
