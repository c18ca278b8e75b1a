"""Multinomial logistic regression along a path of regularisation, every fit starting from the one before.

The objective is scikit-learn's: sum of log losses + |W|²/2C, the intercept free. It is minimised by L-BFGS
(Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 7.4), whose first guess of the curvature
is that of the features: it keeps iterations few where an encoder's features nearly share a direction.
"""

from collections import deque

import numpy as np

from advisor.backend.arrays import Floats, Indices

_MEMORY = 5
_SUFFICIENT_DECREASE = 1e-4
_SMALLEST_STEP = 1e-4


class LogisticRegression:
    """A regression on given rows that can be moved from one C to the next.

    Args:
        features: (rows, hidden).
        labels: class number of each row.
        classes: number of classes.
        weights: weight of each row.
    """

    def __init__(self, features: Floats, labels: Indices, classes: int, weights: Floats) -> None:
        self.features, self.classes, self.weights = features, classes, weights[:, None]
        self.own = np.arange(len(labels)) * classes + labels
        self.total = float(weights.sum())
        self.mean: Floats = weights @ features / np.float32(self.total)
        spread = (features * self.weights).T @ features - self.total * np.outer(self.mean, self.mean)
        self.spread: Floats = spread.astype(np.float32)
        self.parameters: Floats = np.zeros((features.shape[1] + 1, classes), dtype=np.float32)

    def start_from(self, weight: Floats, bias: Floats) -> None:
        """Take ``weight`` (hidden, classes) and ``bias`` (classes) as where the next fit starts."""
        self.parameters = np.vstack([weight, bias + self.mean @ weight]).astype(np.float32)

    def fit(self, c: float, tolerance: float, max_iterations: int) -> tuple[Floats, Floats]:
        """Minimise the objective at ``c``, starting from the last solution.

        Args:
            c: inverse regularisation strength.
            tolerance: stop once an iteration lowers the objective by less than this share of it.
            max_iterations: most iterations.

        Returns:
            weight (hidden, classes) and bias (classes).
        """
        curvature = (1 - 1 / self.classes) / self.classes
        hessian = curvature * self.spread.astype(np.float64) + np.eye(len(self.spread)) / c
        guess: Floats = np.linalg.inv(hessian).astype(np.float32)
        intercept_guess = 1 / (curvature * self.total)
        steps: deque[tuple[Floats, Floats, float]] = deque(maxlen=_MEMORY)
        point = self.parameters
        loss, gradient = self._objective(point, c)
        for _ in range(max_iterations):
            direction = -_two_loops(gradient, steps, guess, intercept_guess)
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
            if gain <= tolerance * loss:
                break
        self.parameters = point
        return point[:-1], point[-1] - self.mean @ point[:-1]

    def _objective(self, parameters: Floats, c: float) -> tuple[float, Floats]:
        """Return value and gradient; the last row of parameters is the intercept at the mean text."""
        logits: Floats = self.features @ parameters[:-1]
        logits += parameters[-1] - self.mean @ parameters[:-1]
        logits -= logits.max(axis=1, keepdims=True)
        own = logits.ravel()[self.own]
        probabilities = np.exp(logits, out=logits)
        sums = probabilities.sum(axis=1, keepdims=True)
        loss = float(((np.log(sums[:, 0]) - own) * self.weights[:, 0]).sum(dtype=np.float64))
        probabilities /= sums
        probabilities.ravel()[self.own] -= 1
        residuals = probabilities
        residuals *= self.weights
        in_all = residuals.sum(axis=0)
        gradient = np.empty_like(parameters)
        gradient[:-1] = self.features.T @ residuals - np.outer(self.mean, in_all)
        gradient[-1] = in_all
        gradient[:-1] += parameters[:-1] / np.float32(c)
        return loss + 0.5 * _dot(parameters[:-1], parameters[:-1]) / c, gradient


def _two_loops(
    gradient: Floats, steps: deque[tuple[Floats, Floats, float]], guess: Floats, intercept_guess: float
) -> Floats:
    """Return the inverse Hessian's estimate times the gradient."""
    found = gradient.copy()
    shares = []
    for moved, bent, bend in reversed(steps):
        shares.append(_dot(moved, found) / bend)
        found -= np.float32(shares[-1]) * bent
    found[:-1] = guess @ found[:-1]
    found[-1] *= np.float32(intercept_guess)
    if steps:
        _, bent, bend = steps[-1]
        found *= np.float32(bend / (_dot(bent[:-1], guess @ bent[:-1]) + intercept_guess * _dot(bent[-1], bent[-1])))
    for (moved, bent, bend), share in zip(steps, reversed(shares), strict=True):
        found += np.float32(share - _dot(bent, found) / bend) * moved
    return found


def _dot(left: Floats, right: Floats) -> float:
    return float(np.vdot(left, right))
