"""What the values of a column look like: prose, few classes, numbers, lists, zeros and ones, tags."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

Rows = Sequence[Sequence[Any]]
_TAG = re.compile(r"O|[BI](-\S+)?|[ESLUMW]-\S+")
_ZERO_OR_ONE = {"0", "1", "0.0", "1.0", "true", "false"}


def is_fraction(value: Any) -> bool:
    """Tell whether a value is, or spells, a finite number that is not whole."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return math.isfinite(number) and not number.is_integer()


def is_number(value: Any) -> bool:
    """Tell whether a value is, or spells, a finite number."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def column(sample: Rows, place: int | None) -> list[Any]:
    """Return the values of a column that are there; none without a column."""
    return [] if place is None else [row[place] for row in sample if row[place] not in (None, "")]


def lists(values: Sequence[Any]) -> bool:
    """Tell whether there are values and all are lists, or strings that spell lists."""
    return bool(values) and all(
        isinstance(value, list | tuple)
        or (isinstance(value, str) and value.lstrip().startswith("[") and value.rstrip().endswith("]"))
        for value in values
    )


def objects(values: Sequence[Any]) -> bool:
    """Tell whether there are values and all are objects, lists of objects, or strings that spell an object."""
    return bool(values) and all(
        isinstance(value, dict)
        or (isinstance(value, str) and value.lstrip().startswith("{") and value.rstrip().endswith("}"))
        or (isinstance(value, list) and value != [] and all(isinstance(item, dict) for item in value))
        for value in values
    )


def fractions(values: Sequence[Any]) -> bool:
    """Tell whether the values are numbers, some of them not whole; some may be infinite or none."""
    return any(map(is_fraction, values)) and all(map(_spells_number, values))


def tag_strings(values: Sequence[Any]) -> bool:
    """Tell whether the values are strings of tags with spaces between, several in one of them."""
    parts = [value.split() if isinstance(value, str) else [] for value in values]
    return any(len(tags) > 1 for tags in parts) and all(map(all_tags, parts))


def all_tags(words: Iterable[str]) -> bool:
    """Tell whether there are words and all look like tags of a BIO scheme."""
    words = list(words)
    return bool(words) and all(_TAG.fullmatch(word) for word in words)


def zero_one_columns(names: Sequence[str], sample: Rows) -> list[int]:
    """Return the places of the columns of 0 and 1, empty unless two of them hold both."""
    found, both = [], 0
    for index in range(len(names)):
        values = {str(value).strip().lower() for value in column(sample, index)}
        if values and values <= _ZERO_OR_ONE:
            found.append(index)
            both += len(values) > 1
    return found if both > 1 else []


def text_column(names: Sequence[str], sample: Rows, taken: int | None) -> int | None:
    """Return the one column whose values are strings of several words, mostly different."""
    fitting = [index for index in range(len(names)) if index != taken and _is_prose([row[index] for row in sample])]
    return fitting[0] if len(fitting) == 1 else None


def class_column(names: Sequence[str], sample: Rows, taken: int | None) -> int | None:
    """Return the one column with at least two and few, repeated values."""
    fitting = []
    for index in range(len(names)):
        values = column(sample, index)
        if index == taken or any(isinstance(value, list | dict) for value in values):
            continue
        if 2 <= len(set(values)) <= len(values) / 2 and not any(map(is_fraction, values)):
            fitting.append(index)
    return fitting[0] if len(fitting) == 1 else None


def could_hold_labels(sample: Rows, place: int) -> bool:
    """Tell whether a column has what some task predicts: repeated values, numbers that are not whole, or lists."""
    values = column(sample, place)
    if any(isinstance(value, list | dict) for value in values) or fractions(values):
        return True
    return 2 <= len(set(values)) <= len(values) / 2


def number_column(names: Sequence[str], sample: Rows, taken: int | None) -> int | None:
    """Return the one column of numbers, some of them not whole."""
    fitting = [index for index in range(len(names)) if index != taken and fractions(column(sample, index))]
    return fitting[0] if len(fitting) == 1 else None


def list_column(names: Sequence[str], sample: Rows, taken: int | None) -> int | None:
    """Return the one column of lists."""
    fitting = [index for index in range(len(names)) if index != taken and lists(column(sample, index))]
    return fitting[0] if len(fitting) == 1 else None


def with_words(label: int, plain_names: Sequence[str], sample: Rows) -> int:
    """Return ``label_text`` or ``label_name`` for a column of class numbers where it says the same in words."""
    for index, name in enumerate(plain_names):
        if name in {plain_names[label] + ending for ending in ("_text", "_name")}:
            pairs = {(str(row[label]), str(row[index])) for row in sample if row[index]}
            if pairs and len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs}):
                return index
    return label


def is_data(names: Sequence[str], sample: Rows) -> bool:
    """Tell whether a column's name is also one of its values: then the file has no header."""
    return any(name and any(row[index] == name for row in sample) for index, name in enumerate(names))


def _spells_number(value: Any) -> bool:
    try:
        float(value)
    except OverflowError:
        return True
    except (TypeError, ValueError):
        return False
    return True


def _is_prose(values: list[Any]) -> bool:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    if not texts or len(texts) < len(values) / 2:
        return False
    words = sum(len(text.split()) for text in texts) / len(texts)
    return words >= 3 and len(set(texts)) > len(texts) / 2
