"""A correction: what past runs teach about the forecasts of one quantity."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Correction:
    """What past runs on one device of a machine teach about the forecasts of one quantity.

    A forecast is multiplied by ``bias``; then its bounds are moved apart by the ratio ``margin``, or together where
    that is below 1, but never past the point.

    Attributes:
        quantity: its name in a forecast.
        device: ``cpu`` or ``gpu``.
        work: ``passes`` where pre-trained weights stay, ``updates`` where they learn, ``any`` where that makes no
            difference.
        runs: how many runs it rests on.
    """

    quantity: str
    device: str
    work: str
    runs: int
    bias: float
    margin: float
