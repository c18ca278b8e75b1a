"""An answer of an endpoint: its text, how likely its tokens were, what it took."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

_THOUGHT = re.compile(r"^\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|$)", re.DOTALL)
_CUT = ("length", "max_tokens", "content_filter")
_DIGITS = 6


class Broken(Exception):
    """What a server sent is no answer; the message says in which way."""


class Likely(NamedTuple):
    """A token and the natural logarithm of its probability; ``text`` is bytes, as a token may end within a letter."""

    text: bytes
    log_probability: float


class Step(NamedTuple):
    """A token of the answer, and those that were the likeliest in its place."""

    chosen: Likely
    likeliest: tuple[Likely, ...]


class Answer(NamedTuple):
    """What a server answered.

    Attributes:
        text: without what the model thought before.
        whole: whether it ended by itself.
        steps: token by token, empty where the server does not tell.
        tokens_in, tokens_out: as the server counted them, or an estimate from above where it does not.
        counted: whether the server counted.
        seconds: from the request to its end, waits before it left out.
    """

    text: str
    whole: bool
    steps: tuple[Step, ...]
    tokens_in: int
    tokens_out: int
    counted: bool
    seconds: float = 0.0

    def mean_log_probability(self) -> float:
        """Return the mean over the tokens, NaN where the server does not tell."""
        found = [step.chosen.log_probability for step in self.steps]
        return sum(found) / len(found) if found else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Return it as a journal keeps it."""
        steps = [[_kept(step.chosen), [_kept(one) for one in step.likeliest]] for step in self.steps]
        kept = {"text": self.text, "whole": self.whole, "in": self.tokens_in, "out": self.tokens_out}
        kept["seconds"] = round(self.seconds, _DIGITS)
        return kept | ({"steps": steps} if steps else {}) | ({} if self.counted else {"counted": False})


def kept_answer(kept: dict[str, Any]) -> Answer:
    """Return the answer that `Answer.as_json` wrote."""
    steps = tuple(Step(_likely(chosen), tuple(map(_likely, others))) for chosen, others in kept.get("steps", ()))
    counted = kept.get("counted", True)
    tokens, seconds = (int(kept["in"]), int(kept["out"])), float(kept.get("seconds", 0))
    return Answer(str(kept["text"]), bool(kept["whole"]), steps, *tokens, bool(counted), seconds)


def read_answer(payload: Any, at_most: tuple[int, int], hide: Callable[[str], str]) -> Answer:
    """Return the answer in a chat completion.

    Args:
        payload: what JSON made of the response.
        at_most: tokens of prompt and answer at most, for servers that do not count.
        hide: takes secrets out of a text.

    Raises:
        Broken: it has another form.
    """
    try:
        choice = payload["choices"][0]
        content = choice["message"].get("content")
        text = content if isinstance(content, str) else "".join(part["text"] for part in content or ())
        steps = _steps(choice)
    except (LookupError, TypeError, AttributeError, ValueError):
        raise Broken("its answer is no chat completion") from None
    tokens = _counted(payload.get("usage"))
    counted, (tokens_in, tokens_out) = tokens is not None, tokens or at_most
    text = hide(_THOUGHT.sub("", text))
    return Answer(text, choice.get("finish_reason") not in _CUT, steps, tokens_in, tokens_out, counted)


def _counted(usage: Any) -> tuple[int, int] | None:
    """Return the tokens of prompt and answer, None where the server does not count; a prompt has some."""
    if not isinstance(usage, dict):
        return None
    tokens_in, tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(tokens_in, int) or not isinstance(tokens_out, int) or tokens_in < 1 or tokens_out < 0:
        return None
    return tokens_in, tokens_out


def _steps(choice: dict[str, Any]) -> tuple[Step, ...]:
    told = (choice.get("logprobs") or {}).get("content") or ()
    return tuple(Step(_token(one), tuple(_token(other) for other in one.get("top_logprobs") or ())) for one in told)


def _token(one: dict[str, Any]) -> Likely:
    spelled = one.get("bytes")
    text = bytes(spelled) if isinstance(spelled, list) else str(one["token"]).encode()
    # Servers write minus infinity as a large number or as null.
    value = one["logprob"]
    return Likely(text, round(float(value), _DIGITS) if value is not None else float("-inf"))


def _kept(likely: Likely) -> list[Any]:
    # Most tokens are whole letters; Latin-1 spells the others byte by byte.
    try:
        return [likely.text.decode(), likely.log_probability]
    except UnicodeDecodeError:
        return [likely.text.decode("latin-1"), likely.log_probability, 1]


def _likely(kept: list[Any]) -> Likely:
    return Likely(kept[0].encode("latin-1" if len(kept) > 2 else "utf-8"), float(kept[1]))
