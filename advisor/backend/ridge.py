"""Ridge regression on frozen features, its strength chosen by leaving out one row at a time, in closed form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.head import LinearHead
from advisor.backend.settings import ProbeSettings

_Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class RidgeFit:
    """Fitted numbers.

    Attributes:
        head: one row a column of the targets, in their unit.
        strength: chosen, as a share of the features' variance.
        scores: root mean squared error of rows left out, by strength, over all columns.
        left_out: (rows, columns) predictions of the rows that the strength was chosen on, each without itself.
        rows: their numbers.
    """

    head: LinearHead
    strength: float
    scores: dict[float, float]
    left_out: Floats
    rows: NDArray[np.int64]


def fit_ridge(features: Floats, targets: Floats, settings: ProbeSettings, *, seed: int = 0) -> RidgeFit:
    """Fit ridge regression with a free intercept.

    A row's error when it is left out is its error when it is not, over one minus its leverage (Allen 1974,
    https://doi.org/10.1080/00401706.1974.10489157), so that one decomposition gives every strength's score.

    Args:
        features: (rows, hidden).
        targets: (rows,) or (rows, columns).
        settings: strengths to try, and the most rows to try them on.
        seed: of the rows that the strength is chosen on.
    """
    columns: _Doubles = targets.reshape(len(targets), -1).astype(np.float64)
    some = np.random.default_rng(seed).permutation(len(columns))[: settings.search_rows]
    spectrum = Spectrum(features[some], columns[some])
    scores, best = {}, float("inf")
    chosen, left_out = settings.ridge_grid[0], np.empty(0)
    for strength in settings.ridge_grid:
        errors = spectrum.left_out_errors(strength)
        scores[strength] = float(np.sqrt((errors**2).mean()))
        if scores[strength] < best:
            best, chosen, left_out = scores[strength], strength, columns[some] - errors
    whole = spectrum if len(some) == len(columns) else Spectrum(features, columns)
    return RidgeFit(whole.head(chosen), chosen, scores, left_out.astype(np.float32), some)


class Spectrum:
    """Features and targets in the features' principal axes, where every strength of ridge regression is at hand.

    Args:
        features: (rows, hidden).
        targets: (rows, columns).
    """

    def __init__(self, features: Floats, targets: NDArray[np.floating]) -> None:
        centred = features.astype(np.float64)
        self.mean: _Doubles = centred.mean(axis=0)
        centred -= self.mean
        self.target_mean: _Doubles = targets.mean(axis=0, dtype=np.float64)
        self.targets: _Doubles = targets - self.target_mean
        if len(centred) > centred.shape[1]:
            values, self.axes = np.linalg.eigh(centred.T @ centred)
            self.values: _Doubles = np.maximum(values, 0)
            self.scores: _Doubles = centred @ self.axes
        else:
            left, sizes, axes = np.linalg.svd(centred, full_matrices=False)
            self.axes, self.values, self.scores = axes.T, sizes**2, left * sizes
        self.moments: _Doubles = self.scores.T @ self.targets
        self.variance = float(self.values.sum()) / len(centred)

    def left_out_errors(self, strength: float) -> _Doubles:
        """Return (rows, columns) errors of rows left out, at a penalty of ``strength`` times the features' variance."""
        shrunk = self._shrunk(strength)
        errors = self.targets - self.scores @ (self.moments * shrunk[:, None])
        leverage = (self.scores**2) @ shrunk + 1 / len(self.targets)
        found: _Doubles = errors / np.maximum(1 - leverage, 1e-9)[:, None]
        return found

    def head(self, strength: float) -> LinearHead:
        """Return the fitted head."""
        weight = (self.axes @ (self.moments * self._shrunk(strength)[:, None])).T
        bias = self.target_mean - weight @ self.mean
        return LinearHead(np.ascontiguousarray(weight, dtype=np.float32), bias.astype(np.float32))

    def _shrunk(self, strength: float) -> _Doubles:
        found: _Doubles = 1 / (self.values + max(strength * self.variance, 1e-12))
        return found
