"""Answers that stand in a context, from any common layout, each checked to stand at its place."""

import re
from collections.abc import Iterator
from typing import Any

from advisor.data.names import shown
from advisor.data.values import Unfit, as_list, as_object, kind_of, required_text
from advisor.tasks import Answer

_STARTS = ("answer_start", "answer_starts", "start", "starts")


def read_answers(value: Any, starts: Any, context: str, column: str) -> tuple[Answer, ...] | None:
    """Return the distinct answers of a row, none where the context holds no answer, ``None`` where nothing is known.

    Layouts: an object of lists (``text``, ``answer_start``); a list of such objects; a list of texts or one text
    with the starts in a column of their own. An answer without a start is taken to stand where it first occurs.

    Args:
        value: what the column of answers holds.
        starts: what the column of starts holds, ``None`` without one.
        context: what the answers stand in.
        column: name of the column of answers, for messages.

    Raises:
        Unfit: another layout, not a start for each answer, or an answer that does not stand at its place.
    """
    if value is None or value == "":
        return None
    found = dict.fromkeys(_placed(text, start, context, column) for text, start in _told(value, starts, column))
    return tuple(found)


def _told(value: Any, starts: Any, column: str) -> Iterator[tuple[Any, Any]]:
    """Yield texts and starts as written; a start is ``None`` where none is given."""
    told = as_object(value)
    if told is not None:
        value = told.get("text")
        starts = next((told[name] for name in _STARTS if told.get(name) is not None), starts)
    texts = as_list(value)
    if texts is None:
        texts = [value]
    elif any(isinstance(text, dict) for text in texts):
        if not all(isinstance(text, dict) for text in texts):
            raise Unfit("answers", f"objects and texts together in column {shown(column)}")
        for text in texts:
            yield text.get("text"), next((text[name] for name in _STARTS if text.get(name) is not None), None)
        return
    places = as_list(starts)
    if places is None:
        places = [None] * len(texts) if starts in (None, "") else [starts]
    if len(places) != len(texts):
        raise Unfit("starts", f"{len(texts)} answers and {len(places)} starts (column {shown(column)})")
    yield from zip(texts, places, strict=True)


def _placed(text: Any, start: Any, context: str, column: str) -> Answer:
    answer = required_text(text, column, "an answer")
    if not answer.strip():
        raise Unfit("empty answer", f"an empty answer (column {shown(column)})")
    if start in (None, ""):
        place = context.find(answer)
        if place < 0:
            told = f"the answer {shown(answer)} does not stand in the context"
            raise Unfit("place", told + _other_case(answer, context))
        return Answer(answer, place)
    place = _whole(start, column)
    if place < 0 or context[place : place + len(answer)] != answer:
        told = f"the answer {shown(answer)} does not stand at character {place} of the context"
        raise Unfit("place", told + _hint(answer, place, context))
    return Answer(answer, place)


def _whole(start: Any, column: str) -> int:
    try:
        place = float(start)
        if not isinstance(start, bool) and place.is_integer():
            return int(place)
    except (TypeError, ValueError, OverflowError):
        pass
    raise Unfit(
        "start",
        f"{kind_of(start)} where the place of an answer's first character is expected (beside column {shown(column)})",
    )


def _hint(answer: str, place: int, context: str) -> str:
    places = [match.start() for match in re.finditer(re.escape(answer), context)]
    if not places:
        return ", nor anywhere in it" + _other_case(answer, context)
    nearest = min(places, key=lambda where: abs(where - place))
    others = f", and at {len(places) - 1} more" if len(places) > 1 else ""
    return f" but at {nearest}{others}; places count characters from 0"


def _other_case(answer: str, context: str) -> str:
    """Return the answer as the context has it, where only case differs, for a message."""
    match = re.search(re.escape(answer), context, re.IGNORECASE)
    return f"; {shown(match[0])} does, an answer is copied as it stands" if match else ""
