"""Two texts as one vector: [u, v, |u − v|, u · v], from the vectors u and v of a frozen encoder.

The parts are those of Conneau et al. 2017 (arXiv:1705.02364). They differ much in size, so a head is fitted on parts
brought to one size, with the cosine of u and v beside them; both fold back into a head on the plain parts.
"""

from dataclasses import dataclass

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.head import LinearHead

_PARTS = 4


def combine(first: Floats, second: Floats) -> Floats:
    """Return (rows, 4 × hidden) of two (rows, hidden) arrays of unit vectors."""
    combined: Floats = np.concatenate([first, second, np.abs(first - second), first * second], axis=1)
    return combined


@dataclass(frozen=True)
class PairScale:
    """What brings each part, and the cosine, to an equal share of a variance of one.

    Attributes:
        factors: (4,) of the parts.
        cosine: of the cosine.
    """

    factors: Floats
    cosine: np.float32

    @classmethod
    def of(cls, combined: Floats) -> "PairScale":
        """Take the scale from the pairs that a head is fitted on."""
        variances = np.array([part.var(axis=0).sum() for part in np.split(combined, _PARTS, axis=1)])
        shares = np.append(variances, _cosines(combined).var()) * (_PARTS + 1)
        factors = (1 / np.sqrt(np.maximum(shares, 1e-12))).astype(np.float32)
        return cls(factors[:-1], factors[-1])

    def stretch(self, combined: Floats) -> Floats:
        """Return (rows, 4 × hidden + 1): the parts in one size and the cosine."""
        width = combined.shape[1] // _PARTS
        stretched: Floats = np.empty((len(combined), combined.shape[1] + 1), dtype=np.float32)
        np.multiply(combined, np.repeat(self.factors, width), out=stretched[:, :-1])
        stretched[:, -1] = _cosines(combined) * self.cosine
        return stretched

    def fold(self, head: LinearHead) -> LinearHead:
        """Return the head on plain parts that answers as ``head`` does on stretched ones."""
        width = (head.weight.shape[1] - 1) // _PARTS
        weight: Floats = head.weight[:, :-1] * np.repeat(self.factors, width)
        weight[:, -width:] += head.weight[:, -1:] * self.cosine
        return LinearHead(weight, head.bias)


def _cosines(combined: Floats) -> Floats:
    products = np.split(combined, _PARTS, axis=1)[-1]
    cosines: Floats = products.sum(axis=1)
    return cosines
