"""A head's first weights: one regularised linear fit to features, whatever the task predicts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.axes import PrincipalAxes
from advisor.backend.decisions import decisions_of
from advisor.backend.logistic import LogisticRegression
from advisor.backend.ridge import Ridge
from advisor.tasks import Predicts

_TOLERANCE, _ITERATIONS = 1e-4, 100


def probe_weights(
    predicts: Predicts, features: Floats, targets: NDArray[Any], width: int, c: float, *, balanced: bool = False
) -> tuple[Floats, Floats]:
    """Return weight (width, features) and bias (width,) of a linear model.

    The strength is meant for features of unit length, as probes have: longer ones are fitted at that length and the
    weights scaled. On hidden states of norm 10 the same C would fit every training row, and leave nothing to tune.

    Args:
        predicts: what the task predicts; classes and tags take logistic regression, several classes one for each,
            numbers ridge regression.
        features: (items, features).
        targets: class numbers (items,), 0 and 1 (items, classes), or numbers (items,).
        width: outputs.
        c: inverse regularisation strength for features of unit length, scikit-learn's C; 1 / alpha for numbers.
        balanced: weigh classes inversely to their size.
    """
    length = float(np.sqrt(np.square(features, dtype=np.float64).sum(axis=1).mean())) or 1.0
    axes = PrincipalAxes.of(features / np.float32(length))
    if predicts == "number":
        head = Ridge(axes, targets).head(1 / c)
        return head.weight / np.float32(length), head.bias
    decisions = decisions_of(targets, width)
    weights = decisions.balanced() if balanced else np.ones(len(decisions), dtype=np.float32)
    regression = LogisticRegression(axes.scores, decisions.targets, width, weights)
    weight, bias = axes.back(*regression.fit(c, _TOLERANCE, _ITERATIONS))
    return np.ascontiguousarray(weight.T) / np.float32(length), bias
