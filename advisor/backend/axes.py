"""Principal axes of features: where a penalised fit on them is well scaled, and no wider than there are rows."""

from dataclasses import dataclass

import numpy as np

from advisor.backend.arrays import Floats


@dataclass(frozen=True)
class PrincipalAxes:
    """Orthonormal axes through the mean of some features.

    An L2 penalty is the same in any orthonormal axes, and no fit needs a direction in which no row lies; so a linear
    fit on ``scores`` is one on the features.

    Attributes:
        mean: (hidden,).
        axes: (hidden, rank).
        squares: (rank,) sum of squares along each axis.
        scores: (rows, rank) features in these axes.
    """

    mean: Floats
    axes: Floats
    squares: Floats
    scores: Floats

    @classmethod
    def of(cls, features: Floats) -> "PrincipalAxes":
        """Find the axes of (rows, hidden) features."""
        mean = features.mean(axis=0)
        centred = features - mean
        if len(features) > features.shape[1]:
            squares, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        else:
            _, sizes, across = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
            squares, axes = sizes**2, across.T
        turned = axes.astype(np.float32)
        return cls(mean, turned, np.maximum(squares, 0).astype(np.float32), centred @ turned)

    @property
    def variance(self) -> float:
        """The features' variance, summed over all axes."""
        return float(self.squares.sum()) / len(self.scores)

    def back(self, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """Return a fit's weight (rank, outputs) and bias (outputs,) for plain features: (hidden, outputs) and bias."""
        plain: Floats = self.axes @ weight.astype(np.float32)
        return plain, bias - self.mean @ plain
