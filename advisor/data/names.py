"""Names of columns: those that usually mean something, how names are compared, and how messages show them."""

import difflib
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

TEXT_NAMES = (
    "text", "sentence", "content", "review", "message", "body", "utterance", "query", "question", "comment",
    "tweet", "title", "description", "input",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "category", "class", "intent", "sentiment", "target", "topic", "tag", "rating", "y",
)  # fmt: skip
CLASSES_NAMES = (*LABEL_NAMES, "tags", "categories", "classes", "topics", "intents", "genres", "emotions")
NUMBER_NAMES = (
    *LABEL_NAMES, "score", "scores", "similarity", "similarity_score", "relatedness_score", "relatedness", "value",
    "stars", "grade",
)  # fmt: skip
PAIRS = (
    ("text", "text_pair"), ("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"),
    ("text1", "text2"), ("text_a", "text_b"), ("sentence_a", "sentence_b"), ("sentence_1", "sentence_2"),
    ("text_1", "text_2"), ("question_1", "question_2"), ("query", "passage"), ("query", "document"),
    ("question", "sentence"), ("question", "passage"), ("claim", "evidence"),
)  # fmt: skip
WORD_NAMES = ("tokens", "words", "token", "word", "text", "sentence")
TAG_NAMES = ("ner_tags", "tags", "ner", "bio", "iob", "labels", "label", "tag", "pos_tags")
QUESTION_NAMES = ("question", "query")
CONTEXT_NAMES = ("context", "passage", "paragraph", "document", "text")
ANSWER_NAMES = ("answers", "answer", "answer_text", "answer_texts")
START_NAMES = ("answer_starts", "answer_start", "answers_start", "answers_starts", "starts", "start")
PROMPT_NAMES = ("prompt", "instruction", "messages", "conversations", "conversation", "question", "input", "text")
CHAT_NAMES = ("messages", "conversations", "conversation")
CONTEXT_OF_PROMPT_NAMES = ("input", "context")
COMPLETION_NAMES = ("completion", "response", "output", "answer", "target")
REFERENCES_NAMES = ("references", "completions", "responses", "outputs", "answers")
CHOSEN_NAMES, REJECTED_NAMES = ("chosen",), ("rejected",)
JUDGEMENT_NAMES = ("label", "judgement", "judgment", "thumb", "thumbs", "approved", "feedback")
_LONGEST_SHOWN = 40
_BETWEEN = (",", ";", "|")


class Wanted(NamedTuple):
    """The columns that a user named; ``None`` where they are to be found."""

    text: str | None = None
    pair: str | None = None
    label: str | None = None


def plain(name: str) -> str:
    """Return a name as it is compared: case, outer space, inner spaces and dashes evened out."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def place_of(names: Sequence[str], name: str) -> int | None:
    """Return the place of a column that the user named: exactly, else by its plain form."""
    if name in names:
        return list(names).index(name)
    same = [index for index, known in enumerate(names) if plain(known) == plain(name)]
    return same[0] if len(same) == 1 else None


def usual(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Return the place of the first of the usual names that there is."""
    known = [plain(name) for name in names]
    return next((known.index(name) for name in wanted if name in known), None)


def usual_pair(names: Sequence[str], first: int | None = None) -> tuple[int, int] | None:
    """Return the places of two texts that usually belong together, of those that begin with column ``first``."""
    known = [plain(name) for name in names]
    for pair in PAIRS:
        if set(pair) <= set(known) and first in (None, known.index(pair[0])):
            return known.index(pair[0]), known.index(pair[1])
    return None


def joined(names: Sequence[str]) -> str:
    """Return several column names as one, which `several` takes apart."""
    separator = next((sign for sign in _BETWEEN if not any(sign in name for name in names)), _BETWEEN[0])
    return separator.join(names)


def several(names: Sequence[str], listed: str) -> list[int]:
    """Return the places of columns listed in one string, such as ``toxic,rude``; empty where one does not exist."""
    if place_of(names, listed) is not None:
        return []
    for separator in _BETWEEN:
        places = [place_of(names, part) for part in listed.split(separator)]
        if len(places) > 1 and None not in places:
            return [place for place in places if place is not None]
    return []


def nearest(names: Sequence[str], name: str | None, taken: Collection[int | None]) -> int | None:
    """Return the free column spelled most like ``name``; where one column is left, that one."""
    free = [index for index in range(len(names)) if index not in taken and names[index]]
    if name is not None:
        near = difflib.get_close_matches(plain(name), [plain(names[index]) for index in free], n=1)
        if near:
            return next(index for index in free if plain(names[index]) == near[0])
    return free[0] if len(free) == 1 else None


def printable(text: str) -> str:
    """Return a text with � for what cannot be printed, such as what steers a terminal; its lines stay."""
    return "".join(character if character.isprintable() or character == "\n" else "�" for character in text)


def shown(name: Any) -> str:
    """Return a name or label in quotes, on one line, printable and short, for a message."""
    text = printable(str(name)[: _LONGEST_SHOWN + 1].replace("\n", "�"))
    return f"'{text[: _LONGEST_SHOWN - 1]}…'" if len(text) > _LONGEST_SHOWN else f"'{text}'"


def flag(name: str) -> str:
    """Return a column name as it is typed after a flag, in quotes where the shell needs them."""
    bare = shown(name)
    return bare if any(not (character.isalnum() or character in "_-.") for character in name) else bare[1:-1]


def listed_names(names: Sequence[str], most: int = 12) -> str:
    """Return column names for a message, the first ``most`` of them."""
    bare = [shown(name)[1:-1] if name else "(unnamed)" for name in names]
    return (", ".join(bare[:most]) or "nothing") + (f" and {len(bare) - most} more" if len(bare) > most else "")
