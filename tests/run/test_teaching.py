"""A teacher's labels: which texts are asked about, which answers are kept."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from advisor.backend.rows import Rows
from advisor.run.teaching import asked_texts, surest, taught
from advisor.strategies.modifiers import DistillationSettings, modifier_settings

SETTINGS = DistillationSettings.model_validate(modifier_settings("distillation").model_dump())


@given(
    outputs=arrays.arrays(np.float32, st.tuples(st.integers(0, 30), st.just(3)), elements=st.floats(0, 1, width=32)),
    share=st.floats(0.05, 1),
)
def test_of_every_label_the_same_share_is_kept_and_none_is_surer_than_those(outputs, share) -> None:
    kept = surest(outputs, share)
    assert list(kept) == sorted(set(kept))
    given_labels, sureness = outputs.argmax(axis=1), outputs.max(axis=1)
    for label in set(given_labels.tolist()):
        own = np.flatnonzero(given_labels == label)
        chosen = np.intersect1d(own, kept)
        assert len(chosen) == np.ceil(share * len(own))
        left = np.setdiff1d(own, kept)
        assert not len(left) or sureness[chosen].min() >= sureness[left].max()


def test_a_text_is_asked_about_once_and_not_if_it_is_known() -> None:
    assert asked_texts(["a", "b", "a", "c"], {"b"}, 5, seed=1) == ["a", "c"]
    drawn = asked_texts([f"text {number}" for number in range(50)], set(), 2, seed=1)
    assert len(set(drawn)) == 2 and drawn == asked_texts([f"text {number}" for number in range(50)], set(), 2, seed=1)


def test_labels_are_the_teachers_and_are_checked_on_those_of_people() -> None:
    sure, unsure = [0.9, 0.1], [0.4, 0.6]
    people = Rows(["x", "y", "z", "w"], np.array([0, 1, 1, 1]), [1, 2, 3, 4])
    found = taught(
        ["p", "q"], np.array([sure, unsure], dtype=np.float32), people,
        np.array([sure, sure, unsure, [0.2, 0.8]], dtype=np.float32), ["a", "b"], SETTINGS, draws=50, seed=1,
    )  # fmt: skip
    assert found.rows.inputs == ["p", "q"] and found.rows.targets.tolist() == [0, 1] and found.rows.places == [0, 0]
    assert found.record["accuracy"]["value"] == 0.75
    assert found.record["asked"] == found.record["kept"] == 2
