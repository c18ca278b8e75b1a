"""A reader that takes in what prompts share once and gives every row a copy of what the model kept of it.

For models that keep other things than keys and values, such as recurrent layers' states, or that count positions in a
way of their own: a packed tree is beyond them, and their caches can be copied all the same.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from advisor.backend.batching import collate
from advisor.backend.prompted.local.reader import CausalNet, enough_memory
from advisor.backend.prompted.local.rendering import common_prefix
from advisor.backend.prompted.local.whole import WholeReader


class CopyingReader(WholeReader):
    """Reads every prompt with every answer from the end of the trunk on that all share."""

    def __init__(self, net: CausalNet) -> None:
        super().__init__(net)
        self._trunk: list[int] = []
        self._cache: Any = None
        self._caches: list[Any] = []
        self._before: list[int] = []

    @torch.inference_mode()
    def settle(self, rows: Sequence[Sequence[int]]) -> None:
        """Take in what all rows begin with, but for each one's last token.

        A row that comes alone shares with the one before it: its own end would serve no other.
        """
        others = [self._before] if len(rows) == 1 and self._before else []
        shared = min(common_prefix([*rows, *others]), min(map(len, rows)) - 1)
        trunk, self._before = list(rows[0][:shared]), list(rows[-1])
        if len(rows) == 1 and self._trunk and trunk[: len(self._trunk)] == self._trunk:
            return
        if trunk != self._trunk:
            self._trunk, self._cache = [], None
            if trunk:
                with enough_memory():
                    _, self._cache = self.net.goes_on(self.net.ids(trunk)[None])
                self._trunk = trunk

    @torch.inference_mode()
    def begin(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Take in rows, each with a cache of its own; return the logits of their next tokens."""
        start, found = len(self._trunk), []
        self._caches = []
        for row in rows:
            logits, cache = self.net.goes_on(self.net.ids(row[start:])[None], copy.deepcopy(self._cache))
            found.append(logits)
            self._caches.append(cache)
        return torch.stack(found)

    @torch.inference_mode()
    def follow(self, rows: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Append a token to some rows; return the logits of their next."""
        found = []
        for row, token in zip(rows, tokens, strict=True):
            logits, self._caches[row] = self.net.goes_on(self.net.ids([token])[None], self._caches[row])
            found.append(logits)
        return torch.stack(found)

    @torch.inference_mode()
    def _logits(self, rows: Sequence[Sequence[int]], places: Sequence[int]) -> Tensor:
        if not self._trunk:
            return super()._logits(rows, places)
        start = len(self._trunk)
        # What fills the ends of shorter rows comes after all that is asked for, so that no mask is needed.
        ids, _ = collate([row[start:] for row in rows], 0, self.net.device.torch)
        cache = copy.deepcopy(self._cache)
        cache.reorder_cache(torch.zeros(len(rows), dtype=torch.long, device=ids.device))
        wanted = self.net.ids([place - start for place in places])
        return self.net.logits(wanted, input_ids=ids, use_cache=True, **{str(self.net.cache_name): cache})
