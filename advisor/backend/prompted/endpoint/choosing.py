"""Which of given choices an endpoint's answer is, and how likely each of them was."""

import itertools
import json
import math
import re
from collections.abc import Sequence

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.endpoint.answer import Answer, Likely

_AROUND = b" \t\r\n\"'`*_("
_QUOTES = " \t\r\n\"'`*_().!:,;"


def tokens_to_tell(choices: Sequence[str], most: int) -> int:
    """Return how many tokens of an answer tell the choices apart.

    A token holds a letter at least, so as many as the longest beginning that two of them share, one more, and one for
    a space before.
    """
    ordered = sorted(_spelled(choices))
    shared = max((_shared(one, other) for one, other in itertools.pairwise(ordered)), default=0)
    return min(shared + 2, most)


def _shared(one: bytes, other: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def likelihoods(answer: Answer, choices: Sequence[str], least: float) -> Floats | None:
    """Return the log-probability of each choice as the answer, by the likeliest tokens at its beginning.

    The probability of a choice is that of all told tokens which begin it. Where the token that the model took begins
    several choices, the next place tells them apart, or the answer's end; where another token does, they share its
    probability, but for those that have a token of their own in that place. A choice that no token begins was less
    likely than the least likely token told, and than all that was not told: it gets the smaller of the two bounds.

    Args:
        answer: with its tokens, and the likeliest in the place of each.
        choices: answers.
        least: probability of all choices together below which the model meant to say something else.

    Returns:
        (choices,), or None below ``least``.
    """
    steps = answer.steps
    if not steps or not steps[0].likeliest:
        return None
    spelled, masses = _spelled(choices), np.zeros(len(choices))
    told = [math.exp(one.log_probability) for one in steps[0].likeliest]
    bound = min(*told, max(1 - sum(told), float(np.finfo(np.float32).eps)))
    reached, written = 1.0, b""
    for place, step in enumerate(steps):
        tokens = {one.text: one for one in (*step.likeliest, step.chosen)}.values()
        texts = [_after(written, one, choices) for one in tokens]
        taken, last = _after(written, step.chosen, choices), place + 1 == len(steps)
        goes_on = not last and (not taken or len(_begun(taken, spelled, texts)) > 1)
        for one, text in zip(tokens, texts, strict=True):
            begun = _begun(text, spelled, texts)
            if one.text == step.chosen.text:
                begun = [] if goes_on else _ended(text, spelled) or begun if last and answer.whole else begun
            if text and begun:
                masses[begun] += reached * math.exp(one.log_probability) / len(begun)
        if not goes_on:
            break
        written, reached = taken, reached * math.exp(step.chosen.log_probability)
    if masses.sum() < least or not masses.any():
        return None
    seen = masses[masses > 0].min()
    return np.log(np.where(masses > 0, masses, min(bound, seen))).astype(np.float32)


def _after(written: bytes, token: Likely, choices: Sequence[str]) -> bytes:
    """Return what is written after a token."""
    text = written + _folded(token.text, choices)
    return text if written else text.lstrip(_AROUND)


def _spelled(choices: Sequence[str]) -> list[bytes]:
    return [_folded(choice.strip().encode(), choices) for choice in choices]


def _folded(text: bytes, choices: Sequence[str]) -> bytes:
    """Return a text without regard to case, unless case alone tells choices apart; only of ASCII, so byte by byte."""
    return text.lower() if len({choice.lower() for choice in choices}) == len(choices) else text


def _begun(text: bytes, spelled: Sequence[bytes], texts: Sequence[bytes]) -> list[int]:
    """Return the choices that a text is the beginning of; where there is none, the longest one that it begins with.

    Of several, those are left out that are whole in ``texts``, all that may be written in that place.
    """
    begun = [number for number, choice in enumerate(spelled) if choice.startswith(text)]
    if begun:
        return [number for number in begun if spelled[number] == text or spelled[number] not in texts] or begun
    over = [n for n, choice in enumerate(spelled) if text.startswith(choice) and _ends(text[len(choice) :])]
    return [max(over, key=lambda number: len(spelled[number]))] if over else []


def _ended(text: bytes, spelled: Sequence[bytes]) -> list[int]:
    """Return the choice that a text is."""
    return [number for number, choice in enumerate(spelled) if choice == text]


def _ends(rest: bytes) -> bool:
    return not (rest[:1].isalnum() or rest[0] >= 0x80)


def chosen(answer: Answer, choices: Sequence[str]) -> int | None:
    """Return the number of the choice that a written answer is, None where it is none.

    It may stand in a JSON object as ``answer``, in quotes, or at the beginning of a longer first line.
    """
    said = _from_json(answer.text)
    text = (answer.text if said is None else said).strip(_QUOTES)
    for fold in (str, str.casefold):
        exact = [number for number, choice in enumerate(choices) if fold(choice).strip(_QUOTES) == fold(text)]
        if len(exact) == 1:
            return exact[0]
    if said is not None or not answer.whole:
        return None
    line = text.splitlines()[0].casefold() if text else ""
    begins = [n for n, c in enumerate(choices) if re.match(rf"{re.escape(c.strip(_QUOTES).casefold())}(?!\w)", line)]
    return max(begins, key=lambda number: len(choices[number])) if begins else None


def _from_json(text: str) -> str | None:
    """Return what an object's ``answer`` says, None where there is no object."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return None
    return str(found.get("answer", ""))


def sure_scores(number: int | None, choices: int, sureness: float) -> Floats:
    """Return log-probabilities for a choice made without telling how likely it was; all alike where none was made."""
    if number is None or choices == 1:
        return np.full(choices, -math.log(choices), dtype=np.float32)
    scores = np.full(choices, math.log((1 - sureness) / (choices - 1)), dtype=np.float32)
    scores[number] = math.log(sureness)
    return scores
