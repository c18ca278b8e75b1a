"""A causal language model: answers are what may follow a prompt."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.batching import token_batches
from advisor.backend.devices import Device
from advisor.backend.prompted.language_model import Form, Written
from advisor.backend.prompted.local.base import LocalModel
from advisor.backend.prompted.local.copying import CopyingReader
from advisor.backend.prompted.local.packed import PackedReader
from advisor.backend.prompted.local.reader import TOO_LARGE, CausalNet, Reader
from advisor.backend.prompted.local.rendering import Asked, Renderer
from advisor.backend.prompted.local.spelling import Spelling
from advisor.backend.prompted.local.whole import WholeReader
from advisor.backend.prompted.local.writing import pen_for, write_all
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.within_memory import Progress, by_batch
from advisor.settings import load_settings

_log = logging.getLogger(__name__)
NO_LIMIT = 10**9
# How far scores of the two readers may lie apart, as a share of the spread of logits: what rounding makes of them.
_ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.02}


class CausalModel(LocalModel):
    """A model that goes on with a text; in its own chat template where it has one.

    Attributes:
        reader: takes prompts in; in the best way that the model is able to be read.
    """

    writes = True

    def __init__(self, name: str, model: Any, tokenizer: Any, device: Device, context: int | None) -> None:
        super().__init__(name, context)
        self.renderer = Renderer(tokenizer, chat=bool(getattr(tokenizer, "chat_template", None)))
        self.device = device
        self._spelling: Spelling | None = None
        self._stops = stop_tokens(model, tokenizer)
        self.reader = best_reader(CausalNet(model, device))

    def tokens(self, prompt: Prompt) -> int:
        """Return how many tokens a prompt has."""
        return len(self.renderer.prompt_ids(prompt))

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return the log-likelihood of every choice as the answer, as `LanguageModel` has it.

        Raises:
            InputError: a choice has no token of its own.
            RunError: a prompt does not fit into the context or into memory.
        """
        if not prompts:
            return np.zeros((0, len(choices)), dtype=np.float32)
        rows = [self.renderer.asked(prompt, choices) for prompt in prompts]
        for row in rows:
            self._check_fit(len(row.trunk) + max(map(len, row.tails)))
        found = np.array(self.reader.score(rows, progress), dtype=np.float32)
        self._count([len(row.trunk) for row in rows])
        return found

    def likelihoods(
        self, prompts: Sequence[Prompt], answers: Sequence[str], progress: Progress | None = None
    ) -> Floats:
        """Return how likely a given answer is after each prompt, as `LanguageModel` has it.

        Raises:
            RunError: a prompt does not fit into the context or into memory.
        """
        found: Floats = np.zeros((len(prompts), 2), dtype=np.float32)
        rows = []
        for prompt, answer in zip(prompts, answers, strict=True):
            row = self.renderer.answered(prompt, answer)
            self._check_fit(len(row.trunk) + 1)
            tail = row.tails[0][: (self.context or NO_LIMIT) - len(row.trunk)]
            rows.append(Asked(row.trunk, (tail,), (len(tail),)))
        lengths = np.array([len(row.tails[0]) for row in rows], dtype=np.int64)
        answered, done = np.flatnonzero(lengths), 0
        most = load_settings("computing.yaml")["likelihood_tokens"]
        for batch in map(answered.__getitem__, token_batches(lengths[answered].tolist(), most)):
            scores = self.reader.score([rows[row] for row in batch], None)
            found[batch] = [(lengths[row] * score[0], lengths[row]) for row, score in zip(batch, scores, strict=True)]
            done += len(batch)
            if progress:
                progress(done, len(rows))
        self._count([len(row.trunk) + len(row.tails[0]) for row in rows])
        return found

    def write(
        self, prompts: Sequence[Prompt], forms: Sequence[Form], progress: Progress | None = None
    ) -> list[Written]:
        """Return an answer a prompt, in its form, by the likeliest token at each step.

        Raises:
            RunError: a prompt does not fit into the context or into memory.
        """
        rows = [self.renderer.prompt_ids(prompt) for prompt in prompts]
        for row in rows:
            self._check_fit(len(row) + 1)
        if not rows:
            return []
        self._spelling = self._spelling or Spelling(self.renderer.tokenizer)
        spelling, found, room = self._spelling, [Written("", 0.0, False)] * len(rows), self.context or NO_LIMIT
        self.reader.settle(rows)
        written = 0

        def fill(some: NDArray[np.int64]) -> None:
            nonlocal written
            chosen = [rows[row] for row in some]
            pens = [
                pen_for(forms[row], spelling, room - len(rows[row]), self._stops, chat=self.renderer.chat)
                for row in some
            ]
            answers = write_all(pens, self.reader.begin(chosen), self.reader.follow)
            for row, answer in zip(some, answers, strict=True):
                found[row] = answer
            written += sum(len(pen.tokens) for pen in pens)

        sizes = [self.reader.size(row) for row in rows]
        by_batch(sizes, fill, self.device, progress, most_tokens=self.reader.most_tokens, too_large=TOO_LARGE)
        self._count([len(row) for row in rows], written)
        return found


def stop_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens by which a model ends what it writes."""
    found: set[int] = set()
    for one in (getattr(getattr(model, "generation_config", None), "eos_token_id", None), tokenizer.eos_token_id):
        found |= set(one) if isinstance(one, list) else {one} if one is not None else set()
    return frozenset(found)


def best_reader(net: CausalNet) -> Reader:
    """Return the reader that shares most of what a model's prompts have in common and scores them right.

    Whether it does is tried on a few tokens: it must score them as they are scored when taken in whole.
    """
    vocabulary = int(net.model.config.get_text_config(decoder=True).vocab_size)
    numbers = [(place * 7 + 3) % vocabulary for place in range(24)]
    one = Asked(tuple(numbers[:12]), (tuple(numbers[12:16]), tuple(numbers[13:15])), (4, 2))
    other = Asked(tuple(numbers[:8] + numbers[18:]), (tuple(numbers[16:18]), tuple(numbers[16:19])), (2, 3))
    whole = WholeReader(net)
    expected = np.array(whole.score([one, other], None))
    allowed = _ROUNDING.get(net.model.dtype, 0.0) * max(1.0, spread(net, numbers))
    for kind in (PackedReader, CopyingReader):
        try:
            reader: Reader = kind(net)
            apart = float(np.abs(reader.score([one, other], None) - expected).max())
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError) as failure:
            _log.info("not a %s: %s", kind.__name__, failure)
            continue
        if apart <= allowed:
            return reader
        _log.info("not a %s: scores differ by %.2g", kind.__name__, apart)
    return whole


@torch.inference_mode()
def spread(net: CausalNet, tokens: Sequence[int]) -> float:
    """Return the standard deviation of a model's logits after some tokens."""
    return float(net.logits(input_ids=net.ids(tokens)[None], use_cache=False).float().std(-1).mean())
