"""Tags of words: the schemes by which they mark entities, all read as BIO."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from advisor.data.names import shown
from advisor.data.values import Unfit

OUTSIDE = "O"
"""The tag of a word that is part of no entity."""
UNNAMED = "entity"
"""The type of entities whose tags are ``B`` and ``I`` alone."""
_TAG = re.compile(r"([BIESLUMW])-(\S(?:.*\S)?)|[BI]", re.IGNORECASE)


class Entity(NamedTuple):
    """An entity: its type, and its words from ``start`` up to but not including ``end``."""

    type: str
    start: int
    end: int


def as_bio(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as BIO: ``O``, ``B-type`` for an entity's first word, ``I-type`` for the others.

    BIO itself, IOB1 (``B-`` only between adjacent entities of a type), BIOES, BILOU and BMEW are read. Whatever goes
    on with an entity becomes ``I-``, what stands alone ``B-``, and an ``I-`` with no entity of its type before it
    begins one, as in Tjong Kim Sang and Veenstra 1999 (arXiv cs/9907006) and conlleval. Marks may be
    lower-case letters; types keep their case.

    Raises:
        Unfit: a tag of another form.
    """
    made: list[str] = []
    before = ""
    for tag in tags:
        continues, kind = _parts(tag)
        if continues is None:
            made.append(OUTSIDE)
        else:
            made.append(intern(f"{'I' if continues and kind == before else 'B'}-{kind}"))
        before = kind
    return tuple(made)


def entities(tags: Sequence[str]) -> Iterator[Entity]:
    """Yield the entities that BIO tags mark, in order."""
    start = 0
    for place, tag in enumerate((*tags, OUTSIDE)):
        if tag.startswith("I-"):
            continue
        if place and tags[place - 1] != OUTSIDE:
            yield Entity(tags[place - 1][2:], start, place)
        start = place


@lru_cache(maxsize=100_000)
def _parts(tag: str) -> tuple[bool | None, str]:
    """Return whether a tag goes on with an entity, ``None`` outside of one, and its type."""
    bare = tag.strip()
    if bare.upper() == OUTSIDE:
        return None, ""
    match = _TAG.fullmatch(bare)
    if match is None:
        what = "an empty tag" if not bare else f"the tag {shown(bare)}"
        raise Unfit("tag", f"{what} is not BIO: O, B-type for the first word of an entity, I-type for the others")
    return bare[0].upper() in "IELM", match[2] or UNNAMED
