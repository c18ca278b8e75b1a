"""The decision map: the verdict over the number of labels and one more input, and where the project is."""

from collections.abc import Iterator
from typing import Any

from advisor.decision.advice import Advice
from advisor.decision.decide import Decision, decide_answers
from advisor.decision.derived import Answers
from advisor.decision.facts import with_answer
from advisor.errors import AdvisorError
from advisor.profile import INPUTS

_LABELS = "data.labelled"
_LABEL_RANGE = (8.0, 8000.0)
_COLUMNS = 33
_ROWS = 9
_REACH = 3.0


def decision_map(advice: Advice) -> dict[str, Any] | None:
    """Decide anew at every point of a grid, all other answers as they are.

    Returns:
        ``x``: numbers of labels; ``y_input`` and ``y``: the other input and its values, both None where no
        other numeric input changes the verdict; ``rows``: the strategies by row of ``y``, None where none is
        feasible; ``here``: column and row nearest to the project. None where the labels are not counted.
    """
    decision = advice.decision
    labelled = decision.facts.values.get(_LABELS)
    if not isinstance(labelled, int | float):
        return None
    count = max(float(labelled), 1.0)
    low, high = min(_LABEL_RANGE[0], count / _REACH), max(_LABEL_RANGE[1], count * _REACH)
    x = sorted({round(value) for value in _spread(max(low, 1.0), high, _COLUMNS)})
    other = _other_axis(advice)
    y_input, y = other if other else (None, [None])
    return {
        "x": x,
        "y_input": y_input,
        "y": y if y_input else None,
        "rows": [[_verdict(decision, labels, y_input, value) for labels in x] for value in y],
        "here": [_nearest(x, count), _nearest(y, float(decision.facts.values[y_input])) if y_input else 0],  # type: ignore[arg-type]
    }


def _other_axis(advice: Advice) -> tuple[str, list[float | None]] | None:
    """Return the numeric input, other than the labels, with the nearest flips, and values around them."""
    values = advice.decision.facts.values
    found: dict[str, list[float]] = {}
    for flip in advice.flips:
        now = values.get(flip.input)
        numeric = isinstance(now, int | float) and isinstance(flip.after, int | float)
        if flip.input == _LABELS or isinstance(now, bool) or not numeric or not now or not flip.after:
            continue
        found.setdefault(flip.input, [float(now)]).append(float(flip.after))
    if not found:
        return None
    name = min(found, key=lambda name: max(found[name][:2]) / min(found[name][:2]))
    low, high = min(found[name]) / _REACH, max(found[name]) * _REACH
    spread = list(_spread(low, high, _ROWS))
    if INPUTS[name].kind is int:
        spread = [float(value) for value in sorted({max(1, round(value)) for value in spread})]
    return name, [float(f"{value:.2g}") for value in reversed(spread)]


def _verdict(decision: Decision, labels: int, other: str | None, value: float | None) -> str | None:
    answers: Answers = with_answer(decision.answers, _LABELS, labels)
    if other and value is not None:
        answers = with_answer(answers, other, int(value) if INPUTS[other].kind is int else value)
    try:
        return decide_answers(answers, decision.base, decision.machine).winner.strategy.id
    except AdvisorError:
        return None


def _spread(low: float, high: float, count: int) -> Iterator[float]:
    for step in range(count):
        yield low * (high / low) ** (step / (count - 1))


def _nearest(values: list[Any], wanted: float) -> int:
    return min(range(len(values)), key=lambda place: abs(values[place] / wanted - 1))
