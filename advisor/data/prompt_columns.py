"""Which columns hold prompts and what is known of answers to them: demonstrations, preferences or judgements."""

from collections.abc import Sequence
from typing import NamedTuple

from advisor.data.names import (
    CHAT_NAMES,
    CHOSEN_NAMES,
    COMPLETION_NAMES,
    CONTEXT_OF_PROMPT_NAMES,
    JUDGEMENT_NAMES,
    PROMPT_NAMES,
    REFERENCES_NAMES,
    REJECTED_NAMES,
    Wanted,
    listed_names,
    place_of,
    plain,
    several,
    shown,
    usual,
)
from advisor.errors import DataError
from advisor.tasks import Predicts


class PromptColumns(NamedTuple):
    """The places of prompts and answers in a row.

    Attributes:
        prompt: the prompt; where a chat holds its own answer, the chat.
        answers: the answer; chosen and rejected; or the answer and its judgement.
        context: what belongs to the prompt and stands in a column of its own.
        references: further right answers.
    """

    prompt: int
    answers: tuple[int, ...]
    context: int | None = None
    references: int | None = None


def prompt_columns(predicts: Predicts, names: Sequence[str], place: str, wanted: Wanted) -> PromptColumns:
    """Return where prompts and answers are: as named by the user, else by usual names.

    Args:
        predicts: ``text`` for demonstrations, ``preference`` for preferences and judgements.
        names: the columns of the file.
        place: the file, for messages.
        wanted: the columns that the user named.

    Raises:
        DataError: a column is missing.
    """
    file = _File(names, place)
    answers = several(names, wanted.label) if wanted.label else []
    if predicts == "preference" and not answers:
        answers = file.judged()
    elif predicts == "text":
        answers = file.demonstrated(wanted.label)
    prompt = file.prompt(wanted.text, answers)
    taken = [prompt, *answers]
    context = None
    if wanted.pair is not None:
        context = file.named(wanted.pair, "--pair")
    elif plain(names[prompt]) == "instruction":
        context = file.free(CONTEXT_OF_PROMPT_NAMES, taken)
    references = file.free(REFERENCES_NAMES, [*taken, context]) if predicts == "text" else None
    return PromptColumns(prompt, tuple(answers), context, references)


class _File:
    """The columns of a file."""

    def __init__(self, names: Sequence[str], place: str) -> None:
        self.names, self.place = names, place

    def named(self, name: str, flag: str) -> int:
        found = place_of(self.names, name)
        if found is None:
            raise DataError(
                f"{self.place}: no column named {shown(name)}; found: {listed_names(self.names)}. Try {flag} COLUMN"
            )
        return found

    def free(self, wanted: Sequence[str], taken: Sequence[int | None]) -> int | None:
        """Return the first of the usual names whose column is not taken."""
        known = [plain(name) for name in self.names]
        places = (known.index(name) for name in wanted if name in known)
        return next((place for place in places if place not in taken), None)

    def prompt(self, name: str | None, answers: Sequence[int]) -> int:
        if name is not None:
            return self.named(name, "--text")
        found = self.free(PROMPT_NAMES, answers)
        if found is None and self._holds_chats(answers):
            found = answers[0]
        if found is None:
            raise DataError(
                f"{self.place}: no column of prompts; found: {listed_names(self.names)}. Name it by --text COLUMN"
            )
        return found

    def demonstrated(self, name: str | None) -> list[int]:
        if name is not None:
            return [self.named(name, "--label")]
        answers = usual(self.names, COMPLETION_NAMES)
        answers = usual(self.names, CHAT_NAMES) if answers is None else answers
        if answers is None:
            raise DataError(
                f"{self.place}: no column of answers; found: {listed_names(self.names)}. Name it by --label COLUMN"
            )
        return [answers]

    def judged(self) -> list[int]:
        """Return the places of chosen and rejected answers, or of answers and judgements."""
        for pair in ((CHOSEN_NAMES, REJECTED_NAMES), (COMPLETION_NAMES, JUDGEMENT_NAMES)):
            first, second = (usual(self.names, wanted) for wanted in pair)
            if first is not None and second is not None:
                return [first, second]
        raise DataError(
            f"{self.place}: neither chosen and rejected answers nor answers with a judgement; found: "
            f"{listed_names(self.names)}. Name them by --label CHOSEN,REJECTED or --label ANSWER,JUDGEMENT"
        )

    def _holds_chats(self, answers: Sequence[int]) -> bool:
        """Whether an answer's column may hold the whole chat that it ends."""
        return bool(answers) and plain(self.names[answers[0]]) in (*CHAT_NAMES, *CHOSEN_NAMES)
