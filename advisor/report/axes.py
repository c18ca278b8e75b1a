"""An axis of the decision map: an input, the values it takes there, and the place of the project among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, log

from advisor.decision.decide import Decision
from advisor.decision.flips import flips_of
from advisor.decision.nearby import Nearby
from advisor.decision.sweep import LABELS, Sweep
from advisor.documents import suggest
from advisor.errors import InputError
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import INPUTS

_LABEL_RANGE = (8.0, 8000.0)
_REACH = 3.0
_SPOKEN = {"labels": LABELS}


@dataclass(frozen=True)
class Axis:
    """An axis; ``here`` is the place of the project's value, None where the project has none.

    Numbers rise along ``values``; words stand in the order of the question.
    """

    input: str
    values: list[Value]
    here: int | None


def axis_input(name: str) -> str:
    """Return the input meant by a full or short name: ``compute.memory_gb``, ``memory_gb``, ``memory``, ``labels``.

    Raises:
        InputError: no input, or several.
    """
    drawn = [full for full, fact in FACTS.items() if full in INPUTS and (fact.kind != "word" or fact.choices)]
    wanted = _SPOKEN.get(name, name)
    fields = {full: full.partition(".")[2] for full in drawn}
    for matches in (
        [full for full in drawn if full == wanted],
        [full for full, field in fields.items() if field == wanted],
        [full for full, field in fields.items() if field.startswith(wanted)],
        [full for full, field in fields.items() if wanted in field],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches and wanted:
            raise InputError(f"'{name}' may mean {' or '.join(matches)}; name one of them in full")
    raise InputError(f"there is no input '{name}' to draw a map over{suggest(name, [*drawn, *fields.values()])}")


def axis_of(decision: Decision, nearby: Nearby, name: str, count: int) -> Axis:
    """Return an axis over an input: all words, or about ``count`` numbers around the project and its nearest flips."""
    now = decision.facts.values.get(name)
    fact = FACTS[name]
    if fact.kind != "number":
        choices: list[Value] = list(fact.choices or (False, True))
        return Axis(name, choices, choices.index(now) if now in choices else None)
    low, high = _range(decision, Sweep(nearby, decision.candidates, name), now)
    values = {_rounded(name, value) for value in _spread(low, high, count)}
    here = float(now) if isinstance(now, int | float) else None
    if here is not None:
        values.discard(min(values, key=lambda value: abs(log(value) - log(here)) if here > 0 else value))
        values.add(here)
    whole = INPUTS[name].kind is int
    ordered: list[Value] = [int(value) if whole else value for value in sorted(values)]
    return Axis(name, ordered, None if here is None else ordered.index(here))


def _range(decision: Decision, sweep: Sweep, now: Value) -> tuple[float, float]:
    """Return the least and the greatest number of an axis, both above zero and within the input's bounds."""
    asked = INPUTS[sweep.name]
    here = float(now) if isinstance(now, int | float) else 0.0
    if now is None:
        points = [float(value) for value, _ in sweep.others() if isinstance(value, int | float)]
    else:
        winner = decision.winner.strategy.id
        points = [float(flip.after) for flip in flips_of(decision, sweep, lambda s: s != winner)]  # type: ignore[arg-type]
    points = [point for point in (*points, here) if point > 0] or [1.0]
    low, high = min(points) / _REACH, max(points) * _REACH
    if sweep.name == LABELS:
        low, high = min(_LABEL_RANGE[0], max(here, 1.0) / _REACH), max(_LABEL_RANGE[1], here * _REACH)
    least = 1.0 if asked.kind is int else 0.001
    top = asked.high if asked.high < inf else high
    return max(low, least, asked.low), max(min(high, top), 2 * least)


def _spread(low: float, high: float, count: int) -> Iterator[float]:
    for step in range(count):
        yield low * (high / low) ** (step / (count - 1))


def _rounded(name: str, value: float) -> float:
    return float(round(value)) if INPUTS[name].kind is int else float(f"{value:.2g}")
