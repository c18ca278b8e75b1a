"""Logistic regression along a path of regularisation, every fit starting from the one before.

The objective is scikit-learn's: sum of log losses + |W|²/2C, the intercept free. Classes that exclude each other share
a softmax; where each may hold by itself every one has a sigmoid of its own. It is minimised by L-BFGS (Nocedal and
Wright, Numerical Optimization, 2nd edition, algorithm 7.4), whose first guess of the curvature is that of the features
along each axis: in their principal axes it keeps iterations few where an encoder's features nearly share a direction.
"""

from collections import deque

import numpy as np

from advisor.backend.arrays import Floats, Indices, decision_log_losses, sigmoid

_MEMORY = 5
_SUFFICIENT_DECREASE = 1e-4
_SMALLEST_STEP = 1e-4
_NO_LOSS = 1e-6


class LogisticRegression:
    """A regression on given rows that can be moved from one C to the next.

    Args:
        features: (rows, hidden), best in their principal axes.
        targets: class number of each row, or (rows, classes) zeros and ones where each class is decided by itself.
        classes: number of classes.
        weights: weight of each row, or (rows, classes) of each decision.
    """

    def __init__(self, features: Floats, targets: Indices | Floats, classes: int, weights: Floats) -> None:
        self.features, self.classes = features, classes
        self.weights: Floats = weights[:, None] if weights.ndim == 1 else weights
        self.own = np.arange(len(targets)) * classes + targets if targets.ndim == 1 else None
        self.held: Floats | None = None if targets.ndim == 1 else targets.astype(np.float32)
        of_row: Floats = self.weights.mean(axis=1)
        self.total = float(of_row.sum())
        self.mean: Floats = of_row @ features / np.float32(self.total)
        squares = of_row @ features**2 - np.float32(self.total) * self.mean**2
        self.squares: Floats = np.maximum(squares, 0)
        self.parameters: Floats = np.zeros((features.shape[1] + 1, classes), dtype=np.float32)

    def start_from(self, weight: Floats, bias: Floats) -> None:
        """Take ``weight`` (hidden, classes) and ``bias`` (classes) as where the next fit starts."""
        self.parameters = np.vstack([weight, bias + self.mean @ weight]).astype(np.float32)

    def fit(self, c: float, tolerance: float, max_iterations: int) -> tuple[Floats, Floats]:
        """Minimise the objective at ``c``, starting from the last solution.

        Args:
            c: inverse regularisation strength.
            tolerance: stop once an iteration lowers the objective by less than this share of it, or of next to nothing.
            max_iterations: most iterations.

        Returns:
            weight (hidden, classes) and bias (classes).
        """
        curvature = (1 - 1 / self.classes) / self.classes if self.held is None else 1 / 4
        bends = np.append(curvature * self.squares + 1 / c, curvature * self.total)
        guess: Floats = (1 / bends[:, None]).astype(np.float32)
        steps: deque[tuple[Floats, Floats, float]] = deque(maxlen=_MEMORY)
        point = self.parameters
        loss, gradient = self._objective(point, c)
        for _ in range(max_iterations):
            direction = -_two_loops(gradient, steps, guess)
            slope = _dot(direction, gradient)
            size = 1.0
            while size > _SMALLEST_STEP:
                candidate: Floats = point + np.float32(size) * direction
                new_loss, new_gradient = self._objective(candidate, c)
                if new_loss <= loss + _SUFFICIENT_DECREASE * size * slope:
                    break
                size = max(0.1 * size, -slope * size**2 / (2 * (new_loss - loss - slope * size)))
            else:
                break
            moved, bent = candidate - point, new_gradient - gradient
            if (bend := _dot(moved, bent)) > 0:
                steps.append((moved, bent, bend))
            gain, point, loss, gradient = loss - new_loss, candidate, new_loss, new_gradient
            if gain <= tolerance * max(loss, _NO_LOSS * self.total):
                break
        self.parameters = point
        return point[:-1], point[-1] - self.mean @ point[:-1]

    def _objective(self, parameters: Floats, c: float) -> tuple[float, Floats]:
        """Return value and gradient; the last row of parameters is the intercept at the mean text."""
        logits: Floats = self.features @ parameters[:-1]
        logits += parameters[-1] - self.mean @ parameters[:-1]
        loss, residuals = self._shared(logits) if self.held is None else self._apart(logits, self.held)
        in_all = residuals.sum(axis=0)
        gradient = np.empty_like(parameters)
        gradient[:-1] = self.features.T @ residuals - np.outer(self.mean, in_all)
        gradient[-1] = in_all
        gradient[:-1] += parameters[:-1] / np.float32(c)
        return loss + 0.5 * _dot(parameters[:-1], parameters[:-1]) / c, gradient

    def _shared(self, logits: Floats) -> tuple[float, Floats]:
        """Return loss and residuals of a softmax; ``logits`` are overwritten."""
        logits -= logits.max(axis=1, keepdims=True)
        own = logits.ravel()[self.own]
        residuals = np.exp(logits, out=logits)
        sums = residuals.sum(axis=1, keepdims=True)
        loss = float(((np.log(sums[:, 0]) - own) * self.weights[:, 0]).sum(dtype=np.float64))
        residuals /= sums
        residuals.ravel()[self.own] -= 1
        residuals *= self.weights
        return loss, residuals

    def _apart(self, logits: Floats, held: Floats) -> tuple[float, Floats]:
        """Return loss and residuals of a sigmoid a class."""
        losses = decision_log_losses(logits, held)
        residuals = sigmoid(logits)
        residuals -= held
        residuals *= self.weights
        return float((losses * self.weights).sum(dtype=np.float64)), residuals


def _two_loops(gradient: Floats, steps: deque[tuple[Floats, Floats, float]], guess: Floats) -> Floats:
    """Return the inverse Hessian's estimate times the gradient."""
    found = gradient.copy()
    shares = []
    for moved, bent, bend in reversed(steps):
        shares.append(_dot(moved, found) / bend)
        found -= np.float32(shares[-1]) * bent
    found *= guess
    if steps:
        _, bent, bend = steps[-1]
        found *= np.float32(bend / _dot(bent, guess * bent))
    for (moved, bent, bend), share in zip(steps, reversed(shares), strict=True):
        found += np.float32(share - _dot(bent, found) / bend) * moved
    return found


def _dot(left: Floats, right: Floats) -> float:
    return float(np.vdot(left, right))
