"""A row of every task: its prompt, and what scores or written answers make of it."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.backend.answers import answers
from advisor.backend.prompted.asking import Asking, Brief, ScoredAsking, WrittenAsking, asking_for, scale
from advisor.backend.prompted.language_model import Entities, Extract, Free, Written
from advisor.backend.prompted.templates import prompt_template
from advisor.backend.rows import encode_rows
from advisor.errors import InputError
from advisor.tasks import TASKS, Answer, Pair
from tests.task_samples import CONTEXT

TAGS = ("O", "B-LOC", "B-PER", "I-PER")
BRIEFS: dict[str, dict[str, Any]] = {
    "text-classification": {"labels": ("Very_bad", "fine"), "descriptions": {"fine": "nothing to complain of"}},
    "pair-classification": {"labels": ("same", "not"), "pairs": True},
    "multi-label": {"labels": ("price", "speed")},
    "regression": {"levels": (0.0, 0.5, 1.0), "pairs": True},
    "token-classification": {"labels": TAGS, "descriptions": {"PER": "people"}},
    "question-answering": {"pairs": True},
}


def asked(task: str, **changes: Any) -> Any:
    return asking_for(Brief(**{"task": task, "written_tokens": 50} | BRIEFS[task] | changes), prompt_template(task))


def scores(asking: ScoredAsking, *liked: int) -> np.ndarray:
    """Log-likelihoods of a row that make some choices, one a question, far likelier than the others."""
    found = np.full((1, asking.questions, len(asking.choices)), -9.0, dtype=np.float32)
    found[0, np.arange(asking.questions), list(liked)] = -0.1
    return found


def written(text: str, likelihood: float = float("nan")) -> list[Written]:
    return [Written(text, likelihood, True)]


def test_a_text_gets_one_label() -> None:
    asking = asked("text-classification", verbalisers=2)
    assert "- very bad\n- fine: nothing to complain of\n" in asking.instruction
    assert (asking.question("so-so\nindeed", 0), asking.stem) == ("Text: so-so indeed", "Label:")
    assert asking.choices == ("very bad", "Very bad", "fine", "Fine")
    assert asking.right_answer("so-so", 1, 0) == "fine"
    outputs = asking.outputs(asking.probabilities(scores(asking, 1)))
    assert next(answers(asking.brief.task, outputs, ["x"], asking.brief.labels))["label"] == "Very_bad"
    assert asking.lure({"label": "fine"}) == "very bad"


def test_wordings_are_averaged_in_probability() -> None:
    asking = asked("text-classification", labels=("a", "0"), verbalisers=2)
    assert asking.choices == ("a", "A", "0")
    probabilities = np.array([[[0.2, 0.4, 0.4]]], dtype=np.float32)
    assert asking.outputs(probabilities)[0] == pytest.approx([0.3 / 0.7, 0.4 / 0.7])


def test_a_pair_gets_one_label() -> None:
    asking = asked("pair-classification")
    assert asking.question(Pair("a dog", "a cat"), 0) == "First text: a dog\nSecond text: a cat"
    assert asking.outputs(asking.probabilities(scores(asking, 1)))[0] == pytest.approx([0, 1], abs=1e-3)


def test_the_projects_own_words_come_first() -> None:
    assert asked("pair-classification", instruction="Same product?").instruction.startswith("Same product?\n")
    assert "how alike in meaning" in asked("regression").instruction
    assert "how alike" not in asked("regression", instruction="How near?").instruction


def test_several_labels_are_asked_one_by_one() -> None:
    asking = asked("multi-label", verbalisers=2)
    assert (asking.questions, asking.choices) == (2, ("no", "No", "yes", "Yes"))
    assert asking.question("dear", 1) == 'Text: dear\nDoes the label "speed" fit this text?'
    target = np.array([1.0, 0.0])
    assert [asking.right_answer("dear", target, number) for number in range(2)] == ["yes", "no"]
    outputs = asking.outputs(asking.probabilities(scores(asking, 0, 3)))
    assert outputs[0] == pytest.approx([0, 1], abs=1e-3)
    assert (asking.lure({"labels": ["price"]}), asking.lure({"labels": []})) == ("no", "yes")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price; speed", ["price", "speed"]),
        ("Price, speed", ["price", "speed"]),
        ('["speed"]', ["speed"]),
        ("- speed\n- price\n", ["price", "speed"]),
        ("none", []),
        ("blue; speed; print('x')", ["speed"]),
        ("", []),
    ],
)
def test_several_labels_are_asked_in_a_list(text: str, expected: list[str]) -> None:
    asking = asked("multi-label", listed=True)
    assert isinstance(asking.form("x"), Free)
    assert asking.question("dear", 0) == "Text: dear"
    assert asking.right_answer("x", np.array([1.0, 1.0]), 0) == "price; speed"
    assert asking.right_answer("x", np.array([0.0, 0.0]), 0) == "none"
    for likelihood in (float("nan"), math.log(0.3)):
        outputs = asking.outputs(["x"], written(text, likelihood))
        found = next(answers("multi-label", outputs, ["x"], asking.brief.labels))
        assert sorted(found["labels"]) == expected


def test_a_number_is_the_mean_of_the_levels() -> None:
    asking = asked("regression", levels=(0.0, 0.5, 1.0))
    assert asking.choices == ("0", "0.5", "1")
    assert "one of the numbers 0, 0.5, 1 " in asking.instruction
    assert asking.outputs(np.array([[[0.5, 0.25, 0.25]]], dtype=np.float32))[0] == pytest.approx([0.375])
    assert asking.right_answer(Pair("a", "b"), 0.7, 0) == "0.5"
    assert (asking.lure({"value": 0.2}), asking.lure({"value": 0.9})) == ("1", "0")


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 5, 7, (0, 1, 2, 3, 4, 5)),
        (1, 5, 7, (1, 2, 3, 4, 5)),
        (0, 1, 7, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0, 100, 7, (0, 20, 40, 60, 80, 100)),
        (-0.9, 1.1, 3, (-2, 0, 2)),
        (0.143, 4.9, 7, (0, 1, 2, 3, 4, 5)),
        (3, 3, 7, (3, 4)),
        (0, 1, 2, (0, 1)),
    ],
)
def test_scales_have_round_steps(low: float, high: float, most: int, expected: tuple[float, ...]) -> None:
    found = scale(low, high, most)
    assert found == pytest.approx(expected)
    assert 2 <= len(found) <= max(most, 2)


@pytest.mark.parametrize("seed", range(30))
def test_scales_hold_every_number(seed: int) -> None:
    generator = np.random.default_rng(seed)
    low = float(generator.normal() * 10.0 ** generator.integers(-3, 6))
    high = low + float(generator.random() * 10.0 ** generator.integers(-3, 6))
    most = int(generator.integers(2, 22))
    found = scale(low, high, most)
    assert 2 <= len(found) <= most
    assert found[0] <= low + 1e-6 * (high - low) * most and found[-1] >= high - 1e-6 * (high - low) * most


def test_words_get_the_tags_of_entities() -> None:
    asking = asked("token-classification")
    row = ("Ada", "Lovelace", "in", "Rome")
    assert "- PER: people\n" in asking.instruction
    assert asking.question(row, 0) == "Sentence: Ada Lovelace in Rome"
    assert asking.form(row) == Entities(row, ("LOC", "PER"))
    text = '[{"kind": "PER", "text": "Ada Lovelace"}, {"kind": "LOC", "text": "Rome"}]'
    assert asking.right_answer(row, np.array([2, 3, 0, 1]), 0) == text
    outputs = asking.outputs([row], written(text, math.log(0.2)))
    assert [TAGS[tag] for tag in outputs.argmax(axis=1)] == ["B-PER", "I-PER", "O", "B-LOC"]
    assert outputs.sum(axis=1) == pytest.approx(np.ones(4))
    assert outputs[0, 2] == pytest.approx(0.2 + 0.8 / 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "O O O O"),
        ('[{"kind": "per", "text": "Rome"}, {"kind": "PER", "text": "Rome"}]', "O B-PER O B-PER"),
        ('[{"kind": "PER", "text": "Rome"}, {"kind": "LOC", "text": "Rome"}, {"kind": "LOC", "te', "O B-PER O B-LOC"),
        ('```json\n{"kind": "LOC", "text": "Rome"}```', "O B-LOC O O"),
        ('[{"kind": "GOD", "text": "Rome"}, {"kind": "LOC", "text": "Rom"}, {"kind": "LOC"}, {"kind": 1}]', "O O O O"),
        ('[{"kind": "LOC", "text": ""}, {"kind": "LOC", "text": "Rome in"}]', "O O O O"),
        ("{{{{", "O O O O"),
        ('[{"kind": "LOC", "text": "in Rome"}]', "B-LOC B-LOC O O"),
    ],
)
def test_answers_that_name_no_entity_count_for_nothing(text: str, expected: str) -> None:
    row = ("in", "Rome", "and", "Rome")
    outputs = asked("token-classification").outputs([row], written(text))
    assert " ".join(TAGS[tag] for tag in outputs.argmax(axis=1)) == expected


@given(st.text(alphabet='[]{}",:;kindtexRom \n\\ -PERLOC', max_size=80), st.floats(-5, 0))
def test_whatever_is_written_becomes_an_answer_of_the_task(text: str, likelihood: float) -> None:
    words, context = ("Rome", "in", "Rome"), "kind text in Rome"
    tags = asked("token-classification").outputs([words], written(text, likelihood))
    assert tags.shape == (3, 4) and tags.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    labels = asked("multi-label", listed=True).outputs(["x"], written(text, likelihood))
    assert labels.shape == (1, 2) and ((labels >= 0) & (labels <= 1)).all()
    start, end, score = asked("question-answering").outputs([Pair("q", context)], written(text, likelihood))[0]
    assert 0 <= start <= end <= len(context) and 0 <= score <= 1


def test_rows_of_words_follow_one_another() -> None:
    asking = asked("token-classification")
    outputs = asking.outputs([("Rome",), (), ("a", "b")], [*written("[]"), *written("[]"), *written("[]")])
    assert outputs.shape == (3, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1874", (34, 38)),
        (" the aare ", (12, 20)),
        ("The mill", (0, 8)),
        ("1999", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_an_answer_is_found_in_its_context(text: str, expected: tuple[int, int]) -> None:
    asking = asked("question-answering")
    row = Pair("When?", CONTEXT)
    assert asking.question(row, 0) == f"Context: {CONTEXT}\nQuestion: When?"
    assert asking.form(row) == Extract(CONTEXT)
    assert asking.right_answer(row, (Answer("1911", 57),), 0) == "1911"
    start, end, score = asking.outputs([row], written(text))[0]
    assert ((int(start), int(end)), score) == (expected, float(expected != (0, 0)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1874", (34, 38, 1.0)), ("No answer", (0, 0, 1.0)), (" no answer\n", (0, 0, 1.0)), ("1999", (0, 0, 0.0))],
)
def test_a_context_may_hold_no_answer(text: str, expected: tuple[float, ...]) -> None:
    asking, row = asked("question-answering", unanswerable=True), Pair("When?", CONTEXT)
    assert "If the context does not answer it, say: no answer." in asking.instruction
    assert asking.form(row) == Extract(CONTEXT, "no answer")
    assert asking.right_answer(row, (), 0) == "no answer"
    assert tuple(asking.outputs([row], written(text))[0].tolist()) == expected
    assert asking.lure({"answer": "1874"}) == "no answer"
    rows = encode_rows("question-answering", [row] * 3, [(), (Answer("1911", 57),), ()], [1, 2, 3], [])
    assert asking.strata(rows, 0).tolist() == [0, 1, 0]
    every = asked("question-answering")
    assert "no answer" not in every.instruction and every.strata(rows, 0) is None


def test_hypotheses_take_the_place_of_prompts() -> None:
    asking = asked("text-classification", hypotheses=True)
    assert (asking.instruction, asking.stem) == ("", "")
    assert asking.question("so-so", 0) == "so-so"
    assert asking.choices == ("This text is about very bad.", "This text is about fine.")
    several = asked("multi-label", hypotheses=True)
    assert (several.questions, several.calibrated) == (1, False)
    entailed = np.log(np.array([[[0.9, 0.8]]], dtype=np.float32))
    assert several.outputs(several.probabilities(entailed))[0] == pytest.approx([0.9, 0.8])
    rated = asked("regression", hypotheses=True)
    assert rated.question(Pair("a", "b"), 0) == "First text: a Second text: b"
    assert rated.choices[1] == "On a scale from 0 to 1 the rating is 0.5."


def test_every_reading_task_has_an_asking() -> None:
    for task in BRIEFS:
        asking: Asking = asked(task)
        assert isinstance(asking, ScoredAsking | WrittenAsking)
        assert asking.instruction and asking.stem
    assert set(BRIEFS) <= set(TASKS)


def test_other_tasks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.backend.prompted.asking._ASKING", {})
    with pytest.raises(InputError, match="there are no prompts for this task"):
        asked("regression")
