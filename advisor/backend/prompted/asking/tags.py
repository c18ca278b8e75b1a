"""Asking for tags: the model lists entities, and the words they are made of get the tags of their kind."""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.chunks import OUTSIDE, TagSet
from advisor.backend.prompted.asking.base import WrittenAsking, sureness
from advisor.backend.prompted.label_words import LabelWord, label_words
from advisor.backend.prompted.language_model import Entities, Form, Written
from advisor.tasks import Input, Words


class Tags(WrittenAsking):
    """Entities of a sentence as BIO tags of its words."""

    @cached_property
    def kinds(self) -> list[str]:
        """Kinds of entity, in the order of the tags."""
        return TagSet(self.brief.labels).kinds

    @cached_property
    def words(self) -> list[LabelWord]:
        """The words of the kinds; a kind is described under its own name or that of one of its tags."""
        told = self.brief.descriptions
        described = {
            kind: next((told[name] for name in (kind, f"B-{kind}", f"I-{kind}") if told.get(name)), "")
            for kind in self.kinds
        }
        return label_words(self.kinds, described)

    def values(self) -> dict[str, Any]:
        """Return the kinds."""
        return {"labels": self.words}

    def form(self, row: Input) -> Form:
        """Return the form of entities of the sentence."""
        return Entities(cast(Words, row), tuple(word.word for word in self.words))

    def right_answer(self, row: Input, target: Any, number: int) -> str:
        """Return the entities of a tagged sentence as a model should write them."""
        words, chunks = cast(Words, row), TagSet(self.brief.labels).chunks(np.asarray(target), [len(target)])
        entities = [
            {"kind": self.words[kind].word, "text": " ".join(words[start:end])}
            for start, end, kind in zip(*chunks, strict=True)
        ]
        return json.dumps(entities, ensure_ascii=False)

    def outputs(self, inputs: Sequence[Input], written: Sequence[Written]) -> Floats:
        """Return (words in all, tags): the tag answered, mixed with all others as the model was unsure."""
        tags = len(self.brief.labels)
        found = []
        for row, answer in zip(inputs, written, strict=True):
            given = np.eye(tags, dtype=np.float32)[self._tags(cast(Words, row), answer.text)]
            sure = sureness(answer)
            found.append(sure * given + (1 - sure) / tags)
        return np.concatenate([np.zeros((0, tags)), *found]).astype(np.float32)

    def lure(self, answer: dict[str, Any]) -> str:
        """Return no entity where there are some, else one of the first kind."""
        return "[]" if answer["entities"] else f"a {self.words[0].word}" if self.words else "[]"

    def _tags(self, words: Words, text: str) -> list[int]:
        """Return the number of each word's tag."""
        numbers = {name: number for number, name in enumerate(self.brief.labels)}
        tags = [numbers.get(OUTSIDE, 0)] * len(words)
        kinds = {word.word.casefold(): kind for kind, word in zip(self.kinds, self.words, strict=True)}
        places, free = _Places(words), [True] * len(words)
        for name, part in _entities(text):
            kind = kinds.get(name.casefold())
            place = places.next(part, free) if kind is not None else None
            if place is None:
                continue
            start, end = place
            begins, goes_on = f"B-{kind}", f"I-{kind}"
            names = [begins, *[goes_on] * (end - start - 1)]
            for at, wanted in zip(range(start, end), names, strict=True):
                known = (name for name in (wanted, goes_on, begins, kind) if name in numbers)
                tags[at] = numbers[next(known)]
                free[at] = False
        return tags


class _Places:
    """Where runs of words stand in a sentence."""

    def __init__(self, words: Words) -> None:
        self.text = " ".join(words)
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        at = 0
        for number, word in enumerate(words):
            self.starts.setdefault(at, number)
            at += len(word)
            self.ends[at] = number + 1
            at += 1

    def next(self, part: str, free: Sequence[bool]) -> tuple[int, int] | None:
        """Return first word and the word behind the last of the first run that is free, None where there is none."""
        part = part.strip()
        at = self.text.find(part) if part else -1
        while at >= 0:
            start, end = self.starts.get(at), self.ends.get(at + len(part))
            if start is not None and end is not None and start < end and all(free[start:end]):
                return start, end
            at = self.text.find(part, at + 1)
        return None


def _entities(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of every whole object in an answer, whatever stands around it or is cut off."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            kind, part = found.get("kind"), found.get("text")
            if isinstance(kind, str) and isinstance(part, str):
                yield kind, part
        at = text.find("{", end)
