"""Writing answers: the likeliest token at each step, among those that the answer's form allows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor

from advisor.backend.prompted.language_model import Entities, Form, Free, Written
from advisor.backend.prompted.local.grammar import JSON, PLAIN, Excerpt, Grammar, Listed, as_answer
from advisor.backend.prompted.local.spelling import Places, Spelling, ended, may_end, places_at
from advisor.backend.prompted.prompt import BETWEEN_TURNS


class Pen(ABC):
    """An answer while it is written.

    Attributes:
        tokens: of it, so far.
        whole: whether it came to its own end.
        done: whether nothing can follow.
    """

    def __init__(self, spelling: Spelling, room: int, stops: frozenset[int]) -> None:
        """Begin an answer.

        Args:
            spelling: of the vocabulary.
            room: tokens that there is room for.
            stops: tokens by which the model ends what it writes.
        """
        self.spelling, self.room, self.stops = spelling, room, stops
        self.tokens: list[int] = []
        self.whole, self.done = False, room < 1
        self._likely: list[float] = []

    @abstractmethod
    def next(self, logits: Tensor) -> int | None:
        """Return the likeliest token that may come, of logits (vocabulary,); None where the answer is at its end."""

    def written(self) -> Written:
        """Return the answer, whole or as far as it went."""
        likely = sum(self._likely) / len(self._likely) if self._likely else 0.0
        return Written(self.text(), likely, self.whole)

    @abstractmethod
    def text(self) -> str:
        """Return what has been written."""

    def _take(self, token: int, logits: Tensor) -> int:
        self.tokens.append(token)
        self._likely.append(float(logits[token] - logits.logsumexp(-1)))
        self.done = len(self.tokens) >= self.room
        return token


class FreePen(Pen):
    """An answer in the model's own words; ``turn`` is what would begin the next turn, empty where the model tells."""

    def __init__(self, spelling: Spelling, room: int, stops: frozenset[int], turn: str) -> None:
        super().__init__(spelling, room, stops)
        self.turn = turn

    def next(self, logits: Tensor) -> int | None:
        """Return the likeliest token."""
        token = int(logits.argmax())
        self.whole = token in self.stops or bool(self.turn and self.turn in self._decoded())
        return None if self.whole else self._take(token, logits)

    def text(self) -> str:
        """Return the answer up to where the next turn would begin."""
        decoded = self._decoded()
        return (decoded.split(self.turn)[0] if self.turn else decoded).strip()

    def _decoded(self) -> str:
        return str(self.spelling.tokenizer.decode(self.tokens, skip_special_tokens=True))


class FormPen(Pen):
    """An answer that reads along a grammar, once one of the ``leads`` is written."""

    def __init__(
        self, spelling: Spelling, room: int, stops: frozenset[int], grammar: Grammar, leads: Sequence[str]
    ) -> None:
        super().__init__(spelling, room, stops)
        self.grammar = grammar
        self.places: Places = frozenset().union(*(places_at(grammar, grammar.start, lead) for lead in leads))

    def next(self, logits: Tensor) -> int | None:
        """Return the likeliest of the tokens that the grammar allows."""
        allowed = self.spelling.allowed(self.grammar, self.places)
        ending = may_end(self.grammar, self.places)
        candidates = [*allowed, *(sorted(self.stops) if ending else ())]
        best: int | None = candidates[int(logits[candidates].argmax())] if candidates else None
        if best is None or (ending and best in self.stops):
            self.whole = ending
            return None
        self.places = allowed[best]
        self._take(best, logits)
        if ended(self.grammar, self.places):
            self.whole = self.done = True
        return best

    def text(self) -> str:
        """Return the answer; entities as JSON."""
        text = b"".join(map(self.spelling.writes, self.tokens)).decode(errors="ignore").strip()
        return as_answer(text, self.grammar, whole=self.whole)


def pen_for(form: Form, spelling: Spelling, room: int, stops: frozenset[int], *, chat: bool) -> Pen:
    """Return what writes an answer in a form.

    Args:
        form: of the answer.
        spelling: of the vocabulary.
        room: tokens that there is room for.
        stops: tokens by which the model ends what it writes.
        chat: whether the model ends its turn by itself and begins it with or without a space; otherwise it goes on with
            the next turn, and begins with a space.
    """
    if isinstance(form, Free):
        return FreePen(spelling, min(room, form.max_tokens), stops, "" if chat else BETWEEN_TURNS)
    leads = ("", " ") if chat else (" ",)
    grammar: Grammar
    if isinstance(form, Entities):
        grammar = Listed(form, JSON if spelling.spellable(JSON.marks) else PLAIN, spelling.spellable)
    else:
        grammar = Excerpt(form, spelling.spellable)
    return FormPen(spelling, room, stops | spelling.breaks, grammar, leads)


def write_all(
    pens: Sequence[Pen], logits: Tensor, follow: Callable[[Sequence[int], Sequence[int]], Tensor]
) -> list[Written]:
    """Let pens write side by side.

    Args:
        pens: one an answer.
        logits: (answers, vocabulary) of the first tokens.
        follow: takes numbers of answers and a token for each, and returns the logits of their next.
    """
    active = [number for number, pen in enumerate(pens) if not pen.done]
    logits = logits[active]
    while active:
        rows = logits.float().cpu()
        tokens = [pens[pen].next(row) for pen, row in zip(active, rows, strict=True)]
        going_on = [
            (pen, token) for pen, token in zip(active, tokens, strict=True) if token is not None and not pens[pen].done
        ]
        active = [pen for pen, _ in going_on]
        if active:
            logits = follow(active, [token for _, token in going_on])
    return [pen.written() for pen in pens]
