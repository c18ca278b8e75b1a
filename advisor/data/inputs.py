"""What a model reads, from the cells of a row: a text, a pair of texts, words, or a prompt."""

from collections.abc import Callable, Sequence
from typing import Any

from advisor.data.columns import Columns
from advisor.data.names import shown
from advisor.data.prompts import read_prompt
from advisor.data.values import Unfit, as_list, kind_of, required_text
from advisor.tasks import TASKS, Input, Pair, Words

InputReader = Callable[[Sequence[Any]], Input | None]


def input_reader(task: str, columns: Columns, names: Sequence[str]) -> InputReader:
    """Return what reads a row's input, ``None`` where the row has none; it raises `Unfit`."""
    text = names[columns.text]
    if TASKS[task].reads == "prompt":
        return lambda row: read_prompt(row, columns, names)
    if TASKS[task].reads == "words":
        return lambda row: _words(row[columns.text], text)
    if columns.pair is None:
        return lambda row: _text(row[columns.text], text)
    second = columns.pair
    return lambda row: _pair(row[columns.text], row[second], (text, names[second]))


def _text(value: Any, column: str) -> str | None:
    text = required_text(value, column)
    return text if text and not text.isspace() else None


def _pair(first: Any, second: Any, columns: tuple[str, str]) -> Pair | None:
    """Return a pair, ``None`` where both texts are blank.

    Raises:
        Unfit: one of the two is blank.
    """
    pair = Pair(required_text(first, columns[0]), required_text(second, columns[1]))
    blank = [not text or text.isspace() for text in pair]
    if all(blank):
        return None
    if any(blank):
        empty, other = columns if blank[0] else columns[::-1]
        raise Unfit("half a pair", f"column {shown(empty)} is empty beside a text in {shown(other)}; a pair needs both")
    return pair


def _words(value: Any, column: str) -> Words | None:
    """Return words from a list, a string that spells one, or a string with spaces between words."""
    listed = as_list(value)
    if listed is None:
        if isinstance(value, str):
            listed = value.split()
        elif value is None:
            return None
        else:
            raise Unfit("words", f"{kind_of(value)} where a list of words is expected (column {shown(column)})")
    words = tuple(required_text(word, column, "a word") for word in listed)
    return words if any(word and not word.isspace() for word in words) else None
