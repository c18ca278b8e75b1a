"""Steps: the numbers an input can be set to, in order - whole ones, or those of three significant digits."""

from collections.abc import Callable, Iterable, Iterator
from math import ceil, floor, inf
from typing import TypeVar

from advisor.profile import Input

_MANTISSAS = 900
_LEAST_EXPONENT = -5
_FARTHEST = 1e12

VerdictT = TypeVar("VerdictT")


class Steps:
    """The steps of one input within its bounds, by place; ``first`` and ``last`` are the places of the outermost.

    Whole numbers for an input that is one; else zero and the numbers of three significant digits from 0.001, which is
    how values are printed.
    """

    def __init__(self, asked: Input, *, low: float = -inf, high: float = inf) -> None:
        self.whole = asked.kind is int
        low, high = max(low, asked.low, 0.0), min(high, asked.high, _FARTHEST)
        self.first = self.at_most(low) if low > 0 or not asked.exceeds_low else 1
        if self[self.first] < low:
            self.first += 1
        self.last = self.at_most(high)

    def __getitem__(self, place: int) -> float:
        if self.whole or place == 0:
            return place
        exponent, mantissa = divmod(place - 1, _MANTISSAS)
        return float(f"{mantissa + 100}e{exponent + _LEAST_EXPONENT}")

    def at_most(self, number: float) -> int:
        """Return the place of the greatest step that does not exceed a number that is not negative."""
        if self.whole:
            return floor(number)
        if number < self[1]:
            return 0
        digits, _, exponent = f"{number:.2e}".partition("e")
        place = (int(exponent) - 2 - _LEAST_EXPONENT) * _MANTISSAS + int(digits.replace(".", "")) - 99
        return place if self[place] <= number else place - 1

    def around(self, number: float) -> tuple[int, int]:
        """Return where comparisons with a number may turn out otherwise than one place before."""
        place = self.at_most(max(number, 0.0))
        return place, place + 1

    def upwards(self, number: float) -> int:
        """Return the place of the least step above a number."""
        return floor(number) + 1 if self.whole else self.at_most(number) + 1

    def downwards(self, number: float) -> int:
        """Return the place of the greatest step below a number."""
        if self.whole:
            return ceil(number) - 1
        place = self.at_most(number)
        return place - 1 if self[place] == number else place


def changes(
    verdict: Callable[[int], VerdictT], start: int, stop: int, turns: Iterable[int], *, gradual: bool
) -> Iterator[tuple[int, VerdictT]]:
    """Yield the verdict at ``start`` and at every place towards ``stop`` where it becomes another.

    Args:
        verdict: by place.
        start: the first place.
        stop: the last place, on either side.
        turns: places where the verdict may differ from the place before.
        gradual: whether it may differ between them too; the place is then found by bisection.
    """
    low, high = min(start, stop), max(start, stop)
    begins = [low, *sorted({turn for turn in turns if low < turn <= high})]
    spans = [(begin, end - 1) for begin, end in zip(begins, [*begins[1:], high + 1], strict=True)]
    if stop < start:
        spans = [(end, begin) for begin, end in reversed(spans)]
    last: list[VerdictT] = []
    for near, far in spans:
        now = verdict(near)
        if now not in last:
            yield near, now
        last = [now]
        while gradual and near != far and verdict(far) != now:
            near = first_other(verdict, near, far)
            now = verdict(near)
            yield near, now
            last = [now]


def first_other(verdict: Callable[[int], VerdictT], near: int, far: int) -> int:
    """Return the first place from ``near`` towards ``far`` whose verdict is not that of ``near``, by bisection."""
    now = verdict(near)
    while abs(far - near) > 1:
        middle = (near + far) // 2
        if verdict(middle) == now:
            near = middle
        else:
            far = middle
    return far
