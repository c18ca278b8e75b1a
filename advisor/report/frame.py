"""The frame of a plot: where its area lies in a drawing, its upward scale, and ticks."""

from collections.abc import Callable
from dataclasses import dataclass

LETTER = 7.2
"""Pixels that a letter takes on average."""
Scale = Callable[[float], float]


@dataclass(frozen=True)
class Tick:
    """A tick: its place in pixels and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Frame:
    """A drawing's size and the edges of the plotted area in it, in pixels from the left and from the top."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    def upwards(self, lowest: float, highest: float, step: float) -> tuple[Scale, list[Tick]]:
        """Return how high a value stands, and a tick at every step of what the area spans."""

        def up(value: float) -> float:
            return self.top + (self.bottom - self.top) * (highest - value) / max(highest - lowest, step)

        values = [lowest + number * step for number in range(round((highest - lowest) / step) + 1)]
        return up, [Tick(up(value), f"{value:.2f}") for value in values]
