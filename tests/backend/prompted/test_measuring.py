from collections.abc import Sequence

import pytest

from advisor.backend.prompted.calibration import Calibration
from advisor.backend.prompted.demonstrations import Way
from advisor.backend.prompted.measuring import Measured, best
from advisor.tasks import TASKS, Measure

ACCURACY = TASKS["text-classification"].measures[0]
PEARSON, _, RMSE = TASKS["regression"].measures


def ways(*figures: tuple[float, float | None]) -> list[Measured]:
    return [Measured(Way(None), Calibration(), None, value, loss) for value, loss in figures]


@pytest.mark.parametrize(
    ("measure", "figures", "expected"),
    [
        (ACCURACY, [(0.5, 0.9), (0.6, 0.8)], 1),
        (ACCURACY, [(0.5, 0.8), (0.5, 0.9), (0.5, 0.8)], 0),
        (ACCURACY, [(0.58, 0.7), (0.6, 0.9), (0.3, 0.1)], 0),
        (ACCURACY, [(0.9, 0.1), (1.0, 0.9)], 1),
        (ACCURACY, [(0.58, None), (0.6, None), (0.6, None)], 1),
        (PEARSON, [(0.58, None), (0.6, None)], 1),
        (RMSE, [(0.7, None), (0.5, None), (0.6, None)], 1),
    ],
)
def test_the_measure_decides_and_log_loss_where_it_cannot(
    measure: Measure, figures: Sequence[tuple[float, float | None]], expected: int
) -> None:
    found = ways(*figures)
    assert best(found, measure, rows=100, sureness=1) is found[expected]


def test_no_sureness_leaves_all_to_the_measure() -> None:
    found = ways((0.58, 0.1), (0.6, 0.9))
    assert best(found, ACCURACY, rows=10, sureness=0) is found[1]
    assert best(found, ACCURACY, rows=10, sureness=1) is found[0]
