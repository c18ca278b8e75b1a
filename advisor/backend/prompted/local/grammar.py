"""What may be answered in a form, as a graph: nodes, and texts that lead from one to the next."""

import json
import re
import unicodedata
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from advisor.backend.prompted.language_model import Entities, Extract

Node = Hashable
_SPACE = re.compile(r"\s+")


class Step(NamedTuple):
    """A text that may come next, and where it leads."""

    text: str
    node: Node


class Grammar(Protocol):
    """All texts that read along some way from the start to an end."""

    start: Node

    def steps(self, node: Node) -> list[Step]:
        """Return what may come next."""
        ...

    def ends(self, node: Node) -> bool:
        """Whether the answer may end here."""
        ...


Spellable = Callable[[str], bool]


class Excerpt:
    """Any words of a context that follow one another, as they stand there; or what says that none of them answers.

    An answer begins and ends at a seam of the context: between a letter or digit and anything else, and anywhere in
    scripts that put no space between words. A sign may begin it where a word follows at once. Whatever space lies
    between words is written as one, so that a line's end is always the answer's.
    """

    start: Node = "start"
    _NOTHING: Node = "nothing"

    def __init__(self, form: Extract, spellable: Spellable) -> None:
        self._nothing = [Step(form.nothing, self._NOTHING)] if form.nothing and spellable(form.nothing) else []
        self._context = context = form.context
        seams = [place for place in range(len(context) + 1) if _is_seam(context, place)]
        self._words_end: dict[int, int] = {}
        end = 0
        for place in reversed(seams):
            if end and spellable("".join(context[place:end].split())):
                self._words_end[place] = end
            if place and not context[place - 1].isspace():
                end = place
        begins = [place for place in self._words_end if not context[place].isspace()]
        self._first = {place: self._end_of_first(place) for place in reversed(begins)}

    def _end_of_first(self, place: int) -> int | None:
        """Return the end of the word that begins here, a sign before it included; None where a sign stands alone."""
        end = self._words_end[place]
        if self._context[place].isalnum():
            return end
        return self._words_end.get(end) if self._context[end : end + 1].isalnum() else None

    def steps(self, node: Node) -> list[Step]:
        """From the start any word, or that there is none; from a seam what follows it."""
        if isinstance(node, int):
            end = self._words_end.get(node)
            return [Step(_SPACE.sub(" ", self._context[node:end]), end)] if end else []
        if node == self._NOTHING:
            return []
        return [*self._nothing, *(Step(self._context[begin:end], end) for begin, end in self._first.items() if end)]

    def ends(self, node: Node) -> bool:
        """Wherever a word or sign has been written."""
        return node != self.start

    def verbatim(self, text: str) -> str:
        """Return an answer as it stands in the context, with the space that is there."""
        found = re.search(r"\s+".join(map(re.escape, text.split())), self._context)
        return found.group() if found else text


def _is_seam(text: str, place: int) -> bool:
    if place in (0, len(text)):
        return bool(text)
    before, after = text[place - 1], text[place]
    unspaced = "Lo" in (unicodedata.category(before), unicodedata.category(after))
    return unspaced or not (before.isalnum() and after.isalnum())


@dataclass(frozen=True)
class Notation:
    """How a list of entities is written.

    Attributes:
        none: the empty list.
        opening, closing: around all.
        before, between, after: around an entity's kind and words.
        separator: between two entities.
        word: how a word is written.
    """

    none: str
    opening: str
    closing: str
    before: str
    between: str
    after: str
    separator: str
    word: Callable[[str], str]

    @property
    def marks(self) -> str:
        """All that is written beside kinds and words."""
        return "".join((self.none, self.opening, self.closing, self.before, self.between, self.after, self.separator))

    def tells(self, word: str) -> bool:
        """Whether a word cannot be taken for what is written beside words."""
        return self.after != "" or not set(word) & set(self.between + self.separator)


JSON = Notation(
    none="[]",
    opening="[",
    closing="]",
    before='{"kind": "',
    between='", "text": "',
    after='"}',
    separator=", ",
    word=lambda word: json.dumps(word, ensure_ascii=False)[1:-1],
)
# For vocabularies without braces, such as T5's.
PLAIN = Notation(
    none="none", opening="", closing="", before="", between=": ", after="", separator="; ", word=lambda word: word
)


class Listed:
    """Entities of a sentence from left to right, none over another: so that a list of them comes to an end."""

    start: Node = ("start",)
    _END: Node = ("end",)

    def __init__(self, form: Entities, notation: Notation, spellable: Spellable) -> None:
        self.notation = notation
        written = [notation.word(word) for word in form.words]
        self._kinds = [kind for kind in form.kinds if spellable(notation.word(kind))]
        self._words = [word if notation.tells(word) and spellable(word) else None for word in written]

    def steps(self, node: Node) -> list[Step]:
        """A kind and the first of its words, further words, and what stands between entities or ends the list."""
        match node:
            case ("start",):
                return [Step(self.notation.none, self._END), *self._kind_steps(self.notation.opening, 0)]
            case ("kind", int(first)):
                return self._word_steps("", range(first, len(self._words)))
            case ("words", int(last)):
                after = self.notation.after
                return [
                    *self._word_steps(" ", range(last, min(last + 1, len(self._words)))),
                    Step(after + self.notation.closing, self._END),
                    *self._kind_steps(after + self.notation.separator, last),
                ]
        return []

    def ends(self, node: Node) -> bool:
        """At the end of the list alone."""
        return node == self._END

    def _kind_steps(self, lead: str, first: int) -> list[Step]:
        if not any(self._words[first:]):
            return []
        before, between = self.notation.before, self.notation.between
        return [Step(f"{lead}{before}{self.notation.word(kind)}{between}", ("kind", first)) for kind in self._kinds]

    def _word_steps(self, lead: str, places: Sequence[int]) -> list[Step]:
        words = ((place, self._words[place]) for place in places)
        return [Step(lead + word, ("words", place + 1)) for place, word in words if word]


def as_answer(text: str, grammar: Grammar, *, whole: bool) -> str:
    """Return what was written as forms promise it: entities as JSON, of an unfinished list those that are finished."""
    if isinstance(grammar, Excerpt):
        return grammar.verbatim(text)
    if not isinstance(grammar, Listed):
        return text
    if grammar.notation is JSON:
        return text if whole else _finished(text)
    parts = [part.partition(PLAIN.between) for part in text.split(PLAIN.separator) if PLAIN.between in part]
    found = [{"kind": kind, "text": words} for kind, _, words in (parts if whole else parts[:-1])]
    return json.dumps(found, ensure_ascii=False)


def _finished(text: str) -> str:
    """Return the finished objects of a JSON list that breaks off."""
    end = len(text)
    while (end := text.rfind("}", 0, end)) > 0:
        with suppress(ValueError):
            json.loads(text[: end + 1] + "]")
            return text[: end + 1] + "]"
    return "[]"
