"""A reader that takes every prompt in whole: for models whose layers hold more, or other things, than keys and values.

Recurrent layers, and positions that are counted from the mask, cannot be computed on a packed tree; here a row costs
what it costs alone, with several in a batch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advisor.backend.encoder import Progress, collate
from advisor.backend.prompted.local.reader import TOO_LARGE, CausalNet, log_likelihoods
from advisor.backend.prompted.local.rendering import Asked
from advisor.backend.within_memory import by_batch


class WholeReader:
    """Reads every prompt with every answer anew."""

    most_tokens: int | None = None

    def __init__(self, net: CausalNet) -> None:
        self.net = net
        self._rows: list[list[int]] = []

    def score(self, rows: Sequence[Asked], progress: Progress | None) -> list[list[float]]:
        """Return the mean log-likelihoods of answers, as `Reader` has it."""
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

    @torch.inference_mode()
    def _score(self, wholes: Sequence[Sequence[int]], scored: Sequence[int]) -> list[float]:
        """Return the mean log-likelihood of the last tokens of some sequences."""
        ids, mask = collate(wholes, 0, self.net.device.torch)
        first = min(len(whole) - count for whole, count in zip(wholes, scored, strict=True)) - 1
        wanted = torch.arange(first, ids.shape[1] - 1, device=ids.device)
        logits = self.net.logits(wanted=wanted, input_ids=ids, attention_mask=mask, use_cache=False)
        likely = log_likelihoods(logits, ids[:, first + 1 :]).cpu().numpy()
        ends = [len(whole) - first - 1 for whole in wholes]
        return [float(row[end - count : end].mean()) for row, end, count in zip(likely, ends, scored, strict=True)]

    def settle(self, rows: Sequence[Sequence[int]]) -> None:
        """Keep nothing: there is nothing to be shared."""

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

    @torch.inference_mode()
    def _next(self, rows: Sequence[int]) -> Tensor:
        chosen = [self._rows[row] for row in rows]
        ids, mask = collate(chosen, 0, self.net.device.torch)
        ends = self.net.ids([len(row) - 1 for row in chosen])
        places, where = torch.unique(ends, return_inverse=True)
        logits = self.net.logits(wanted=places, input_ids=ids, attention_mask=mask, use_cache=False)
        return logits[torch.arange(len(chosen), device=ids.device), where]
