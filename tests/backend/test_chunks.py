import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.backend.chunks import TagSet

NAMES = ["O", "B-X", "I-X", "B-Y", "I-Y"]


def read(tags: str, names: list[str] = NAMES) -> tuple[list[tuple[int, int, str]], list[str]]:
    """Chunks and repaired tags of sentences written as ``O B-X | I-X``."""
    rows = [sentence.split() for sentence in tags.split("|")]
    numbers = np.array([names.index(tag) for row in rows for tag in row], dtype=np.int64)
    tag_set, lengths = TagSet(names), [len(row) for row in rows]
    found = [
        (int(a), int(b), tag_set.kinds[kind]) for a, b, kind in zip(*tag_set.chunks(numbers, lengths), strict=True)
    ]
    return found, [names[tag] for tag in tag_set.repaired(numbers, lengths)]


@pytest.mark.parametrize(
    ("tags", "chunks", "repaired"),
    [
        ("B-X I-X O", [(0, 2, "X")], "B-X I-X O"),
        ("O I-X I-X", [(1, 3, "X")], "O B-X I-X"),
        ("B-X I-Y I-Y", [(0, 1, "X"), (1, 3, "Y")], "B-X B-Y I-Y"),
        ("B-X B-X", [(0, 1, "X"), (1, 2, "X")], "B-X B-X"),
        ("B-X | I-X", [(0, 1, "X"), (1, 2, "X")], "B-X B-X"),
        ("B-X | | I-X O |", [(0, 1, "X"), (1, 2, "X")], "B-X B-X O"),
        ("O O", [], "O O"),
        ("", [], ""),
    ],
)
def test_chunks_and_repair(tags: str, chunks: list[tuple[int, int, str]], repaired: str) -> None:
    assert read(tags) == (chunks, repaired.split())


def test_a_type_without_an_opening_tag_stays_as_it_is() -> None:
    assert read("O I-X I-X", ["O", "I-X"]) == ([(1, 3, "X")], ["O", "I-X", "I-X"])


@given(st.lists(st.lists(st.integers(0, 4), max_size=8), max_size=5))
def test_repair_keeps_the_entities_and_needs_no_second(rows: list[list[int]]) -> None:
    tag_set, lengths = TagSet(NAMES), [len(row) for row in rows]
    tags = np.array([tag for row in rows for tag in row], dtype=np.int64)
    once = tag_set.repaired(tags, lengths)
    assert np.array_equal(tag_set.repaired(once, lengths), once)
    for before, after in zip(tag_set.chunks(tags, lengths), tag_set.chunks(once, lengths), strict=True):
        assert np.array_equal(before, after)
