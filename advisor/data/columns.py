"""Which columns hold what a task needs: as named by the user, by usual names, or by their content."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from advisor.data.content import (
    Rows,
    class_column,
    could_hold_labels,
    is_data,
    list_column,
    number_column,
    text_column,
    with_words,
    zero_one_columns,
)
from advisor.data.names import (
    ANSWER_NAMES,
    CLASSES_NAMES,
    CONTEXT_NAMES,
    LABEL_NAMES,
    NUMBER_NAMES,
    QUESTION_NAMES,
    START_NAMES,
    TAG_NAMES,
    TEXT_NAMES,
    WORD_NAMES,
    Wanted,
    flag,
    listed_names,
    nearest,
    place_of,
    plain,
    several,
    shown,
    usual,
    usual_pair,
)
from advisor.data.prompt_columns import prompt_columns
from advisor.errors import DataError
from advisor.tasks import TASKS

ByContent = Callable[[Sequence[str], Rows, int | None], int | None]


class Columns(NamedTuple):
    """The places of what a task needs in a row.

    Attributes:
        text: the text, the first text of a pair, the question, the words, or the prompt.
        labels: the label, number, tags or answers; several columns of 0 and 1 hold one class each; chosen and
            rejected answer, or answer and judgement; none where no row has a label.
        pair: the second text of a pair, or the context.
        starts: where answers begin, if a column of its own says so; to a prompt, further right answers.
    """

    text: int
    labels: tuple[int, ...]
    pair: int | None = None
    starts: int | None = None


class _Kind(NamedTuple):
    """How a column is looked for: what messages call it, its flag, usual names, and what its values look like."""

    called: str
    flag: str
    usual: tuple[str, ...]
    by_content: ByContent


def _none(names: Sequence[str], sample: Rows, taken: int | None) -> None:
    """Find no column by content."""


_TEXT = _Kind("text", "--text", TEXT_NAMES, text_column)
_SECOND = _Kind("second text", "--pair", (), _none)
_CLASS = _Kind("label", "--label", LABEL_NAMES, class_column)
_CLASSES = _Kind("labels", "--label", CLASSES_NAMES, list_column)
_NUMBER = _Kind("label", "--label", NUMBER_NAMES, number_column)
_WORDS = _Kind("tokens", "--text", WORD_NAMES, _none)
_TAGS = _Kind("tags", "--label", TAG_NAMES, list_column)
_QUESTION = _Kind("question", "--text", QUESTION_NAMES, _none)
_CONTEXT = _Kind("context", "--pair", CONTEXT_NAMES, _none)
_ANSWERS = _Kind("answers", "--label", ANSWER_NAMES, _none)
_LABEL_OF = {"class": _CLASS, "classes": _CLASSES, "number": _NUMBER, "tags": _TAGS, "span": _ANSWERS}


def find_columns(
    task: str,
    names: Sequence[str],
    sample: Rows,
    place: str,
    wanted: Wanted = Wanted(),  # noqa: B008
    *,
    labels_needed: bool = True,
) -> Columns:
    """Return where a task's inputs and labels are.

    A column named by the user wins, then a usual name (case, spaces and dashes aside), then content: one column of
    long, mostly different strings; one of few, repeated values.

    Args:
        task: a key of `TASKS`.
        names: the columns of the file.
        sample: its first rows, for a decision by content.
        place: the file, for the message.
        wanted: the columns that the user named.
        labels_needed: whether there must be labels; else a file in which nothing looks like one may do without.

    Raises:
        DataError: a column is missing, or more than one could be the label.
    """
    reads, predicts = TASKS[task].reads, TASKS[task].predicts
    if reads == "prompt":
        found = prompt_columns(predicts, names, place, wanted)
        return Columns(found.prompt, found.answers, found.context, found.references)
    file, label = _File(names, sample, place, labels_needed=labels_needed), _LABEL_OF[predicts]
    if reads == "question":
        return file.questions(wanted)
    if reads == "words":
        return Columns(*file.two((_WORDS, label), (wanted.text, wanted.label)))
    pair = file.pair(wanted, needed=reads == "pair") if reads != "text" else None
    if pair is None:
        if predicts == "classes":
            flags = file.flags(wanted)
            if flags:
                return Columns(file.without(flags).one(_TEXT, wanted.text), tuple(flags))
        return Columns(*file.two((_TEXT, label), (wanted.text, wanted.label)))
    first, second = pair
    text, labels = file.without([second]).two((_TEXT, label), (names[first], wanted.label))
    return Columns(text, labels, second)


class _File:
    """The columns of one file that may still be taken, with some rows of it.

    Args:
        names: all its columns.
        sample: some of its rows.
        place: the file, for messages.
        hidden: columns that are taken.
        labels_needed: whether one must hold labels.
    """

    def __init__(
        self, names: Sequence[str], sample: Rows, place: str, hidden: Sequence[int] = (), *, labels_needed: bool = True
    ) -> None:
        self.places = [index for index in range(len(names)) if index not in hidden]
        self.names = [names[index] for index in self.places]
        self.sample = [[row[index] for index in self.places] for row in sample] if hidden else sample
        self.place = place
        self.labels_needed = labels_needed

    def without(self, taken: Sequence[int]) -> "_File":
        """Return the file without some columns, given by their places in the whole file."""
        return _File(self.names, self.sample, self.place, taken, labels_needed=self.labels_needed)

    def two(self, kinds: tuple[_Kind, _Kind], given: tuple[str | None, str | None]) -> tuple[int, tuple[int, ...]]:
        """Return the places of a text and of a label, which may be absent where none is needed and none is likely."""
        names, sample, known = self.names, self.sample, [plain(name) for name in self.names]
        text, label = (
            place_of(names, name) if name is not None else usual(names, kind.usual)
            for kind, name in zip(kinds, given, strict=True)
        )
        if text == label and given[0] is None:
            text = None
        elif text == label and given[1] is None:
            label = None
        if given[1] is None and kinds[1].usual is LABEL_NAMES:
            self._insist_on_one(known, text)
            label = label if label is None else with_words(label, known, sample)
        if None in (text, label) and is_data(names, sample):
            raise DataError(
                f"{self.place}: the first line looks like data, not like column names ({listed_names(names)}); "
                "put a header such as text,label above it"
            )
        if given[0] is None and text is None:
            text = kinds[0].by_content(names, sample, label)
        if given[1] is None and label is None:
            label = kinds[1].by_content(names, sample, text)
        if text is not None and label is None and given[1] is None and self._unlabelled(text):
            return self.places[text], ()
        if text is None or label is None:
            raise DataError(self._missing(kinds, given, (text, label)))
        if text == label:
            raise DataError(
                f"{self.place}: {shown(names[text])} cannot be both the text and the label; name two columns"
            )
        return self.places[text], (self.places[label],)

    def one(self, kind: _Kind, given: str | None) -> int:
        """Return the place of a column."""
        found = place_of(self.names, given) if given is not None else usual(self.names, kind.usual)
        if found is None and given is None:
            found = kind.by_content(self.names, self.sample, None)
        if found is None:
            near = nearest(self.names, given or kind.called, ())
            named = flag(self.names[near]) if near is not None else "COLUMN"
            raise DataError(
                f"{self.place}: no column named {shown(given or kind.called)}; found: {listed_names(self.names)}. "
                f"Try {kind.flag} {named}"
            )
        return self.places[found]

    def pair(self, wanted: Wanted, *, needed: bool) -> tuple[int, int] | None:
        """Return the places of the two texts of a pair; None where a row has one text and that is enough."""
        if wanted.pair is None:
            if not needed and wanted.text is not None:
                return None
            first = self.one(_TEXT, wanted.text) if wanted.text is not None else None
            found = usual_pair(self.names, first)
            if found is None and needed:
                raise DataError(
                    f"{self.place}: no second text of a pair; found: {listed_names(self.names)}. "
                    "Try --text COLUMN --pair COLUMN"
                )
            return found
        second = self.one(_SECOND, wanted.pair)
        known = [plain(name) for name in self.names]
        first = self._partner(known, second) if wanted.text is None else self.one(_TEXT, wanted.text)
        if first is None:
            first = self.without([second]).one(_TEXT, None)
        if first == second:
            raise DataError(
                f"{self.place}: {shown(self.names[first])} cannot be both texts of a pair; name two columns"
            )
        return first, second

    def questions(self, wanted: Wanted) -> Columns:
        """Return the places of questions, contexts, answers and, where a column has them, their starts."""
        text = self.one(_QUESTION, wanted.text)
        context = self.without([text]).one(_CONTEXT, wanted.pair)
        answers = self.without([text, context]).one(_ANSWERS, wanted.label)
        starts = usual(self.names, START_NAMES)
        return Columns(text, (answers,), context, None if starts == answers else starts)

    def flags(self, wanted: Wanted) -> list[int]:
        """Return the places of columns of 0 and 1, one a class; none where one column holds the classes."""
        if wanted.label is not None:
            return several(self.names, wanted.label)
        return [] if usual(self.names, CLASSES_NAMES) is not None else zero_one_columns(self.names, self.sample)

    def _partner(self, known: list[str], second: int) -> int | None:
        return next(
            (first for first in range(len(known)) if usual_pair(self.names, first) == (first, second)),
            None,
        )

    def _insist_on_one(self, known: list[str], text: int | None) -> None:
        rivals = [index for index, name in enumerate(known) if name in LABEL_NAMES and index != text]
        if len(rivals) > 1 and not {"label", "labels"} & set(known):
            listed = " and ".join(shown(self.names[index]) for index in rivals)
            named = flag(self.names[rivals[0]])
            raise DataError(f"{self.place}: {listed} could each be the label; say which, as in --label {named}")

    def _unlabelled(self, text: int) -> bool:
        """Tell whether the file may do, and does, without labels."""
        others = (place for place in range(len(self.names)) if place != text)
        return not (self.labels_needed or any(could_hold_labels(self.sample, place) for place in others))

    def _missing(
        self, kinds: tuple[_Kind, _Kind], given: tuple[str | None, str | None], found: tuple[int | None, int | None]
    ) -> str:
        """Say which columns are missing and which could be meant."""
        names, sample = self.names, self.sample
        wanted = [
            shown(name if name is not None else kind.called)
            for kind, name, place in zip(kinds, given, found, strict=True)
            if place is None
        ]
        text, label = (
            place if place is not None else usual(names, kind.usual) for kind, place in zip(kinds, found, strict=True)
        )
        likely = (
            text if text is not None else kinds[0].by_content(names, sample, label),
            label if label is not None else kinds[1].by_content(names, sample, text),
        )
        flags = []
        for kind, index, name in zip(kinds, likely, given, strict=True):
            guess = index if index is not None else nearest(names, name, likely)
            flags.append(f"{kind.flag} {flag(names[guess]) if guess is not None else 'COLUMN'}")
        bare = "" if self.labels_needed or found[0] is None else "; where no row has one yet, add an empty column label"
        return (
            f"{self.place}: no column named {' or '.join(wanted)}; found: {listed_names(names)}. "
            f"Try {' '.join(flags)}{bare}"
        )
