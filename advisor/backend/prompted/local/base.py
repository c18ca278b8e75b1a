"""What all language models in a folder have in common: name, context, and what was used."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.language_model import Form, Usage, Written
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.within_memory import Progress
from advisor.errors import InputError, RunError


class LocalModel:
    """A language model in a folder on this machine.

    Attributes:
        name: hub id or folder.
        context: tokens that prompt and answer may have together, None where its positions have no end.
        reads: ``prompts`` or ``hypotheses``.
        writes: whether it writes.
    """

    reads: Literal["prompts", "hypotheses"] = "prompts"
    writes: bool = False

    def __init__(self, name: str, context: int | None) -> None:
        self.name, self.context = name, context
        self._requests = self._tokens_in = self._tokens_out = 0

    def write(
        self, prompts: Sequence[Prompt], forms: Sequence[Form], progress: Progress | None = None
    ) -> list[Written]:
        """Refuse: not every model writes.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.name}: fills gaps or judges, and cannot write; name a model that writes")

    def likelihoods(
        self, prompts: Sequence[Prompt], answers: Sequence[str], progress: Progress | None = None
    ) -> Floats:
        """Return zeros: what cannot write an answer does not tell how likely one is to be written."""
        return np.zeros((len(prompts), 2), dtype=np.float32)

    @property
    def usage(self) -> Usage:
        """What has been used since it was opened; one's own machine asks no price."""
        return Usage(self._requests, self._tokens_in, self._tokens_out, 0.0)

    def _count(self, read: Sequence[int], written: int = 0) -> None:
        self._requests += len(read)
        self._tokens_in += sum(read)
        self._tokens_out += written

    def _check_fit(self, tokens: int) -> None:
        """Refuse what is longer than the context.

        Raises:
            RunError: it is.
        """
        if self.context is not None and tokens > self.context:
            raise RunError(
                f"{self.name}: a prompt with its answer has {tokens} tokens, and {self.context} fit; "
                "show fewer demonstrations or shorten the texts"
            )
