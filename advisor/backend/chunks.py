"""Chunks: the entities that tags of words stand for, and tags put right where a chunk begins inside.

By conlleval's definition (Tjong Kim Sang and De Meulder 2003, https://aclanthology.org/W03-0419), which is also
seqeval's default: a chunk starts at a ``B-`` or ``S-``, at any tag of another type than the one before, and after
``O`` or an ``E-`` or ``S-``; it ends before the next start, before ``O`` and with the sentence.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"
_PREFIXES = "BIES"
_UNNAMED = "_"

Tags = NDArray[np.int64]


class Chunks(NamedTuple):
    """Entities in the order of words, one number an entity in each array.

    Attributes:
        start: number of the first word.
        end: number of the word after the last.
        kind: number of the type in `TagSet.kinds`.
    """

    start: Tags
    end: Tags
    kind: Tags


class TagSet:
    """Tags by number: which type of entity each belongs to, and whether it opens or closes one.

    A tag without a prefix (``NOUN``) is taken for the inside of a type of its own name.

    Args:
        names: of the tags, in the order of their numbers.

    Attributes:
        kinds: types of entity, in the order of the tags.
    """

    def __init__(self, names: Sequence[str]) -> None:
        parts = [_parts(name) for name in names]
        self.kinds = list(dict.fromkeys(kind for _, kind in parts if kind is not None))
        self._kind = np.array([-1 if kind is None else self.kinds.index(kind) for _, kind in parts], dtype=np.int64)
        self._opens = np.array([prefix in {"B", "S"} for prefix, _ in parts], dtype=bool)
        self._closes = np.array([prefix in {"E", "S"} for prefix, _ in parts], dtype=bool)
        numbers = {part: number for number, part in enumerate(parts)}
        self._opening = np.array(
            [numbers.get(("B", kind), at) if prefix == "I" else at for at, (prefix, kind) in enumerate(parts)],
            dtype=np.int64,
        )

    def chunks(self, tags: Tags, lengths: Sequence[int]) -> Chunks:
        """Return the entities of sentences.

        Args:
            tags: (words in all,) tag numbers, the sentences one after the other.
            lengths: words of each sentence.
        """
        kind = self._kind[tags]
        starts = self._starts(tags, kind, lengths)
        inside = kind >= 0
        following = np.append(starts[1:] | ~inside[1:], True)
        following[_firsts(lengths)[1:] - 1] = True
        start = np.flatnonzero(starts)
        return Chunks(start, np.flatnonzero(inside & following) + 1, kind[start])

    def repaired(self, tags: Tags, lengths: Sequence[int]) -> Tags:
        """Return the tags with ``B-X`` for every ``I-X`` that starts an entity, where there is such a tag.

        The entities stay the same: an ``I-X`` after ``O``, after another type or at the start of a sentence has
        always begun one.
        """
        starts = self._starts(tags, self._kind[tags], lengths)
        return np.where(starts, self._opening[tags], tags)

    def _starts(self, tags: Tags, kind: Tags, lengths: Sequence[int]) -> NDArray[np.bool_]:
        fresh = np.append(True, (kind[1:] != kind[:-1]) | self._closes[tags[:-1]])[: len(tags)]
        fresh[_firsts(lengths)] = True
        starts: NDArray[np.bool_] = (kind >= 0) & (fresh | self._opens[tags])
        return starts


def _firsts(lengths: Sequence[int]) -> Tags:
    """Return the number of the first word of each sentence that has any."""
    sizes = np.asarray([length for length in lengths if length], dtype=np.int64)
    return np.cumsum(sizes) - sizes


def _parts(name: str) -> tuple[str, str | None]:
    """Return prefix and type of a tag, no type for ``O``."""
    prefix, dash, kind = name.partition("-")
    if name == OUTSIDE:
        return "O", None
    return (prefix, kind or _UNNAMED) if prefix in _PREFIXES and len(prefix) == 1 and dash else ("I", name)
