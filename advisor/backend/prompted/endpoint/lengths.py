"""How many tokens a request has, and whether the server read all of it, where its tokenizer is not at hand."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from advisor.backend.prompted.endpoint.answer import Answer
from advisor.backend.prompted.settings import EndpointSettings
from advisor.errors import RunError

Messages = Sequence[dict[str, str]]
_PAIR = 2
_PIECES = 4


class Rate(NamedTuple):
    """Tokens of a prompt by its size, as a server counts them: so many, and so many more a byte.

    Tokens a byte differ less between scripts than tokens a character do.
    """

    tokens: float
    per_byte: float

    def expected(self, size: int) -> float:
        """Return the tokens of a prompt of so many bytes."""
        return self.tokens + self.per_byte * size

    def allowing(self, tokens: int, size: int) -> "Rate":
        """Return the rate by which a prompt of so many tokens and bytes is no shorter than expected."""
        return self._replace(per_byte=min(self.per_byte, max(0.0, (tokens - self.tokens) / size)))


def characters(messages: Messages) -> int:
    """Return how many characters the messages hold."""
    return sum(len(message["content"]) for message in messages)


def size_of(messages: Messages) -> int:
    """Return how many bytes the messages hold."""
    return sum(len(message["content"].encode(errors="replace")) for message in messages)


def estimated_tokens(messages: Messages, settings: EndpointSettings) -> int:
    """Return how many tokens messages mostly have at most."""
    return math.ceil(size_of(messages) * settings.tokens_per_byte) + _around(messages, settings)


def most_tokens(messages: Messages, settings: EndpointSettings) -> int:
    """Return how many tokens messages cannot exceed: a token holds a byte at least."""
    return size_of(messages) + _around(messages, settings)


def _around(messages: Messages, settings: EndpointSettings) -> int:
    return settings.template_tokens + settings.message_tokens * len(messages)


def sample(messages: Messages, size: int) -> list[dict[str, str]]:
    """Return a part of a prompt, about ``size`` characters, with as many tokens a character as the whole.

    That is its end, question and answer by question and answer, as a template adds tokens to every message; where they
    are long, pieces from all over it in one message.
    """
    start = len(messages) - 1
    while start >= _PAIR and messages[start - _PAIR]["role"] == "user" and characters(messages[start:]) < size:
        start -= _PAIR
    if size / 2 <= characters(messages[start:]) <= 2 * size:
        return [dict(message) for message in messages[start:]]
    text = "\n".join(message["content"] for message in messages)
    length, step = size // _PIECES, len(text) // _PIECES
    pieces = (text[number * step : number * step + length] for number in range(_PIECES))
    return [{"role": "user", "content": " ".join(pieces)}]


def halves(messages: Messages) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return a prompt in two parts of about the same length, each of which a question ends."""
    left = characters(messages) // 2
    place = 0
    while left >= len(messages[place]["content"]):
        left -= len(messages[place]["content"])
        place += 1
    first, last = messages[:place], messages[place + 1 :]
    if messages[place]["role"] == "user":
        text = messages[place]["content"]
        parts = ([*first, {"role": "user", "content": text[:left]}], [{"role": "user", "content": text[left:]}, *last])
    else:  # what an assistant says is short and left out
        parts = [*first], [*last]
    return parts


def measured_rate(short: tuple[int, int], long: tuple[int, int]) -> Rate | None:
    """Return the line through two prompts, each as bytes and tokens; None where they do not tell."""
    more = long[0] - short[0]
    if more <= 0 or long[1] <= short[1]:
        return None
    per_byte = (long[1] - short[1]) / more
    return Rate(max(0.0, short[1] - per_byte * short[0]), per_byte)


def surely_cut(messages: Messages, answer: Answer, settings: EndpointSettings) -> bool:
    """Return whether a server counted fewer tokens than any text of that length has."""
    return answer.counted and answer.tokens_in * settings.characters_per_token < characters(messages)


def perhaps_cut(messages: Messages, answer: Answer, rate: Rate | None, settings: EndpointSettings) -> bool:
    """Return whether a server counted fewer tokens than text of that kind mostly has."""
    expected = rate.expected(size_of(messages)) if rate else 0.0
    return answer.counted and answer.tokens_in < settings.whole_share * expected


def cut(base: str, messages: Messages, answer: Answer) -> RunError:
    """Return what to say of a prompt that a server cut."""
    return RunError(
        f"{base} read {answer.tokens_in:,} tokens of a prompt of {characters(messages):,} characters, which has more: "
        "it cut the prompt; start the server with a longer context (Ollama: OLLAMA_CONTEXT_LENGTH), set "
        "model.llm_context, or show fewer demonstrations"
    )
