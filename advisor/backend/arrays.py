"""Array types of the backend, and what is computed row by row from logits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Labels = NDArray[np.integer[Any]]


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row, computed so that large logits cannot overflow."""
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def row_log_losses(logits: Floats, labels: Labels) -> Floats:
    """Return minus the log probability (nats) of each row's label."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    own = np.take_along_axis(shifted, labels[:, None].astype(np.int64), axis=1)[:, 0]
    losses: Floats = np.log(np.exp(shifted).sum(axis=1)) - own
    return losses
