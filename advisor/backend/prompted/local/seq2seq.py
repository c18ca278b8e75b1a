"""A sequence-to-sequence model: reads a prompt with one half, and answers with the other."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advisor.backend.arrays import Floats
from advisor.backend.batching import collate
from advisor.backend.devices import Device
from advisor.backend.prompted.language_model import Form, Written
from advisor.backend.prompted.local.base import LocalModel
from advisor.backend.prompted.local.causal import NO_LIMIT, stop_tokens
from advisor.backend.prompted.local.reader import TOO_LARGE, log_likelihoods
from advisor.backend.prompted.local.rendering import Renderer
from advisor.backend.prompted.local.spelling import Spelling
from advisor.backend.prompted.local.writing import pen_for, write_all
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.within_memory import Progress, by_batch
from advisor.errors import InputError


class Seq2SeqModel(LocalModel):
    """A model of two halves; a prompt is read once for all its answers."""

    writes = True

    def __init__(self, name: str, model: Any, tokenizer: Any, device: Device, context: int | None) -> None:
        super().__init__(name, context)
        self.model, self.device = model, device
        self.renderer = Renderer(tokenizer)
        self.padding = int(tokenizer.pad_token_id or 0)
        self._stops = stop_tokens(model, tokenizer)
        self._spelling: Spelling | None = None
        start = model.config.decoder_start_token_id
        self._start = [int(self.padding if start is None else start), *self.renderer.around[0]]

    def tokens(self, prompt: Prompt) -> int:
        """Return how many tokens a prompt has, special ones included."""
        return len(self._ids(prompt))

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return the mean log-likelihood of every choice's tokens, without the end of the text, (prompts, choices).

        Raises:
            InputError: a choice has no token.
            RunError: a prompt does not fit into the context or into memory.
        """
        rows, answers = [self._ids(prompt) for prompt in prompts], [self._answer(choice) for choice in choices]
        found: Floats = np.zeros((len(prompts), len(choices)), dtype=np.float32)
        if not found.size:
            return found
        self._check_fit(max(map(len, rows)))

        def fill(some: NDArray[np.int64]) -> None:
            found[some] = self._score([rows[row] for row in some], answers)

        decoded = len(choices) * (len(self._start) + max(map(len, answers)))
        by_batch([len(row) + decoded for row in rows], fill, self.device, progress, too_large=TOO_LARGE)
        self._count([len(row) for row in rows])
        return found

    @torch.inference_mode()
    def _score(self, rows: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Floats:
        ids, mask = collate(rows, self.padding, self.device.torch)
        states, choices = self.model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state, len(answers)
        every = (states.repeat_interleave(choices, dim=0), mask.repeat_interleave(choices, dim=0))
        sums, tokens = self._sums(*every, [*answers] * len(rows))
        means: Floats = (sums / tokens).view(len(rows), choices).cpu().numpy()
        return means

    def _sums(self, states: Tensor, mask: Tensor, answers: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Return the log-likelihood of an answer a row of encoded prompts, (rows,), and its tokens."""
        given, seen = collate([[*self._start, *answer] for answer in answers], self.padding, self.device.torch)
        first = len(self._start) - 1
        logits = self.model(
            encoder_outputs=(states,), attention_mask=mask, decoder_input_ids=given[:, :-1], use_cache=False
        ).logits[:, first:]
        counted = seen[:, first + 1 :]
        return (log_likelihoods(logits, given[:, first + 1 :]) * counted).sum(-1), counted.sum(-1)

    @torch.inference_mode()
    def likelihoods(
        self, prompts: Sequence[Prompt], answers: Sequence[str], progress: Progress | None = None
    ) -> Floats:
        """Return how likely a given answer is after each prompt, as `LanguageModel` has it.

        Raises:
            RunError: a prompt does not fit into the context or into memory.
        """
        found: Floats = np.zeros((len(prompts), 2), dtype=np.float32)
        if not len(found):
            return found
        rows, end = [self._ids(prompt) for prompt in prompts], self.renderer.around[1]
        self._check_fit(max(map(len, rows)))
        room = (self.context or NO_LIMIT) - len(self._start)
        ended = [[*self._tokens_of(answer), *end][:room] for answer in answers]

        def fill(some: NDArray[np.int64]) -> None:
            ids, mask = collate([rows[row] for row in some], self.padding, self.device.torch)
            states = self.model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
            found[some] = torch.stack(self._sums(states, mask, [ended[row] for row in some]), dim=1).cpu().numpy()

        sizes = [len(row) + len(answer) for row, answer in zip(rows, ended, strict=True)]
        by_batch(sizes, fill, self.device, progress, too_large=TOO_LARGE)
        self._count(sizes)
        return found

    def write(
        self, prompts: Sequence[Prompt], forms: Sequence[Form], progress: Progress | None = None
    ) -> list[Written]:
        """Return an answer a prompt, in its form, by the likeliest token at each step.

        Raises:
            RunError: a prompt does not fit into the context or into memory.
        """
        rows = [self._ids(prompt) for prompt in prompts]
        if not rows:
            return []
        self._check_fit(max(map(len, rows)))
        self._spelling = self._spelling or Spelling(self.renderer.tokenizer)
        spelling, found, written = self._spelling, [Written("", 0.0, False)] * len(rows), 0
        room = (self.context or NO_LIMIT) - len(self._start)

        def fill(some: NDArray[np.int64]) -> None:
            nonlocal written
            pens = [pen_for(forms[row], spelling, room, self._stops, chat=True) for row in some]
            half = _WritingHalf(self, [rows[row] for row in some])
            for row, answer in zip(some, write_all(pens, half.begin(), half.follow), strict=True):
                found[row] = answer
            written += sum(len(pen.tokens) for pen in pens)

        by_batch([len(row) for row in rows], fill, self.device, progress, too_large=TOO_LARGE)
        self._count([len(row) for row in rows], written)
        return found

    def _ids(self, prompt: Prompt) -> list[int]:
        return self.renderer.prompt_ids(prompt) + self.renderer.around[1]

    def _answer(self, choice: str) -> list[int]:
        """Return an answer's tokens, as the tokenizer has targets.

        Raises:
            InputError: it has none.
        """
        tokens = self._tokens_of(choice)
        if not tokens:
            raise InputError(f"the label word {choice!r} has no token of its own; give the label another word")
        return tokens

    def _tokens_of(self, answer: str) -> list[int]:
        found = self.renderer.tokenizer(
            text_target=self.renderer.harmless(answer), add_special_tokens=False, verbose=False
        )
        return list(found["input_ids"])


class _WritingHalf:
    """The half that writes, at work on a batch of prompts that have been read."""

    def __init__(self, model: Seq2SeqModel, rows: Sequence[Sequence[int]]) -> None:
        from transformers import DynamicCache, EncoderDecoderCache

        self.model = model
        self.ids, self.mask = collate(rows, model.padding, model.device.torch)
        accepted = inspect.signature(model.model.forward).parameters
        self._cache_name = "cache" if "cache" in accepted else "past_key_values"
        self._cache: Any = EncoderDecoderCache(DynamicCache(), DynamicCache())

    @torch.inference_mode()
    def begin(self) -> Tensor:
        """Read the prompts and return the logits of the first tokens."""
        self._read = (self.model.model.get_encoder()(input_ids=self.ids, attention_mask=self.mask).last_hidden_state,)
        start: list[int] = self.model._start
        return self._next(torch.tensor([start] * len(self.ids), device=self.ids.device))

    def follow(self, rows: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Append a token to some answers, and padding to those that have ended; return the logits of the former."""
        given = torch.full((len(self.ids), 1), self.model.padding, device=self.ids.device)
        given[list(rows), 0] = torch.tensor(tokens, device=self.ids.device)
        return self._next(given)[list(rows)]

    @torch.inference_mode()
    def _next(self, given: Tensor) -> Tensor:
        made = self.model.model(
            encoder_outputs=self._read,
            attention_mask=self.mask,
            decoder_input_ids=given,
            use_cache=True,
            **{self._cache_name: self._cache},
        )
        logits: Tensor = made.logits[:, -1]
        return logits
