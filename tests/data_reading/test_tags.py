"""Tags of every scheme become the same BIO tags, and BIO tags stay as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.data.tags import OUTSIDE, Entity, as_bio, entities

BIO = ("B-PER", "I-PER", "I-PER", "O", "B-LOC", "B-LOC", "B-PER")


@pytest.mark.parametrize(
    "tags",
    [
        BIO,
        ("I-PER", "I-PER", "I-PER", "O", "I-LOC", "B-LOC", "I-PER"),  # IOB1
        ("B-PER", "I-PER", "E-PER", "O", "S-LOC", "S-LOC", "S-PER"),  # BIOES
        ("B-PER", "I-PER", "L-PER", "O", "U-LOC", "U-LOC", "U-PER"),  # BILOU
        ("B-PER", "M-PER", "E-PER", "O", "W-LOC", "W-LOC", "W-PER"),  # BMEW
        ("b-PER", "i-PER", "e-PER", "o", "s-LOC", "u-LOC", "w-PER"),
    ],
)
def test_schemes_agree(tags: tuple[str, ...]) -> None:
    assert as_bio(tags) == BIO


def test_entities_of_no_named_type() -> None:
    assert as_bio(["B", "I", "O", "I"]) == ("B-entity", "I-entity", "O", "B-entity")


def test_entities() -> None:
    assert list(entities(BIO)) == [
        Entity("PER", 0, 3),
        Entity("LOC", 4, 5),
        Entity("LOC", 5, 6),
        Entity("PER", 6, 7),
    ]
    assert list(entities(())) == []


types = st.sampled_from(["PER", "LOC", "a-b", "B-x"])
any_tags = st.lists(
    st.just(OUTSIDE) | st.tuples(st.sampled_from("BIESLUMW"), types).map("-".join), max_size=12
)  # fmt: skip


@given(any_tags)
def test_what_is_read_is_bio(tags: list[str]) -> None:
    read = as_bio(tags)
    assert as_bio(read) == read
    assert [tag[2:] for tag in read] == [tag[2:] for tag in tags]
    for before, tag in zip((OUTSIDE, *read), read, strict=False):
        assert not tag.startswith("I-") or before[2:] == tag[2:]


@given(st.lists(st.tuples(types, st.integers(1, 3), st.integers(0, 2)), max_size=6))
def test_entities_come_back(spans: list[tuple[str, int, int]]) -> None:
    tags: list[str] = []
    expected = []
    for name, length, gap in spans:
        tags += [OUTSIDE] * gap
        expected.append(Entity(name, len(tags), len(tags) + length))
        tags += [f"B-{name}"] + [f"I-{name}"] * (length - 1)
    assert list(entities(as_bio(tags))) == expected
