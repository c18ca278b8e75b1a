"""What tuning learns: rows as units of tokens, losses against plain ones, outputs put together again."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from advisor.backend.new_head import with_new_head
from advisor.backend.objectives import objective_for
from advisor.backend.objectives.spans import best_span
from advisor.backend.tuning_settings import ReadingSettings
from advisor.tasks import Answer, Pair

READING = ReadingSettings(long_texts="truncate", overlap=0.3, longest_answer=4)
LABELS = ["a", "b", "c"]
TAGS = ["O", "B-X", "I-X"]
LONG = "good film of a very great trip " * 20 + "the room fine"


@pytest.fixture(scope="module")
def encoder(make_encoder):
    return make_encoder("bert", "mean")


@pytest.fixture
def model(encoder, cpu):
    def make(task, labels=(), reading=READING, max_length=None):
        made = with_new_head(encoder, objective_for(task, labels, reading), cpu, seed=0, max_length=max_length)
        with torch.no_grad():
            made.output_layer.weight.normal_(generator=torch.Generator().manual_seed(1))
        return made

    return make


@pytest.mark.parametrize(
    ("task", "labels", "inputs", "shape"),
    [
        ("text-classification", LABELS, ["good film", "bad", LONG], (3, 3)),
        ("multi-label", LABELS, ["good film", "bad"], (2, 3)),
        ("pair-classification", LABELS, [Pair("good film", "bad"), Pair(LONG, "good"), Pair("bad", LONG)], (3, 3)),
        ("regression", [], ["good film", Pair("good", "bad").first], (2, 1)),
        ("token-classification", TAGS, [("good", "film"), ("bad",), tuple(LONG.split())], (2 + 1 + 143, 3)),
        ("question-answering", [], [Pair("good?", "a film of a trip"), Pair("good?", LONG)], (2, 3)),
    ],
)
def test_outputs_are_one_array_and_do_not_depend_on_the_batch(model, task, labels, inputs, shape):
    made = model(task, labels)
    found = made.outputs(inputs)
    assert found.shape == shape
    assert found.dtype == np.float32
    alone = np.concatenate([made.outputs([one]) for one in inputs])
    np.testing.assert_allclose(found, alone, atol=1e-4)
    assert made.outputs([]).shape == (0, shape[1])


def test_both_texts_of_a_pair_are_seen_and_told_apart(model):
    made = model("pair-classification", LABELS)
    made.tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    unit = made.units([Pair("good film", "bad trip")])[0]
    assert set(unit.kinds) == {0, 1}
    one, other = made.outputs([Pair("good film", "bad"), Pair("bad", "good film")])
    assert np.abs(one - other).max() > 1e-4


@pytest.mark.parametrize("how", ["truncate", "head-tail", "windows"])
def test_long_texts_are_read_as_asked(model, how):
    made = model("text-classification", LABELS, READING.model_copy(update={"long_texts": how}), max_length=16)
    units = made.units([LONG, "good film"])
    assert max(len(unit.ids) for unit in units) <= 16
    assert [unit.row for unit in units].count(1) == 1
    parts = [unit.ids for unit in units if unit.row == 0]
    whole = model("text-classification", LABELS, max_length=10_000).tokenizer(LONG)["input_ids"]
    assert all(part[0] == whole[0] and part[-1] == whole[-1] for part in parts)
    inner = [part[1:-1] for part in parts]
    if how == "windows":
        assert [token for part in inner for token in part] == whole[1:-1]
        probabilities = torch.softmax(made.logits(units[:-1]), -1).mean(0)
        np.testing.assert_allclose(made.outputs([LONG])[0], probabilities.detach().numpy(), atol=1e-6)
    else:
        assert len(inner) == 1
        ends = inner[0][-3:] == whole[1:-1][-3:]
        assert ends == (how == "head-tail")


def test_words_are_answered_from_their_first_token_and_those_beyond_the_limit_are_outside(model):
    made = model("token-classification", TAGS, max_length=8)
    words = ("good", "unheardof", *["film"] * 20)
    unit = made.units([words])[0]
    assert unit.marks[0] == 1
    held = unit.marks >= 0
    assert not held[-1]
    outputs = made.outputs([words])
    np.testing.assert_array_equal(outputs[~held], np.tile([1, 0, 0], ((~held).sum(), 1)))
    logits = made.logits([unit])[0].detach()
    np.testing.assert_allclose(outputs[1], torch.softmax(logits[unit.marks[1]], -1).numpy(), atol=1e-6)


def test_losses_are_the_plain_ones(model):
    classes = np.array([0, 2])
    made = model("text-classification", LABELS)
    units = made.units(["good film", "bad"])
    logits = made.logits(units)
    plain = cross_entropy(logits, torch.tensor(classes), reduction="sum")
    torch.testing.assert_close(made.objective.loss(logits, units, made.objective.aims(units, classes)), plain)

    several = np.array([[1, 0, 1], [0, 0, 1]], dtype=np.float32)
    made = model("multi-label", LABELS)
    logits = made.logits(units)
    plain = binary_cross_entropy_with_logits(logits, torch.tensor(several), reduction="sum") / 3
    torch.testing.assert_close(made.objective.loss(logits, units, made.objective.aims(units, several)), plain)

    made = model("token-classification", TAGS)
    units = made.units([("good", "film"), ("bad",)])
    targets = np.empty(2, dtype=object)
    targets[0], targets[1] = np.array([1, 2]), np.array([0])
    aims = made.objective.aims(units, targets)
    logits = made.logits(units)
    rows = torch.stack([logits[0, units[0].marks[0]], logits[0, units[0].marks[1]], logits[1, units[1].marks[0]]])
    plain = cross_entropy(rows, torch.tensor([1, 2, 0]), reduction="sum")
    torch.testing.assert_close(made.objective.loss(logits, units, aims), plain)
    assert sum(map(made.objective.weight, aims)) == 3


def test_several_classes_start_from_how_often_each_holds(model):
    held = np.array([[1, 0, 1]] * 3 + [[0, 0, 1]] * 7, dtype=np.float32)
    bias = model("multi-label", LABELS).objective.first_bias(held)
    np.testing.assert_allclose(1 / (1 + np.exp(-bias)), [4 / 12, 1 / 12, 11 / 12], rtol=1e-5)
    assert model("text-classification", LABELS).objective.first_bias(np.array([0, 1])) is None


def test_balanced_classes_weigh_alike_in_all(model):
    objective = model("text-classification", LABELS).objective
    objective.prepare(np.array([0] * 6 + [1] * 2 + [2] * 4), balanced=True)
    weights = [objective.weight(label) for label in range(3)]
    assert [weights[0] * 6, weights[1] * 2] == pytest.approx([weights[2] * 4] * 2)


def test_a_number_is_learnt_in_deviations_and_exported_in_its_own_unit(model):
    made = model("regression")
    made.objective.prepare(np.array([10.0, 20.0, 30.0], dtype=np.float32), balanced=False)
    texts = ["good film", "bad trip"]
    before = made.outputs(texts)
    units = made.units(texts)
    standard = made.logits(units).detach().numpy()
    np.testing.assert_allclose(before, standard * np.std([10, 20, 30]) + 20, rtol=1e-5)
    made.objective.finish(made.output_layer)
    np.testing.assert_allclose(made.outputs(texts), before, rtol=1e-4)
    np.testing.assert_allclose(made.logits(units).detach().numpy(), before, rtol=1e-4)


def test_the_answers_place_is_found_in_the_window_that_holds_it(model):
    made = model("question-answering", max_length=24)
    context = f"{LONG} the service was fine {LONG}"
    start = context.index("service")
    units = made.units([Pair("what was fine?", context)])
    assert len(units) > 2
    assert max(len(unit.ids) for unit in units) <= 24
    targets = np.empty(1, dtype=object)
    targets[0] = (Answer("service", start),)
    aims = made.objective.aims(units, targets)
    holding = [(unit, aim) for unit, aim in zip(units, aims, strict=True) if aim != (0, 0)]
    assert holding
    for unit, (first, last) in holding:
        assert unit.marks[first][0] == start
        assert unit.marks[last][1] == start + len("service")
    targets[0] = ()
    assert made.objective.aims(units, targets) == [(0, 0)] * len(units)


@given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_the_best_span_is_the_best_of_all_allowed_ones(longest, tokens, seed):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(tokens + 2, 2)).astype(np.float32)
    ends = np.cumsum(random.integers(1, 4, tokens))
    marks = np.zeros((tokens + 2, 2), dtype=np.int64)
    marks[1:-1] = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1)
    start, end, logit, share = best_span(logits, marks, longest)[0]
    best = max(
        (logits[first, 0] + logits[last, 1], first, last)
        for first in range(1, tokens + 1)
        for last in range(first, min(first + longest, tokens + 1))
    )
    assert logit == pytest.approx(best[0], abs=1e-5)
    assert (start, end) == (marks[best[1], 0], marks[best[2], 1])
    assert 0 < share <= 1
