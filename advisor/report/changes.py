"""Changes: flips in the order and the words a reader wants, what gives a project more before what takes away."""

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.decision.flips import Flip
from advisor.knowledge.vocabulary import Value
from advisor.profile import INPUTS
from advisor.report.units import spoken

_LESS_IS_EASIER = frozenset({"task.target", "data.label_noise"})
_HARDLY = 0.02


@dataclass(frozen=True)
class Change:
    """A flip in words.

    Attributes:
        gives: whether it gives the project more to work with: labels, memory, hours, money, a looser limit.
    """

    input: str
    before: str
    after: str
    strategy: str
    gives: bool


def changes(flips: Iterable[Flip]) -> list[Change]:
    """Return flips in words, those that give more first; each group in the order of the questions."""
    found = [Change(f.input, spoken(f.input, f.before), _after(f), f.strategy, _gives(f)) for f in flips]
    return sorted(found, key=lambda change: not change.gives)


def _gives(flip: Flip) -> bool:
    before, after = _rank(flip.input, flip.before), _rank(flip.input, flip.after)
    return before > after if flip.input in _LESS_IS_EASIER else after > before


def _rank(name: str, value: Value) -> float:
    """Return a number as it is, a word by its place among the choices, which go from the least to the most."""
    if not isinstance(value, str):
        return float(value or 0)
    choices = INPUTS[name].choices if name in INPUTS else ()
    return float(choices.index(value)) if value in choices else 0.0


def _after(flip: Flip) -> str:
    """Return the value that flips; beside a number that it hardly differs from, on which side of it it lies."""
    before, after = flip.before, flip.after
    if isinstance(before, float) and isinstance(after, float) and 0 < abs(after - before) <= _HARDLY * abs(before):
        return f"{'over' if after > before else 'under'} {spoken(flip.input, before)}"
    return spoken(flip.input, after)
