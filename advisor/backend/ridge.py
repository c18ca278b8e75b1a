"""Ridge regression on frozen features, its strength chosen by leaving out one row at a time, in closed form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats, Indices
from advisor.backend.axes import PrincipalAxes
from advisor.backend.head import LinearHead
from advisor.backend.settings import ProbeSettings

_Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class RidgeFit:
    """Fitted numbers.

    Attributes:
        head: one row a column of the targets, in their unit.
        strength: penalty chosen, as a share of the features' variance.
        scores: root mean squared error of rows left out, by strength, over all columns.
        left_out: (rows, columns) predictions of ``rows``, each made without it.
        rows: numbers of the rows that the strength was chosen on.
    """

    head: LinearHead
    strength: float
    scores: dict[float, float]
    left_out: Floats
    rows: Indices


def fit_ridge(features: Floats, targets: NDArray[Any], settings: ProbeSettings, *, seed: int = 0) -> RidgeFit:
    """Fit ridge regression with a free intercept.

    Args:
        features: (rows, hidden).
        targets: (rows,) or (rows, columns).
        settings: strengths to try, and the most rows to try them on.
        seed: of the rows that the strength is chosen on.
    """
    some = np.random.default_rng(seed).permutation(len(targets))[: settings.search_rows]
    axes = PrincipalAxes.of(features[some])
    ridge = Ridge(axes, targets[some])
    errors = {strength: ridge.left_out_errors(strength * axes.variance) for strength in settings.ridge_grid}
    scores = {strength: float(np.sqrt((error**2).mean())) for strength, error in errors.items()}
    chosen = min(scores, key=lambda strength: scores[strength])
    left_out = (ridge.targets + ridge.mean - errors[chosen]).astype(np.float32)
    if len(some) < len(targets):
        axes = PrincipalAxes.of(features)
        ridge = Ridge(axes, targets)
    return RidgeFit(ridge.head(chosen * axes.variance), chosen, scores, left_out, some)


class Ridge:
    """Ridge regression in the features' principal axes, where every penalty's solution is at hand.

    Args:
        axes: of the features.
        targets: (rows,) or (rows, columns).
    """

    def __init__(self, axes: PrincipalAxes, targets: NDArray[Any]) -> None:
        columns = targets.reshape(len(targets), -1).astype(np.float64)
        self.axes = axes
        self.mean: _Doubles = columns.mean(axis=0)
        self.targets: _Doubles = columns - self.mean
        self.moments: _Doubles = axes.scores.T @ self.targets

    def left_out_errors(self, penalty: float) -> _Doubles:
        """Return (rows, columns) errors of rows left out, the penalty being on the summed squared error.

        A row's error when it is left out is its error when it is not, over one minus its leverage (Allen 1974,
        https://doi.org/10.1080/00401706.1974.10489157).
        """
        shrunk = self._shrunk(penalty)
        errors = self.targets - self.axes.scores @ (self.moments * shrunk[:, None])
        leverage = self.axes.scores**2 @ shrunk + 1 / len(self.targets)
        found: _Doubles = errors / np.maximum(1 - leverage, 1e-9)[:, None]
        return found

    def head(self, penalty: float) -> LinearHead:
        """Return the fitted head."""
        inner = (self.moments * self._shrunk(penalty)[:, None]).astype(np.float32)
        weight, bias = self.axes.back(inner, self.mean.astype(np.float32))
        return LinearHead(np.ascontiguousarray(weight.T), bias)

    def _shrunk(self, penalty: float) -> _Doubles:
        return 1 / (self.axes.squares.astype(np.float64) + max(penalty, 1e-12))
