"""What may be answered in a form, as a graph: nodes, and texts that lead from one to the next."""

import json
import unicodedata
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

from advisor.backend.prompted.language_model import Entities, Extract

Node = Hashable


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
    """Any words of a context that follow one another, as they stand there.

    An answer begins and ends at a seam of the context: between a letter or digit and anything else, and anywhere in
    scripts that put no space between words. Other signs belong to the word that they touch.
    """

    start: Node = "start"

    def __init__(self, form: Extract, spellable: Spellable) -> None:
        self._context = context = form.context
        seams = [place for place in range(len(context) + 1) if _is_seam(context, place)]
        self._next = {start: end for start, end in pairwise(seams) if spellable(context[start:end])}

    def steps(self, node: Node) -> list[Step]:
        """From the start any word, or the sign before one; from a seam what follows it."""
        if node == self.start:
            begins = [start for start in self._next if self._begins(start)]
        else:
            begins = [place for place in (node,) if isinstance(place, int) and place in self._next]
        return [Step(self._context[start : self._next[start]], self._next[start]) for start in begins]

    def ends(self, node: Node) -> bool:
        """At a seam behind a word, or behind the sign after one."""
        if not isinstance(node, int):
            return False
        before = self._context[max(node - 2, 0) : node]
        return before[-1].isalnum() or (before[0].isalnum() and not before[-1].isspace())

    def _begins(self, place: int) -> bool:
        first, then = self._context[place], self._context[self._next[place] :]
        return first.isalnum() or (not first.isspace() and then[:1].isalnum())


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


def as_json(text: str, grammar: Grammar) -> str:
    """Return an answer as forms promise it: a list of entities as JSON, in whatever notation it was written."""
    if not isinstance(grammar, Listed) or grammar.notation is JSON:
        return text
    if text == PLAIN.none:
        return "[]"
    parts = [part.split(PLAIN.between, 1) for part in text.split(PLAIN.separator)]
    return json.dumps([{"kind": kind, "text": words} for kind, words in parts], ensure_ascii=False)
