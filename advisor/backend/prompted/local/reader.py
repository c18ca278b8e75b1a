"""A reader: how a causal model takes in prompts, to score the answers asked for or to write one token after another."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from advisor.backend.devices import Device
from advisor.backend.prompted.local.rendering import Asked
from advisor.backend.within_memory import Progress, out_of_memory
from advisor.errors import RunError

TOO_LARGE = "not even one prompt fits in memory; show fewer demonstrations or take a smaller model"


@contextmanager
def enough_memory() -> Iterator[None]:
    """Say in one sentence that memory ran out.

    Raises:
        RunError: it did.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as failure:
        if not out_of_memory(failure):
            raise
        raise RunError(TOO_LARGE) from None


class Reader(Protocol):
    """Takes in prompts."""

    @property
    def most_tokens(self) -> int | None:
        """Cap on the tokens that are taken in together; None without one."""
        ...

    def score(self, rows: Sequence[Asked], progress: Progress | None) -> list[list[float]]:
        """Return the mean log-likelihood (natural logarithm) of the answer's tokens, row by row and choice by choice.

        Raises:
            RunError: memory runs out on a single row.
        """
        ...

    def settle(self, rows: Sequence[Sequence[int]]) -> None:
        """Take in what all rows have in common, ahead of `begin`.

        Raises:
            RunError: memory runs out.
        """
        ...

    def size(self, row: Sequence[int]) -> int:
        """Return how many tokens of a row are to be taken in, once what it shares with others is settled."""
        ...

    def begin(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Forget what was written, take in these rows and return the logits of each one's next token."""
        ...

    def follow(self, rows: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Append a token to some of the rows that were begun; return the logits of each one's next."""
        ...


class CausalNet:
    """A causal model of transformers, called by the names its version has for things.

    Attributes:
        model: with its language-model head.
        device: where it is.
    """

    def __init__(self, model: Any, device: Device) -> None:
        import inspect

        self.model, self.device = model, device
        accepted = inspect.signature(model.forward).parameters
        names = ("cache", "past_key_values", "cache_params")
        self.cache_name = next((name for name in names if name in accepted), None)
        self._keeps = "logits_to_keep" in accepted

    def logits(self, wanted: Tensor | None = None, **inputs: Any) -> Tensor:
        """Return logits (rows, length or wanted, vocabulary); ``wanted`` names positions, the same for all rows."""
        if wanted is not None and self._keeps:
            inputs["logits_to_keep"] = wanted
        found: Tensor = self.model(**inputs, return_dict=True).logits
        return found if wanted is None or self._keeps else found[:, wanted]

    def goes_on(self, ids: Tensor, cache: Any = None) -> tuple[Tensor, Any]:
        """Take in tokens (1, length) after those in a cache, which may change.

        Returns:
            the logits (vocabulary,) of the next token, and what the model keeps of all, in its own way.
        """
        inputs = {} if cache is None else {str(self.cache_name): cache}
        if self._keeps:
            inputs["logits_to_keep"] = 1
        found = self.model(input_ids=ids, use_cache=True, return_dict=True, **inputs)
        return found.logits[0, -1], getattr(found, str(self.cache_name))

    def ids(self, numbers: Sequence[int]) -> Tensor:
        """Return numbers as a tensor on the device."""
        return torch.tensor(numbers, dtype=torch.long, device=self.device.torch)


def log_likelihoods(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return the log-probability (natural logarithm, fp32) of a token in each row of logits."""
    logits = logits.float()
    picked: Tensor = logits.gather(-1, tokens[..., None])[..., 0] - logits.logsumexp(-1)
    return picked
