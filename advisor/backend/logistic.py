"""Multinomial logistic regression along a path of regularisation, every fit starting from the one before.

scikit-learn's objective, sum of log losses + |W|²/2C with a free intercept (without its scaling for two
classes), minimised by L-BFGS on float32 matrix products. Centring the features and scaling their principal
axes by the curvature of the loss there keeps the number of iterations low for encoders whose features all
lie in one direction.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]


class LogisticRegression:
    """A fit to given rows that can be moved from one C to the next.

    Args:
        features: (rows, hidden).
        labels: class number of each row.
        classes: number of classes; one without a row gets a strongly negative intercept, as its maximum has
            none.
        weights: weight of each row, default 1.
    """

    def __init__(
        self, features: Floats, labels: Indices, classes: int, weights: Floats | None = None
    ) -> None:
        rows = len(features)
        self.classes = classes
        self.weights = np.ones(rows, dtype=np.float32) if weights is None else weights.astype(np.float32)
        self.total = float(self.weights.sum())
        self.mean = self.weights @ features / self.total
        centred = features - self.mean
        spread = (centred * self.weights[:, None]).T @ centred
        self.spectrum, self.axes = np.linalg.eigh(spread.astype(np.float64))
        self.rotated = centred @ self.axes.astype(np.float32)
        self.own = np.arange(rows) * classes + labels
        self.parameters: Doubles = np.zeros((features.shape[1] + 1, classes))
        self.curvature = (1 - 1 / classes) / classes

    def start_from(self, weight: Doubles, bias: Doubles) -> None:
        """Take ``weight`` (hidden, classes) and ``bias`` (classes) as where the next fit starts."""
        self.parameters = np.vstack([self.axes.T @ weight, bias + self.mean @ weight])

    def fit(self, c: float, tolerance: float, max_iterations: int) -> tuple[Doubles, Doubles]:
        """Minimise the objective at ``c``, starting from the last solution.

        Args:
            c: inverse regularisation strength.
            tolerance: stop once an iteration lowers the objective by less than this share.
            max_iterations: most L-BFGS iterations.

        Returns:
            weight (hidden, classes) and bias (classes).
        """
        scales = np.sqrt(
            np.append(self.curvature * np.maximum(self.spectrum, 0) + 1 / c, self.curvature * self.total)
        )
        penalty = (np.append(np.full(len(scales) - 1, 1 / c), 0.0) / scales**2)[:, None]
        inputs = self.rotated * (1 / scales[:-1]).astype(np.float32)
        constant = np.float32(1 / scales[-1])

        def objective(flat: Doubles) -> tuple[float, Doubles]:
            scaled = flat.reshape(-1, self.classes)
            single = scaled.astype(np.float32)
            logits = inputs @ single[:-1]
            logits += single[-1] * constant
            logits -= logits.max(axis=1, keepdims=True)
            own = logits.ravel()[self.own]
            probabilities = np.exp(logits, out=logits)
            sums = probabilities.sum(axis=1, keepdims=True)
            loss = float(((np.log(sums[:, 0]) - own) * self.weights).sum(dtype=np.float64))
            probabilities /= sums
            probabilities.ravel()[self.own] -= 1
            probabilities *= self.weights[:, None]
            gradient = np.vstack([inputs.T @ probabilities, probabilities.sum(axis=0) * constant])
            penalised = penalty * scaled
            return loss + 0.5 * float((penalised * scaled).sum()), (gradient + penalised).ravel()

        start = (self.parameters * scales[:, None]).ravel()
        options = {"maxiter": max_iterations, "ftol": tolerance, "gtol": 1e-6 * self.total}
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
        self.parameters = found.x.reshape(-1, self.classes) / scales[:, None]
        weight = self.axes @ self.parameters[:-1]
        return weight, self.parameters[-1] - self.mean @ weight
