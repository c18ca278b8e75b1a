"""Written answers: ROUGE-L, chrF and perplexity."""

from collections.abc import Sequence

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.evaluation.judgement import Judgement, Values, Weights, ratio
from advisor.backend.rows import Rows


class Writing(Judgement):
    """Answers compared with the right ones, and how likely the right ones were.

    ROUGE-L and chrF are means over the prompts that an answer was written to. Perplexity is the exponential of the mean
    cross-entropy over all tokens of the right answers.

    Args:
        outputs: (rows, 5): log-likelihood of the right answer, its tokens, ROUGE-L, chrF, and 1 where an answer was
            written, 0 where none was.
        rows: the prompts.
        labels: not used.
        thresholds: not used.
    """

    def __init__(self, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None) -> None:
        self.counts = np.ones(len(outputs), dtype=np.int64)
        self.found = np.asarray(outputs, dtype=np.float64)

    def measures(self, weights: Weights) -> Values:
        """Return ROUGE-L, chrF and, unless no right answer has a token, perplexity: no number where none drawn has."""
        likelihood, tokens, rouge, chrf, written = self.found.T
        answered = weights @ written
        whole = weights @ tokens
        entropy = np.divide(-(weights @ likelihood), whole, out=np.full(len(weights), np.nan), where=whole > 0)
        near = {
            "rouge_l": ratio(weights @ (rouge * written), answered),
            "chrf": ratio(weights @ (chrf * written), answered),
        }
        if not tokens.any():
            return near
        return near | {"perplexity": np.exp(np.minimum(entropy, np.log(np.finfo(np.float32).max)))}

    def extras(self) -> dict[str, float]:
        """Return how many answers were written."""
        return {"written_answers": float(self.found[:, 4].sum())}
