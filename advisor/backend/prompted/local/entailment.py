"""A model of natural language inference: an answer is a hypothesis, as likely as the text entails it.

Zero-shot classification by entailment is that of Yin et al. 2019 (https://arxiv.org/abs/1909.00161).
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.devices import Device
from advisor.backend.prompted.local.base import LocalModel
from advisor.backend.prompted.local.reader import TOO_LARGE
from advisor.backend.prompted.local.rendering import Renderer
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.within_memory import Progress, by_batch


class EntailmentModel(LocalModel):
    """A classifier of pairs, one of whose classes says that the first text entails the second."""

    reads: Literal["prompts", "hypotheses"] = "hypotheses"

    def __init__(
        self, name: str, model: Any, tokenizer: Any, device: Device, context: int | None, entailment: int
    ) -> None:
        super().__init__(name, context)
        self.model, self.device, self.entailment = model, device, entailment
        self.renderer = Renderer(tokenizer)

    def tokens(self, prompt: Prompt) -> int:
        """Return how many tokens the premise has, with the special ones of a pair."""
        return len(self._pairs([(prompt.question, "")])["input_ids"][0])

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return the log-probability (natural logarithm) that a question entails a choice, (prompts, choices).

        Raises:
            RunError: a pair does not fit into the context or into memory.
        """
        found: Floats = np.zeros((len(prompts), len(choices)), dtype=np.float32)
        if not found.size:
            return found
        pairs = self._pairs([(prompt.question, choice) for prompt in prompts for choice in choices])
        lengths = [len(ids) for ids in pairs["input_ids"]]
        self._check_fit(max(lengths))
        flat = found.reshape(-1)

        def fill(some: NDArray[np.int64]) -> None:
            batch = {name: [values[pair] for pair in some] for name, values in pairs.items()}
            flat[some] = self._entailed(batch)

        def report(done: int, pairs: int) -> None:
            if progress:
                progress(len(prompts) * done // pairs, len(prompts))

        by_batch(lengths, fill, self.device, report, too_large=TOO_LARGE)
        self._count([sum(lengths[row : row + len(choices)]) for row in range(0, len(lengths), len(choices))])
        return found

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> dict[str, list[list[int]]]:
        harmless = self.renderer.harmless
        firsts, seconds = ([harmless(pair[side]) for pair in pairs] for side in (0, 1))
        return dict(self.renderer.tokenizer(firsts, seconds, verbose=False))

    @torch.inference_mode()
    def _entailed(self, batch: dict[str, list[list[int]]]) -> Floats:
        padded = self.renderer.tokenizer.pad(batch, return_tensors="pt").to(self.device.torch)
        logits = self.model(**padded).logits.float()
        entailed: Floats = logits.log_softmax(-1)[:, self.entailment].cpu().numpy()
        return entailed


def entailment_label(config: Any) -> int | None:
    """Return the number of the class that says entailment, None where no class does."""
    labels = sorted((getattr(config, "id2label", None) or {}).items())
    return next((int(number) for number, label in labels if str(label).lower().startswith("entail")), None)
