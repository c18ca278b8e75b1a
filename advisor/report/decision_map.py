"""The decision map: the verdict over one input or two, all other answers as they are, and where the project is."""

from typing import Any

from advisor.decision.advice import Advice
from advisor.decision.facts import with_answer
from advisor.decision.nearby import Nearby
from advisor.decision.sweep import LABELS
from advisor.report.axes import Axis, axis_input, axis_of

_COLUMNS = 33
_ROWS = 9


def decision_map(advice: Advice, x: str | None = None, y: str | None = None) -> dict[str, Any] | None:
    """Decide anew at every point of a grid.

    Args:
        advice: where the project is.
        x: the input across, by full or short name; if left out the number of labels, and up the numeric input with the
            nearest flip.
        y: the input up; if left out too there is one row.

    Returns:
        ``x_input`` and ``x``, ``y_input`` and ``y``: the inputs and their values, those of ``y`` falling from row to
        row, None where there is one; ``rows``: the strategies by row, None where none is feasible; ``here``: column and
        row of the project, each None where it has no such value. Nothing where ``x`` is left out and the labels are not
        counted.

    Raises:
        InputError: no such input, or the same twice.
    """
    decision = advice.decision
    nearby = Nearby(decision.answers, decision.base, decision.machine)
    if x is None:
        if decision.facts.values.get(LABELS) is None:
            return None
        x, y = LABELS, _nearest_other(advice)
    across = axis_of(decision, nearby, axis_input(x), _COLUMNS)
    up = _falling(axis_of(decision, nearby, axis_input(y), _ROWS)) if y else None
    rows = []
    for other in up.values if up else [None]:
        answers = with_answer(decision.answers, up.input, other) if up else dict(decision.answers)
        verdicts = (nearby.verdict(with_answer(answers, across.input, value)) for value in across.values)
        rows.append([verdict.strategy if verdict else None for verdict in verdicts])
    return {
        "x_input": across.input,
        "x": across.values,
        "y_input": up.input if up else None,
        "y": up.values if up else None,
        "rows": rows,
        "here": [across.here, up.here if up else 0],
    }


def _nearest_other(advice: Advice) -> str | None:
    """Return the numeric input, other than the labels, with the nearest flip."""
    factors: dict[str, float] = {}
    for flip in advice.flips:
        before, after = flip.before, flip.after
        if flip.input == LABELS or isinstance(before, bool) or not before or not after:
            continue
        if isinstance(before, int | float) and isinstance(after, int | float):
            factor = max(before, after) / min(before, after)
            factors[flip.input] = min(factor, factors.get(flip.input, factor))
    return min(factors, key=factors.__getitem__) if factors else None


def _falling(axis: Axis) -> Axis:
    """Return an axis turned round, so that the greatest number is in the row on top."""
    here = None if axis.here is None else len(axis.values) - 1 - axis.here
    return Axis(axis.input, axis.values[::-1], here)
