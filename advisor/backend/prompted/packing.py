"""Packing: prompts that fit a model's context, fewer demonstrations or a shorter text where they would not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from advisor.backend.prompted.asking import Asking
from advisor.backend.prompted.language_model import LanguageModel
from advisor.backend.prompted.prompt import Prompt, Turn
from advisor.errors import InputError
from advisor.tasks import Chat, Input, Pair


@dataclass
class Cuts:
    """What did not fit.

    Attributes:
        prompts: how many were made.
        shortened: how many had to leave something out.
        demonstrations: left out of them in all.
        rows: whose own text was cut.
    """

    prompts: int = 0
    shortened: int = 0
    demonstrations: int = 0
    rows: int = 0

    @property
    def noted(self) -> dict[str, int]:
        """The counts as results and logs name them."""
        return {
            "prompts": self.prompts,
            "shortened": self.shortened,
            "demonstrations_left_out": self.demonstrations,
            "rows_cut": self.rows,
        }


@dataclass
class Packer:
    """Makes prompts that fit.

    Attributes:
        model: that will be asked.
        asking: words the question.
        room: tokens that a prompt may have; None where the context is not known.
        cuts: what was left out so far.
        sizes: tokens that demonstrations add, as far as they were looked up.
    """

    model: LanguageModel
    asking: Asking
    room: int | None
    cuts: Cuts = field(default_factory=Cuts)
    sizes: dict[Turn, int] = field(default_factory=dict)

    def pack(self, row: Input, number: int, turns: Sequence[Turn], *, backwards: bool) -> tuple[Prompt, Input]:
        """Return the prompt of a question about a row, and the row as the prompt has it.

        Of demonstrations those are kept that fit beside the ones before them; where none does and the row is still too
        long, the end of its longer text is left out.

        Args:
            row: what is asked about.
            number: of the question.
            turns: demonstrations, the one to keep longest first.
            backwards: whether that one comes last in the prompt.

        Raises:
            InputError: the instruction alone does not fit.
        """
        self.cuts.prompts += 1
        whole = self._made(row, number, turns, backwards)
        if self._fits(whole):
            return whole, row
        self.cuts.shortened += 1
        bare = self._made(row, number, (), backwards)
        if self._fits(bare):
            kept = self._kept(bare, turns)
            while kept and not self._fits(self._made(row, number, kept, backwards)):
                kept.pop()
            self.cuts.demonstrations += len(turns) - len(kept)
            return self._made(row, number, kept, backwards), row
        self.cuts.demonstrations += len(turns)
        self.cuts.rows += 1
        length = _most(_length(row), lambda length: self._fits(self._made(_cut(row, length), number, (), backwards)))
        if length < 0:
            raise InputError(
                f"{self.model.name}: its context has room for {self.room} tokens of prompt and the instruction takes "
                "more; shorten the descriptions of the labels or name a model that reads more"
            )
        cut = _cut(row, length)
        return self._made(cut, number, (), backwards), cut

    def _made(self, row: Input, number: int, turns: Sequence[Turn], backwards: bool) -> Prompt:
        ordered = turns[::-1] if backwards else turns
        question = self.asking.question(row, number)
        return Prompt(self.asking.instruction, tuple(ordered), question, self.asking.stem)

    def _kept(self, bare: Prompt, turns: Sequence[Turn]) -> list[Turn]:
        """Return the demonstrations that should fit, as far as tokens of parts add up to those of the whole."""
        assert self.room is not None
        left, kept = self.room - self.model.tokens(bare), []
        for turn in turns:
            size = self._size(turn)
            if size <= left:
                left -= size
                kept.append(turn)
        return kept

    def _size(self, turn: Turn) -> int:
        """Return the tokens that a demonstration adds."""
        if turn not in self.sizes:
            without = Prompt(self.asking.instruction, (), "", self.asking.stem)
            self.sizes[turn] = self.model.tokens(without._replace(turns=(turn,))) - self.model.tokens(without)
        return self.sizes[turn]

    def _fits(self, prompt: Prompt) -> bool:
        return self.room is None or self.model.tokens(prompt) <= self.room


def _most(highest: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to ``highest`` that fits, -1 where not even 0 does."""
    low, high = -1, highest
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _length(row: Input) -> int:
    """Return the length of the part of a row that can be cut: characters, or words."""
    if isinstance(row, Chat):
        return len(row.messages[-1].content)
    return max(map(len, row)) if isinstance(row, Pair) else len(row)


def _cut(row: Input, length: int) -> Input:
    """Return a row with at most so many characters in each text or in the last message, or so many words."""
    if isinstance(row, Chat):
        *before, last = row.messages
        return Chat((*before, last._replace(content=last.content[:length])))
    if isinstance(row, Pair):
        return Pair(row.first[:length], row.second[:length])
    return row[:length]
