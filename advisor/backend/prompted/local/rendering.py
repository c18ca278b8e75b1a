"""Prompts as a model's tokens: chat template where it has one, and answers cut where the whole text cuts them."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from jinja2 import TemplateError

from advisor.backend.prompted.prompt import BETWEEN_TURNS, Prompt
from advisor.errors import InputError

# Characters before an answer that must come out as the same tokens alone as in the whole prompt, before the seam is
# taken from them.
_SEAM = 24
_REMEMBERED = 1024


class Asked(NamedTuple):
    """A prompt with all its answers, as tokens.

    Attributes:
        trunk: what all have in common, never empty.
        tails: what follows, one a choice, never empty.
        scored: how many of a tail's tokens, from its end, belong to the answer.
    """

    trunk: tuple[int, ...]
    tails: tuple[tuple[int, ...], ...]
    scored: tuple[int, ...]


class Renderer:
    """Turns prompts into tokens for one tokenizer.

    Attributes:
        tokenizer: of the model.
        chat: whether prompts are chats in the tokenizer's own template.
        lead: what stands between a prompt and its answer.
        harmless: gives a text in which no special token's name is left; data are words, whatever they spell.
    """

    def __init__(self, tokenizer: Any, *, chat: bool = False) -> None:
        self.tokenizer, self.chat = tokenizer, chat
        self.lead = "" if chat else " "
        # A prompt is tokenised to see whether it fits, and again when it is asked.
        self._alone = lru_cache(maxsize=_REMEMBERED)(self._ids)
        self._tail = lru_cache(maxsize=_REMEMBERED)(lambda seam, answer: self._ids(seam + answer))
        self.harmless = lru_cache(maxsize=_REMEMBERED)(self._harmless)

    def text(self, prompt: Prompt) -> str:
        """Return a prompt as the text that the model reads; names of special tokens in it are taken apart."""
        safe = self._safe(prompt)
        return self._chat(safe.messages()) if self.chat else safe.text()

    def _safe(self, prompt: Prompt) -> Prompt:
        return Prompt(
            self.harmless(prompt.instruction),
            tuple(type(turn)(self.harmless(turn.question), self.harmless(turn.answer)) for turn in prompt.turns),
            self.harmless(prompt.question),
            prompt.stem,
        )

    def _harmless(self, text: str) -> str:
        return self._special.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)

    def prompt_ids(self, prompt: Prompt) -> list[int]:
        """Return a prompt's tokens, those before any text included and those after it not."""
        return self._started(self._alone(self.text(prompt)))

    def asked(self, prompt: Prompt, choices: Sequence[str]) -> Asked:
        """Return a prompt with every choice as its answer.

        Tokens of an answer are those by which the whole text's differ from the prompt's alone, so that a token that
        reaches over the seam is the answer's.

        Raises:
            InputError: a choice adds no token.
        """
        text = self.text(prompt)
        alone = self._alone(text)
        wholes = [self._whole(text, alone, self.lead + self.harmless(choice)) for choice in choices]
        cuts = [common_prefix((alone, whole)) for whole in wholes]
        for choice, whole, cut in zip(choices, wholes, cuts, strict=True):
            if cut == len(whole):
                raise InputError(f"the label word {choice!r} has no token of its own; give the label another word")
        trunk = min(cuts)
        return Asked(
            trunk=tuple(self._started(alone[:trunk])),
            tails=tuple(tuple(whole[trunk:]) for whole in wholes),
            scored=tuple(len(whole) - cut for whole, cut in zip(wholes, cuts, strict=True)),
        )

    def answered(self, prompt: Prompt, answer: str) -> Asked:
        """Return a prompt with one answer and its end: what a chat's template puts behind it, else an empty line.

        Raises:
            InputError: the template takes no conversation.
        """
        safe, said = self._safe(prompt), self.harmless(answer)
        alone = self._alone(self.text(prompt))
        if self.chat:
            whole = self._ids(self._chat([*safe.messages(), {"role": "assistant", "content": said}], asks=False))
        else:
            whole = self._ids(safe.text() + self.lead + said + BETWEEN_TURNS)
        cut = common_prefix((alone, whole))
        return Asked(tuple(self._started(alone[:cut])), (tuple(whole[cut:]),), (len(whole) - cut,))

    def _whole(self, text: str, alone: list[int], answer: str) -> list[int]:
        """Return the tokens of a text with its answer, by those of the text's end where that is the same."""
        seam = self._seam(text)
        before = self._tail(seam, "")
        if len(seam) == len(text) or alone[len(alone) - len(before) :] != before:
            return self._ids(text + answer)
        return alone[: len(alone) - len(before)] + self._tail(seam, answer)

    def _seam(self, text: str) -> str:
        """Return the end of a text from some whitespace on."""
        end = len(text) - _SEAM
        return text[max(text.rfind(" ", 0, end), text.rfind("\n", 0, end), 0) :]

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return found

    def _started(self, ids: list[int]) -> list[int]:
        """Return tokens with those that a text begins with; a template writes them itself."""
        if self.chat:
            return ids
        before, _ = self.around
        return before + ids or [self._any_start]

    @cached_property
    def around(self) -> tuple[list[int], list[int]]:
        """Special tokens that the tokenizer puts before a text, and after it."""
        bare, dressed = self._ids("a"), list(self.tokenizer("a", verbose=False)["input_ids"])
        for start in range(len(dressed) - len(bare) + 1):
            if dressed[start : start + len(bare)] == bare:
                return dressed[:start], dressed[start + len(bare) :]
        return [], []

    @property
    def _any_start(self) -> int:
        known = (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id, self.tokenizer.pad_token_id, 0)
        return int(next(number for number in known if number is not None))

    @cached_property
    def _special(self) -> re.Pattern[str]:
        added = getattr(self.tokenizer, "added_tokens_decoder", {}).values()
        names = {str(token.content) for token in added if token.special} | set(self.tokenizer.all_special_tokens)
        longest_first = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def _chat(self, messages: list[dict[str, str]], *, asks: bool = True) -> str:
        """Return messages in the tokenizer's template; without a system's role the first question begins with it.

        Args:
            messages: of a chat.
            asks: whether an answer is to follow.

        Raises:
            InputError: the template takes no conversation.
        """
        attempts: list[Callable[[], list[dict[str, str]]]] = [lambda: messages, lambda: without_system(messages)]
        for attempt in attempts:
            try:
                text = self.tokenizer.apply_chat_template(
                    attempt(), tokenize=False, add_generation_prompt=asks, enable_thinking=False
                )
            except TemplateError as failure:
                reason = str(failure)
            else:
                return str(text)
        raise InputError(f"the model's own chat template takes no conversation ({reason}); use another model")


def without_system(messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return chat messages with the system's at the head of the first that follows."""
    if not messages or messages[0]["role"] != "system":
        return list(messages)
    system, first, *rest = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with alike."""
    length = 0
    for tokens in zip(*rows, strict=False):
        if len(set(tokens)) > 1:
            break
        length += 1
    return length
