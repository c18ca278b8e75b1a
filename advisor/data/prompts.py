"""Prompts and what is known of answers to them, from the cells of a row: texts, chats, preferences, judgements."""

from collections.abc import Sequence
from typing import Any, cast

from advisor.data.columns import Columns
from advisor.data.names import CHOSEN_NAMES, JUDGEMENT_NAMES, plain, shown
from advisor.data.values import Unfit, as_list, as_text, kind_of, required_text
from advisor.tasks import Chat, Demonstration, Judged, Message, Preferred

_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "chatgpt": "assistant"}
_SPEAKERS = ("system", "user", "assistant")
YES = {"1", "1.0", "true", "yes", "up", "good", "+1", "desirable", "👍"}
NO = {"0", "0.0", "false", "no", "down", "bad", "-1", "undesirable", "👎"}


def read_prompt(row: Sequence[Any], columns: Columns, names: Sequence[str]) -> str | Chat | None:
    """Return the prompt of a row, None where it has none.

    A column that holds the answer too gives all before the answer. A text in a column of its own comes after the
    prompt, as the input of an instruction does.

    Raises:
        Unfit: it is neither a text nor a chat.
    """
    value, name = row[columns.text], names[columns.text]
    messages = _messages(value, name)
    if columns.text in columns.labels:
        if messages is None:
            if as_text(value) == "":
                return None
            raise Unfit("no chat", f"{kind_of(value)} where messages are expected (column {shown(name)})")
        messages = _before_answer(messages)
        return Chat(tuple(messages)) if messages else None
    if messages is not None:
        if messages and messages[-1].role == "assistant":
            raise Unfit("answered", f"the prompt ends with an answer (column {shown(name)}); it must end with a user")
        return Chat(tuple(messages)) if messages else None
    text = required_text(value, name, "a prompt")
    if columns.pair is not None:
        beside = required_text(row[columns.pair], names[columns.pair], "a text")
        text = f"{text}\n\n{beside}" if beside.strip() and text.strip() else text
    return text if text.strip() else None


def read_demonstration(row: Sequence[Any], columns: Columns, names: Sequence[str]) -> Demonstration | None:
    """Return the right answers of a row, the one to learn first; None where it has none."""
    (place,) = columns.labels
    found = [_answer(row[place], names[place])]
    if columns.starts is not None:
        listed = as_list(row[columns.starts])
        others = listed if listed is not None else [row[columns.starts]]
        found += [_answer(one, names[columns.starts]) for one in others]
    answers = tuple(dict.fromkeys(answer for answer in found if answer))
    return Demonstration(answers) if found[0] and answers else None


def read_feedback(row: Sequence[Any], columns: Columns, names: Sequence[str]) -> Preferred | Judged | None:
    """Return the preference or the judgement of a row, None where it has none.

    Raises:
        Unfit: one of two answers is missing, both are the same, or a judgement is neither yes nor no.
    """
    first, second = columns.labels
    if judges(columns, names):
        judgement = (as_text(row[second]) or "").strip().lower()
        answer = _answer(row[first], names[first])
        if not judgement or not answer:
            return None
        if judgement not in YES and judgement not in NO:
            raise Unfit(
                "judgement", f"{kind_of(row[second])} where yes or no is expected (column {shown(names[second])})"
            )
        return Judged(answer, judgement in YES)
    chosen, rejected = _answer(row[first], names[first]), _answer(row[second], names[second])
    if not chosen and not rejected:
        return None
    if not chosen or not rejected:
        raise Unfit(
            "half a preference", f"column {shown(names[second if chosen else first])} is empty; both are needed"
        )
    if chosen == rejected:
        raise Unfit("no preference", "the chosen and the rejected answer are the same; remove the row")
    return Preferred(chosen, rejected)


def judges(columns: Columns, names: Sequence[str]) -> bool:
    """Tell whether the second column of labels holds judgements, rather than rejected answers."""
    first, second = (plain(names[place]) for place in columns.labels)
    return first not in CHOSEN_NAMES and second in JUDGEMENT_NAMES


def _answer(value: Any, column: str) -> str:
    """Return an answer: a text, or the last message of a chat; empty where there is none."""
    messages = _messages(value, column)
    if messages is None:
        return required_text(value, column, "an answer").strip()
    answered = [message.content for message in messages if message.role == "assistant"]
    return answered[-1].strip() if answered else ""


def _messages(value: Any, column: str) -> list[Message] | None:
    """Return the messages of a chat, None for what is no list.

    Raises:
        Unfit: an entry is no message.
    """
    if isinstance(value, str) and not value.lstrip().startswith("[{"):
        return None
    listed = as_list(value)
    if listed is None or (isinstance(value, str) and not all(isinstance(one, dict) and _role(one) for one in listed)):
        return None
    return [_message(one, column) for one in listed]


def _message(value: Any, column: str) -> Message:
    if not isinstance(value, dict):
        raise Unfit(
            "no message", f"{kind_of(value)} where a message with role and content is expected ({shown(column)})"
        )
    said = cast("dict[str, Any]", value)
    role = _role(said)
    content = said["content"] if "content" in said else said.get("value")
    if role not in _SPEAKERS or not isinstance(content, str):
        raise Unfit(
            "no message",
            f"a message needs content and the role system, user or assistant (column {shown(column)})",
        )
    return Message(role, required_text(content, column))


def _role(said: dict[str, Any]) -> str:
    """Return who says a message, as ``role`` or ``from`` tells; empty where neither does."""
    role = str(said.get("role") or said.get("from") or "").strip().lower()
    return _ROLES.get(role, role)


def _before_answer(messages: list[Message]) -> list[Message]:
    """Return what comes before the last answer; what comes after it waits for none."""
    last = max((place for place, message in enumerate(messages) if message.role == "assistant"), default=None)
    return messages if last is None else messages[:last]
