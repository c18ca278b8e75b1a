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
    """Tokens of a prompt by its length, as a server counts them: so many, and so many more a character."""

    tokens: float
    per_character: float

    def expected(self, length: int) -> float:
        """Return the tokens of a prompt of so many characters."""
        return self.tokens + self.per_character * length


def characters(messages: Messages) -> int:
    """Return how many characters the messages hold."""
    return sum(len(message["content"]) for message in messages)


def estimated_tokens(messages: Messages, settings: EndpointSettings) -> int:
    """Return how many tokens messages mostly have at most."""
    size = sum(len(message["content"].encode(errors="replace")) for message in messages)
    return math.ceil(size * settings.tokens_per_byte) + _around(messages, settings)


def most_tokens(messages: Messages, settings: EndpointSettings) -> int:
    """Return how many tokens messages cannot exceed: a token holds a byte at least."""
    return sum(len(message["content"].encode(errors="replace")) for message in messages) + _around(messages, settings)


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


def measured_rate(short: tuple[int, int], long: tuple[int, int]) -> Rate | None:
    """Return the line through two prompts, each as characters and tokens; None where they do not tell."""
    more = long[0] - short[0]
    if more <= 0 or long[1] <= short[1]:
        return None
    per_character = (long[1] - short[1]) / more
    return Rate(max(0.0, short[1] - per_character * short[0]), per_character)


def check_whole(messages: Messages, answer: Answer, rate: Rate | None, settings: EndpointSettings, base: str) -> None:
    """Check that the server read the whole prompt, as far as its count of tokens tells.

    Args:
        messages: of the prompt.
        answer: what the server made of it.
        rate: measured on a part of such prompts that was short enough to be read whole.
        settings: how much shorter than expected is too short.
        base: URL of the server.

    Raises:
        RunError: it counted far fewer tokens than were sent.
    """
    if not answer.counted:
        return
    length = characters(messages)
    expected = length / settings.characters_per_token
    if rate is not None:
        expected = max(expected, settings.whole_share * rate.expected(length))
    if answer.tokens_in < expected:
        raise RunError(
            f"{base} read {answer.tokens_in:,} tokens of a prompt of {length:,} characters, which has at least "
            f"{math.ceil(expected):,}: it cut the prompt; start the server with a longer context (Ollama: num_ctx or "
            "OLLAMA_CONTEXT_LENGTH), or set fewer demonstrations"
        )
