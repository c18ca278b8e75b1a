"""Which columns hold the text and the label: as named by the user, by usual names, or by their content."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from advisor.errors import DataError

TEXT_NAMES = (
    "text", "sentence", "content", "review", "message", "body", "utterance", "query", "question", "comment",
    "tweet", "title", "description", "input",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "category", "class", "intent", "sentiment", "target", "topic", "tag", "rating", "y",
)  # fmt: skip
_PAIRS = (
    {"text", "text_pair"}, {"premise", "hypothesis"}, {"sentence1", "sentence2"}, {"question1", "question2"},
    {"text1", "text2"}, {"text_a", "text_b"}, {"sentence_a", "sentence_b"},
)  # fmt: skip
_GENERATION = (
    {"prompt", "completion"}, {"prompt", "response"}, {"instruction", "output"}, {"instruction", "response"},
    {"messages"}, {"conversations"},
)  # fmt: skip
_TAG_NAMES = ("tags", "ner_tags", "pos_tags", "bio", "labels")
_LONGEST_SHOWN = 40

Rows = Sequence[Sequence[Any]]


class Columns(NamedTuple):
    """The places of the text and the label in a row."""

    text: int
    label: int


def find_columns(
    names: Sequence[str], sample: Rows, place: str, text: str | None = None, label: str | None = None
) -> Columns:
    """Return where text and label are.

    A column named by the user wins, then a usual name (case, spaces and dashes aside), then content: one
    column of long, mostly different strings; one of few, repeated values.

    Args:
        names: the columns of the file.
        sample: its first rows, for a decision by content.
        place: the file, for the message.
        text: the text column as named by the user.
        label: the label column as named by the user.

    Raises:
        DataError: a column is missing, or more than one could be the label.
    """
    known = [_plain(name) for name in names]
    wanted = [(text, TEXT_NAMES), (label, LABEL_NAMES)]
    found = [_given(names, name) if name is not None else _by_name(known, usual) for name, usual in wanted]
    if text is None and found[0] is not None and found[0] == found[1]:
        found[0] = None
    rivals = [index for index, name in enumerate(known) if name in LABEL_NAMES and index != found[0]]
    if label is None and len(rivals) > 1 and not {"label", "labels"} & set(known):
        listed = " and ".join(shown(names[index]) for index in rivals)
        raise DataError(f"{place}: {listed} could each be the label; say which, as in --label {flag(names[rivals[0]])}")
    if label is None and found[1] is not None:
        found[1] = _with_words(names, sample, found[1])
    if None in found and _is_data(names, sample):
        raise DataError(
            f"{place}: the first line looks like data, not like column names ({listed_names(names)}); "
            "put a header such as text,label above it"
        )
    if text is None and found[0] is None:
        found[0] = _text_by_content(names, sample, found[1])
    if label is None and found[1] is None:
        found[1] = _label_by_content(names, sample, found[0])
    if found[0] is None or found[1] is None:
        raise DataError(_missing(names, sample, place, (text, label), found))
    if found[0] == found[1]:
        raise DataError(f"{place}: {shown(names[found[0]])} cannot be both the text and the label; name two columns")
    return Columns(found[0], found[1])


def guess_task(names: Sequence[str], sample: Rows) -> str:
    """Return the task type (DESIGN.md §2) that columns of these names and values look like.

    Args:
        names: column names.
        sample: some rows, as many values as names.
    """
    known = {_plain(name) for name in names}
    values = {_plain(name): [row[index] for row in sample] for index, name in enumerate(names)}
    if {"chosen", "rejected"} <= known:
        return "preference"
    if any(_lists(values[name]) for name in known & set(_TAG_NAMES)) and _lists(
        values.get("tokens", values.get("words"))
    ):
        return "token-classification"
    if {"question", "context"} <= known and any(name.startswith("answer") for name in known):
        return "question-answering"
    label = next((values[name] for name in LABEL_NAMES if name in known), None)
    if _lists(label) or (label is None and _one_hot(values) > 1):
        return "multi-label"
    if _fractions(label):
        return "regression"
    if any(pair <= known for pair in _PAIRS):
        return "pair-classification"
    if label is None and any(group <= known for group in _GENERATION):
        return "generation"
    return "text-classification"


def shown(name: Any) -> str:
    """Return a name or label in quotes, printable and short, for a message."""
    text = "".join(character if character.isprintable() else "�" for character in str(name)[: _LONGEST_SHOWN + 1])
    return f"'{text[: _LONGEST_SHOWN - 1]}…'" if len(text) > _LONGEST_SHOWN else f"'{text}'"


def flag(name: str) -> str:
    """Return a column name as it is typed after a flag, in quotes where the shell needs them."""
    bare = shown(name)
    return bare if any(not (character.isalnum() or character in "_-.") for character in name) else bare[1:-1]


def listed_names(names: Sequence[str], most: int = 12) -> str:
    """Return column names for a message, the first ``most`` of them."""
    bare = [shown(name)[1:-1] if name else "(unnamed)" for name in names]
    return ", ".join(bare[:most]) + (f" and {len(bare) - most} more" if len(bare) > most else "")


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


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _given(names: Sequence[str], name: str) -> int | None:
    """Return the place of a column that the user named: exactly, else by its plain form."""
    if name in names:
        return list(names).index(name)
    same = [index for index, known in enumerate(names) if _plain(known) == _plain(name)]
    return same[0] if len(same) == 1 else None


def _by_name(known: Sequence[str], usual: Sequence[str]) -> int | None:
    return next((known.index(name) for name in usual if name in known), None)


def _with_words(names: Sequence[str], sample: Rows, label: int) -> int:
    """Prefer ``label_text`` or ``label_name`` to class numbers where it says the same in words."""
    for index, name in enumerate(names):
        if _plain(name) in {_plain(names[label]) + ending for ending in ("_text", "_name")}:
            pairs = {(str(row[label]), str(row[index])) for row in sample if row[index]}
            if pairs and len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs}):
                return index
    return label


def _text_by_content(names: Sequence[str], sample: Rows, label: int | None) -> int | None:
    """Return the one column whose values are strings of several words, mostly different."""
    fitting = [index for index in range(len(names)) if index != label and _is_prose([row[index] for row in sample])]
    return fitting[0] if len(fitting) == 1 else None


def _label_by_content(names: Sequence[str], sample: Rows, text: int | None) -> int | None:
    """Return the one column with at least two and few, repeated values."""
    fitting = []
    for index in range(len(names)):
        values = [row[index] for row in sample if row[index] not in (None, "")]
        if index == text or any(isinstance(value, list | dict) for value in values):
            continue
        if 2 <= len(set(values)) <= len(values) / 2 and not any(map(is_fraction, values)):
            fitting.append(index)
    return fitting[0] if len(fitting) == 1 else None


def _is_prose(values: list[Any]) -> bool:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    if not texts or len(texts) < len(values) / 2:
        return False
    words = sum(len(text.split()) for text in texts) / len(texts)
    return words >= 3 and len(set(texts)) > len(texts) / 2


def _is_data(names: Sequence[str], sample: Rows) -> bool:
    """Tell whether a column's name is also one of its values: then the file has no header."""
    return any(name and any(row[index] == name for row in sample) for index, name in enumerate(names))


def _missing(
    names: Sequence[str],
    sample: Rows,
    place: str,
    given: tuple[str | None, str | None],
    found: list[int | None],
) -> str:
    wanted = [shown(given[i] if given[i] is not None else ("text", "label")[i]) for i in (0, 1) if found[i] is None]
    flags = []
    known = [_plain(name) for name in names]
    text, label = found
    text = text if text is not None else _by_name(known, TEXT_NAMES)
    label = label if label is not None else _by_name(known, LABEL_NAMES)
    likely = (
        text if text is not None else _text_by_content(names, sample, label),
        label if label is not None else _label_by_content(names, sample, text),
    )
    for option, index, name in zip(("--text", "--label"), likely, given, strict=True):
        guess = index if index is not None else _nearest(names, name, {likely[0], likely[1]})
        if guess is not None:
            flags.append(f"{option} {flag(names[guess])}")
        else:
            flags.append(f"{option} COLUMN")
    return f"{place}: no column named {' or '.join(wanted)}; found: {listed_names(names)}. Try {' '.join(flags)}"


def _nearest(names: Sequence[str], name: str | None, taken: set[int | None]) -> int | None:
    """Return the column spelled most like ``name``; where one column is left, that one."""
    free = [index for index in range(len(names)) if index not in taken and names[index]]
    if name is not None:
        import difflib

        near = difflib.get_close_matches(_plain(name), [_plain(names[index]) for index in free], n=1)
        if near:
            return next(index for index in free if _plain(names[index]) == near[0])
    return free[0] if len(free) == 1 else None


def _lists(values: list[Any] | None) -> bool:
    """Tell whether the values that are there are lists, or strings that spell lists."""
    there = [value for value in values or [] if value not in (None, "")]
    return bool(there) and all(
        isinstance(value, list) or (isinstance(value, str) and value.startswith("[") and value.endswith("]"))
        for value in there
    )


def _fractions(values: list[Any] | None) -> bool:
    """Tell whether the values are numbers, some of them not whole."""
    there = [value for value in values or [] if value not in (None, "")]
    return any(map(is_fraction, there)) and all(map(is_number, there))


def _one_hot(values: dict[str, list[Any]]) -> int:
    """Return how many columns hold nothing but 0 and 1, both of them somewhere."""
    return sum({str(value) for value in column} == {"0", "1"} for column in values.values())
