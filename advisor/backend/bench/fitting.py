"""The fit: from timed points to rates that carry over to other lengths, batches and models."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from advisor.backend.bench.points import Point


class PassCosts(NamedTuple):
    """What passes take beyond their products: ns a unit, ns a score, seconds a call."""

    ns_per_unit: float
    ns_per_score: float
    call_seconds: float


class SingleCosts(NamedTuple):
    """What a single text takes: seconds however short it is, and 10^9 operations a second as it grows."""

    call_seconds: float
    gflops: float


def pass_costs(points: Sequence[Point], matmul_gflops: float, *, calls: bool) -> PassCosts:
    """Fit what is left of the time after products at their full rate, to no negative costs and relative errors.

    ``seconds = flops / rate + a * units + b * scores + c``: normalisation, activation, dropout and residuals read and
    write every unit a fixed number of times whatever the width, softmax every score.

    Args:
        points: of one kind.
        matmul_gflops: rate of products.
        calls: whether a point is one call with a cost of its own.
    """
    seconds = np.array([point.seconds for point in points])
    rest = np.maximum(0.0, seconds - np.array([point.flops for point in points]) / matmul_gflops / 1e9)
    columns = [[point.units / 1e9, point.scores / 1e9, 1.0 if calls else 0.0] for point in points]
    found, _ = nnls(np.array(columns) / seconds[:, None], rest / seconds)
    return PassCosts(*map(float, found))


def single_costs(points: Sequence[Point]) -> SingleCosts:
    """Fit a line through the times of single texts over their operations, to no negative costs and relative errors."""
    seconds = np.array([point.seconds for point in points])
    columns = np.array([[1.0, point.flops / 1e9] for point in points])
    (call, per_gflop), _ = nnls(columns / seconds[:, None], np.ones(len(points)))
    fastest = max(point.flops / point.seconds / 1e9 for point in points)
    return SingleCosts(float(call), 1 / float(per_gflop) if per_gflop > 0 else fastest)
