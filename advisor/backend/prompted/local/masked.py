"""A masked language model: answers fill gaps behind the prompt, a gap a token."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.batching import collate
from advisor.backend.devices import Device
from advisor.backend.prompted.local.base import LocalModel
from advisor.backend.prompted.local.reader import TOO_LARGE, log_likelihoods
from advisor.backend.prompted.local.rendering import Asked, Renderer
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.within_memory import Progress, by_batch
from advisor.errors import InputError
from advisor.settings import load_settings


class MaskedModel(LocalModel):
    """A model that fills gaps.

    An answer's tokens are scored from left to right: each in the first of the gaps that are left, with those before it
    filled. That is the pseudo-likelihood of Salazar et al. 2020 (https://arxiv.org/abs/1910.14659) in the order of
    Kauf and Ivanova 2023 (https://arxiv.org/abs/2305.10588), in which a word's later tokens do not give away its
    earlier ones.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, device: Device, context: int | None) -> None:
        super().__init__(name, context)
        if tokenizer.mask_token_id is None:
            raise InputError(f"{name}: its tokenizer has no token for a gap; name another model")
        self.model, self.device, self.gap = model, device, int(tokenizer.mask_token_id)
        self.renderer = Renderer(tokenizer)
        self.padding = int(tokenizer.pad_token_id or 0)

    def tokens(self, prompt: Prompt) -> int:
        """Return how many tokens a prompt has, special ones included."""
        return len(self.renderer.prompt_ids(prompt)) + len(self.renderer.around[1])

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return the mean log-likelihood of every choice's tokens in gaps behind the prompt, (prompts, choices).

        Raises:
            InputError: a choice has no token of its own.
            RunError: a prompt does not fit into the context or into memory.
        """
        rows = [self.renderer.asked(prompt, choices) for prompt in prompts]
        gaps = _Gaps(self.gap, self.renderer.around[1])
        steps = [[gaps.steps(row, choice) for choice in range(len(choices))] for row in rows]
        if not gaps.texts:
            return np.zeros((len(prompts), len(choices)), dtype=np.float32)
        lengths = [len(text) for text in gaps.texts]
        self._check_fit(max(lengths))
        likely = [0.0] * len(gaps.asked)

        def fill(some: NDArray[np.int64]) -> None:
            for one, score in zip(*self._filled(gaps, some), strict=True):
                likely[one] = score

        def report(done: int, texts: int) -> None:
            if progress:
                progress(len(prompts) * done // texts, len(prompts))

        # A batch's logits are computed at every token, so that they outgrow the model's own memory.
        most = int(load_settings("computing.yaml")["prompted_tokens"])
        by_batch(lengths, fill, self.device, report, most_tokens=most, too_large=TOO_LARGE)
        self._count([len(row.trunk) for row in rows])
        return np.array([[np.mean([likely[one] for one in steps_of]) for steps_of in row] for row in steps], np.float32)

    @torch.inference_mode()
    def _filled(self, gaps: "_Gaps", some: NDArray[np.int64]) -> tuple[list[int], list[float]]:
        """Return numbers of what is asked about some texts, and the log-likelihood of each."""
        ids, mask = collate([gaps.texts[text] for text in some], self.padding, self.device.torch)
        logits = self.model(input_ids=ids, attention_mask=mask).logits
        asked = [(place, one) for place, text in enumerate(some) for one in gaps.about[text]]
        where = torch.tensor([place for place, _ in asked], device=ids.device)
        gap = torch.tensor([gaps.first[text] for text in some], device=ids.device)[where]
        tokens = torch.tensor([gaps.asked[one] for _, one in asked], device=ids.device)
        return [one for _, one in asked], log_likelihoods(logits[where, gap], tokens).tolist()


class _Gaps:
    """Texts with gaps, each once, and what is asked about the first gap of each.

    Attributes:
        texts: tokens.
        first: place of the first gap.
        about: numbers of what is asked about a text.
        asked: the token whose likelihood is asked.
    """

    def __init__(self, gap: int, after: Sequence[int]) -> None:
        self.gap, self.after = gap, tuple(after)
        self.texts: list[tuple[int, ...]] = []
        self.first: list[int] = []
        self.about: list[list[int]] = []
        self.asked: list[int] = []
        self._known: dict[tuple[int, ...], int] = {}

    def steps(self, row: Asked, choice: int) -> list[int]:
        """Return numbers of what is to be asked for a choice, a token each."""
        tail, scored = row.tails[choice], row.scored[choice]
        found = []
        for left in range(scored, 0, -1):
            filled = row.trunk + tail[: len(tail) - left]
            text = filled + (self.gap,) * left + self.after
            if text not in self._known:
                self._known[text] = len(self.texts)
                self.texts.append(text)
                self.first.append(len(filled))
                self.about.append([])
            self.about[self._known[text]].append(len(self.asked))
            found.append(len(self.asked))
            self.asked.append(tail[len(tail) - left])
        return found
