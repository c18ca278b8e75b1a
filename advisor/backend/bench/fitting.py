"""The fit: from timed points to rates that carry over to other lengths, batches and models."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from advisor.backend.bench.points import Point


class PassCosts(NamedTuple):
    """What passes take beyond their products: ns a unit and a score; for updates also ms a layer and ns a weight."""

    ns_per_unit: float
    ns_per_score: float
    layer_ms: float = 0.0
    ns_per_weight: float = 0.0


class SingleCosts(NamedTuple):
    """What a single text takes: ms a layer, ns a weight, and 10^9 operations a second as it grows."""

    layer_ms: float
    ns_per_weight: float
    gflops: float


def pass_costs(points: Sequence[Point], matmul_gflops: float, *, updates: bool) -> PassCosts:
    """Fit what is left of the time after products at their full rate.

    Normalisation, activation, dropout and residuals read and write every unit a fixed number of times whatever the
    width, softmax every score. An update costs something by layer and by weight however small its batch.

    Args:
        points: of one kind.
        matmul_gflops: rate of products.
        updates: whether points are updates, rather than passes in batches that are large.
    """
    rest = [max(0.0, point.seconds - point.flops / matmul_gflops / 1e9) for point in points]
    columns = [[1e-9 * point.units, 1e-9 * point.scores] for point in points]
    if updates:
        columns = [
            [*row, 1e-3 * point.layers, 1e-9 * point.weights] for row, point in zip(columns, points, strict=True)
        ]
    return PassCosts(*_fitted(columns, rest, points))


def single_costs(points: Sequence[Point]) -> SingleCosts:
    """Fit the times of single texts: an overhead a layer, reading or casting every weight, operations."""
    columns = [[1e-3 * point.layers, 1e-9 * point.weights, 1e-9 * point.flops] for point in points]
    layer, weight, operation = _fitted(columns, [point.seconds for point in points], points)
    fastest = max(point.flops / point.seconds / 1e9 for point in points)
    return SingleCosts(layer, weight, 1 / operation if operation > 0 else fastest)


def _fitted(columns: list[list[float]], seconds: list[float], points: Sequence[Point]) -> list[float]:
    """Return one cost a column, none below 0, by least squares of errors relative to the points' whole times."""
    whole: NDArray[np.float64] = np.array([point.seconds for point in points])
    found, _ = nnls(np.array(columns) / whole[:, None], np.array(seconds) / whole)
    return [float(cost) for cost in found]
