"""Array types of the backend, and what is computed row by row from logits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.integer[Any]]


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row, computed so that large logits cannot overflow."""
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def sigmoid(logits: Floats) -> Floats:
    """Return the sigmoid of each number, computed so that large logits cannot overflow."""
    small = np.exp(-np.abs(logits))
    found: Floats = np.where(logits >= 0, 1, small) / (1 + small)
    return found


def row_log_losses(logits: Floats, labels: Labels) -> Floats:
    """Return minus the log probability (nats) of each row's label."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    own = np.take_along_axis(shifted, labels[:, None].astype(np.int64), axis=1)[:, 0]
    losses: Floats = np.log(np.exp(shifted).sum(axis=1)) - own
    return losses


def decision_log_losses(logits: Floats, held: Floats) -> Floats:
    """Return minus the log probability (nats) of each decision: whether a row holds a class, both (rows, classes)."""
    losses: Floats = np.maximum(logits, 0) - logits * held + np.log1p(np.exp(-np.abs(logits)))
    return losses
