"""A reader that takes every prompt in whole: what any causal model can do, at what each row costs alone."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advisor.backend.batching import collate
from advisor.backend.prompted.local.reader import TOO_LARGE, CausalNet, log_likelihoods
from advisor.backend.prompted.local.rendering import Asked
from advisor.backend.within_memory import Progress, by_batch


class WholeReader:
    """Reads every prompt with every answer anew, several in a batch."""

    most_tokens: int | None = None

    def __init__(self, net: CausalNet) -> None:
        self.net = net
        self._rows: list[list[int]] = []

    def score(self, rows: Sequence[Asked], progress: Progress | None) -> list[list[float]]:
        """Return the mean log-likelihoods of answers, as `Reader` has it."""
        self.settle([row.trunk for row in rows])
        found = [[0.0] * len(row.tails) for row in rows]
        owners = [(number, choice) for number, row in enumerate(rows) for choice in range(len(row.tails))]
        wholes = [rows[number].trunk + rows[number].tails[choice] for number, choice in owners]

        def fill(some: NDArray[np.int64]) -> None:
            scored = [rows[owners[one][0]].scored[owners[one][1]] for one in some]
            for one, score in zip(some, self._score([wholes[one] for one in some], scored), strict=True):
                number, choice = owners[one]
                found[number][choice] = score

        def report(done: int, sequences: int) -> None:
            if progress:
                progress(len(rows) * done // sequences, len(rows))

        by_batch([len(whole) for whole in wholes], fill, self.net.device, report, too_large=TOO_LARGE)
        return found

    def _score(self, wholes: Sequence[Sequence[int]], scored: Sequence[int]) -> list[float]:
        """Return the mean log-likelihood of the last tokens of some sequences."""
        first = min(len(whole) - count for whole, count in zip(wholes, scored, strict=True)) - 1
        last = max(map(len, wholes)) - 1
        logits = self._logits(wholes, range(first, last))
        tokens, _ = collate([whole[first + 1 :] for whole in wholes], 0, self.net.device.torch)
        likely = log_likelihoods(logits, tokens).cpu().numpy()
        ends = [len(whole) - first - 1 for whole in wholes]
        return [float(row[end - count : end].mean()) for row, end, count in zip(likely, ends, scored, strict=True)]

    def settle(self, rows: Sequence[Sequence[int]]) -> None:
        """Keep nothing."""

    def size(self, row: Sequence[int]) -> int:
        """All its tokens are to be taken in."""
        return len(row)

    def begin(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Take in rows; return the logits of their next tokens."""
        self._rows = [list(row) for row in rows]
        return self._next(range(len(rows)))

    def follow(self, rows: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Append a token to some rows; return the logits of their next."""
        for row, token in zip(rows, tokens, strict=True):
            self._rows[row].append(token)
        return self._next(rows)

    def _next(self, rows: Sequence[int]) -> Tensor:
        chosen = [self._rows[row] for row in rows]
        places, where = np.unique([len(row) - 1 for row in chosen], return_inverse=True)
        logits = self._logits(chosen, places.tolist())
        return logits[torch.arange(len(chosen)), torch.from_numpy(where)]

    @torch.inference_mode()
    def _logits(self, rows: Sequence[Sequence[int]], places: Sequence[int]) -> Tensor:
        """Return the logits (rows, places, vocabulary) at some places of the rows."""
        ids, mask = collate(rows, 0, self.net.device.torch)
        return self.net.logits(self.net.ids(list(places)), input_ids=ids, attention_mask=mask, use_cache=False)
