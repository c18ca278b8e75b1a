"""Preferences: whether a model has learnt which answers people prefer, by pairs or by single judgements."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.evaluation.judgement import Judgement, Values, Weights, ratio
from advisor.backend.rows import Rows
from advisor.tasks import Judged


class Preferences(Judgement):
    """Implicit rewards and likelihoods of answers compared.

    An answer's reward is how much likelier, as a logarithm, the model finds it than the model it is measured against
    (Rafailov et al. 2023, arXiv:2305.18290, equation 5, without β). Preference accuracy is the share of pairs whose
    chosen answer has the higher reward, ranking accuracy the share whose chosen answer is likelier a token; equal ones
    count half. Where answers are judged one by one, every approved one makes a pair with every disapproved one. The
    margin is the mean reward of the chosen or approved less that of the others, in nats.

    Args:
        outputs: (rows, 6): log-likelihood, tokens and log-likelihood by the model measured against, of the chosen or
            only answer and of the rejected one, which has 0 tokens where there is none.
        rows: with the feedback as targets.
        labels: not used.
        thresholds: not used.
    """

    def __init__(self, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None) -> None:
        found = np.asarray(outputs, dtype=np.float64)
        self.counts = np.ones(len(found), dtype=np.int64)
        self.rewards = np.stack([found[:, 0] - found[:, 2], found[:, 3] - found[:, 5]], axis=1)
        lengths = np.maximum(found[:, [1, 4]], 1)
        self.means = found[:, [0, 3]] / lengths
        judged = [isinstance(target, Judged) for target in rows.targets]
        self.approved = np.array([target.approved for target in rows.targets]) if all(judged) else None

    def measures(self, weights: Weights) -> Values:
        """Return preference accuracy, ranking accuracy and margin."""
        compare = _paired if self.approved is None else self._apart
        return {
            "preference_accuracy": compare(self.rewards, weights),
            "ranking_accuracy": compare(self.means, weights),
            "margin": self._margin(weights),
        }

    def _apart(self, values: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
        """Return how often an approved answer lies above a disapproved one: the area under the ROC curve."""
        assert self.approved is not None
        _, group = np.unique(values[:, 0], return_inverse=True)
        width = int(group.max()) + 1
        good, bad = np.zeros((len(weights), width)), np.zeros((len(weights), width))
        for row, place in enumerate(group):
            (good if self.approved[row] else bad)[:, place] += weights[:, row]
        below = np.cumsum(bad, axis=1) - bad
        found = ratio((good * (below + bad / 2)).sum(axis=1), good.sum(axis=1) * bad.sum(axis=1))
        return np.where((good.sum(axis=1) > 0) & (bad.sum(axis=1) > 0), found, 0.5)

    def _margin(self, weights: Weights) -> NDArray[np.float64]:
        if self.approved is None:
            return ratio(weights @ (self.rewards[:, 0] - self.rewards[:, 1]), weights.sum(axis=1))
        good, bad = weights * self.approved, weights * ~self.approved
        reward = self.rewards[:, 0]
        return ratio(good @ reward, good.sum(axis=1)) - ratio(bad @ reward, bad.sum(axis=1))


def of_reference(outputs: Floats) -> Floats:
    """Return the outputs of the model that others were measured against: its own likelihoods, beside themselves."""
    return outputs[:, [2, 1, 2, 5, 4, 5]]


def _paired(values: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    right = (values[:, 0] > values[:, 1]) + 0.5 * (values[:, 0] == values[:, 1])
    return ratio(weights @ right, weights.sum(axis=1))
