"""A head's first weights: one regularised linear fit to features, whatever the task predicts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.logistic import LogisticRegression
from advisor.tasks import Predicts

_TOLERANCE, _ITERATIONS = 1e-4, 100


def probe_weights(
    predicts: Predicts, features: Floats, targets: NDArray[Any], width: int, c: float
) -> tuple[Floats, Floats]:
    """Return weight (width, features) and bias (width,) of a linear model.

    Args:
        predicts: what the task predicts; classes and tags take logistic regression, several classes one for each,
            numbers ridge regression.
        features: (items, features).
        targets: class numbers (items,), 0 and 1 (items, classes), or numbers (items,).
        width: outputs.
        c: inverse regularisation strength, scikit-learn's C; 1 / alpha for numbers.
    """
    if predicts == "number":
        from sklearn.linear_model import Ridge

        ridge = Ridge(alpha=1 / c).fit(features, targets)
        return ridge.coef_[None, :].astype(np.float32), np.array([ridge.intercept_], dtype=np.float32)
    if predicts == "classes":
        found = [_fit(features, targets[:, number].astype(np.int64), 2, c) for number in range(width)]
        weight = np.stack([weight[:, 1] - weight[:, 0] for weight, _ in found])
        return weight.astype(np.float32), np.array([bias[1] - bias[0] for _, bias in found], dtype=np.float32)
    weight, bias = _fit(features, targets.astype(np.int64), width, c)
    return np.ascontiguousarray(weight.T, dtype=np.float32), bias.astype(np.float32)


def _fit(features: Floats, labels: NDArray[np.int64], classes: int, c: float) -> tuple[Any, Any]:
    regression = LogisticRegression(features, labels, classes, np.ones(len(labels), dtype=np.float32))
    return regression.fit(c, _TOLERANCE, _ITERATIONS)
