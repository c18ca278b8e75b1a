"""Conformal calibration: from how far forecasts were off, how to shift and widen the next one so that it holds."""

from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import NamedTuple

from advisor.knowledge.interval import Interval


class Checked(NamedTuple):
    """A forecast whose point is not 0, and what was measured, which is not 0 either."""

    forecast: Interval
    measured: float


class Calibration(NamedTuple):
    """What a forecast is multiplied by, and by what ratio its bounds are then moved apart; below 1, together."""

    bias: float
    margin: float


def calibrate(past: Sequence[Checked], coverage: float, fewest_for_bias: int) -> Calibration | None:
    """Return how to adjust the next forecast so that its interval holds with probability ``coverage``.

    Split conformal prediction (Papadopoulos et al. 2002; Lei et al. 2018, arXiv 1604.04173, theorem 2.2) with the score
    of conformal quantile regression (Romano et al. 2019, arXiv 1905.03222, equation 6) on logarithms, which is why
    differences are ratios here. The oldest runs give the bias, the median of measurement over point. Each of the m
    others has a score: the ratio by which its measurement was beyond the nearer bound of the shifted interval, below 1
    where it was within. The margin is the score of rank ``ceil((m + 1) coverage)``. Where the others and the next run
    are exchangeable, the next score is at most that with probability ``coverage``, whatever the distribution.

    Args:
        past: oldest first.
        coverage: share of forecasts that shall hold, below 1.
        fewest_for_bias: runs at least that give the bias.

    Returns:
        None where there are fewer runs than ``fewest(coverage)`` and those for the bias.
    """
    scored = max(fewest(coverage), len(past) // 2)
    if len(past) < scored + fewest_for_bias:
        return None
    oldest, others = past[:-scored], past[-scored:]
    bias = median(one.measured / one.forecast.point for one in oldest)
    scores = sorted(_score(one.forecast.times(bias), one.measured) for one in others)
    return Calibration(bias, scores[_rank(scored, coverage) - 1])


def adjusted(forecast: Interval, by: Calibration) -> Interval:
    """Return a forecast shifted, its bounds moved apart or together, but never past its point."""
    low, point, high = forecast.times(by.bias)
    return Interval(min(point, low / by.margin), point, max(point, high * by.margin))


def fewest(coverage: float) -> int:
    """Return how many scores it takes for one of them to be high enough."""
    count = 1
    while _rank(count, coverage) > count:
        count += 1
    return count


def _rank(count: int, coverage: float) -> int:
    # Rounded, because (count + 1) * 0.9 can come out a trifle above a whole number.
    return ceil(round((count + 1) * coverage, 9))


def _score(forecast: Interval, measured: float) -> float:
    return max(measured / forecast.high, forecast.low / measured)
