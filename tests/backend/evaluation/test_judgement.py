"""What holds for every task: bounds, order, perfect and trivial answers, intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.backend.evaluation import differences, evaluate, headline, trivial_outputs
from advisor.errors import RunError
from advisor.tasks import TASKS
from tests.backend.evaluation.samples import perfect, sample

BOUNDS = {"rmse": (0, 1e3), "perplexity": (1, 1e3), "margin": (-1e3, 1e3)}
MEASURED = pytest.mark.parametrize("task", TASKS)
SEEDS = st.integers(0, 10**6)


def lengths(task: str, rows: object) -> list[int]:
    inputs = rows.inputs  # type: ignore[attr-defined]
    return [len(row) if TASKS[task].predicts == "tags" else 1 for row in inputs]


@MEASURED
@settings(max_examples=20)
@given(rows=st.integers(1, 30), seed=SEEDS)
def test_measures_are_the_tasks_and_within_bounds(task: str, rows: int, seed: int) -> None:
    made = sample(task, rows, seed)
    found = evaluate(task, *made, draws=20, seed=seed)
    assert found.rows == rows
    keys = [measure.key for measure in TASKS[task].measures]
    assert list(found.metrics)[: len(keys)] == keys
    for measure in TASKS[task].measures:
        interval = found.metrics[measure.key]
        assert interval.low <= interval.high
        low, high = (0, 1) if measure.share else BOUNDS.get(measure.key, (-1, 1))
        assert all(low <= value <= high for value in (interval.value, interval.low, interval.high))
    assert headline(task, *made) == {key: found.metrics[key].value for key in keys}


@MEASURED
@settings(max_examples=10)
@given(rows=st.integers(2, 20), seed=SEEDS)
def test_the_order_of_the_rows_does_not_matter(task: str, rows: int, seed: int) -> None:
    outputs, given_rows, labels = sample(task, rows, seed)
    order = np.random.default_rng(seed).permutation(rows)
    parts = np.split(outputs, np.cumsum(lengths(task, given_rows))[:-1])
    shuffled = np.concatenate([parts[row] for row in order])
    before, after = (
        headline(task, outputs, given_rows, labels),
        headline(task, shuffled, given_rows.take(order), labels),
    )
    assert after == pytest.approx(before, abs=1e-9)


@MEASURED
@pytest.mark.parametrize("seed", range(5))
def test_perfect_answers_are_perfect(task: str, seed: int) -> None:
    _, rows, labels = sample(task, 12, seed)
    found = evaluate(task, perfect(task, rows, labels), rows, labels, draws=20, seed=0)
    for measure in TASKS[task].measures:
        interval = found.metrics[measure.key]
        ideal = 0.0 if measure.key == "rmse" else 1.0
        assert [interval.value, interval.low, interval.high] == pytest.approx([ideal] * 3, abs=1e-6)
    assert all(row.f1 in (0.0, 1.0) for row in found.classes)


@MEASURED
def test_intervals_are_those_of_resampled_rows(task: str) -> None:
    outputs, rows, labels = sample(task, 120, 3)
    found = evaluate(task, outputs, rows, labels, draws=2000, seed=1).metrics
    generator = np.random.default_rng(2)
    parts = np.split(outputs, np.cumsum(lengths(task, rows))[:-1])
    drawn = []
    for _ in range(200):
        chosen = generator.integers(120, size=120)
        drawn.append(headline(task, np.concatenate([parts[row] for row in chosen]), rows.take(chosen), labels))
    for measure in TASKS[task].measures:
        expected = np.quantile([draw[measure.key] for draw in drawn], [0.025, 0.975])
        interval = found[measure.key]
        assert [interval.low, interval.high] == pytest.approx(expected, abs=0.25 * (expected[1] - expected[0]))


@pytest.mark.parametrize("task", ["generation", "preference"])
def test_differences_are_of_the_same_rows(task: str) -> None:
    outputs, rows, _ = sample(task, 120, 3)
    others = sample(task, 120, 4).outputs
    found = differences(task, outputs, others, rows, draws=2000, seed=1)
    generator, drawn = np.random.default_rng(2), []
    for _ in range(200):
        chosen = generator.integers(120, size=120)
        own, other = (headline(task, every[chosen], rows.take(chosen), []) for every in (outputs, others))
        drawn.append({key: own[key] - other[key] for key in own})
    own, other = headline(task, outputs, rows, []), headline(task, others, rows, [])
    assert found.keys() == own.keys()
    for key, interval in found.items():
        assert interval.value == pytest.approx(own[key] - other[key])
        expected = np.quantile([draw[key] for draw in drawn], [0.025, 0.975])
        assert [interval.low, interval.high] == pytest.approx(expected, abs=0.25 * (expected[1] - expected[0]))


@pytest.mark.parametrize("task", ["generation", "preference"])
def test_nothing_differs_from_itself(task: str) -> None:
    outputs, rows, _ = sample(task, 30, 3)
    for interval in differences(task, outputs, outputs, rows, draws=50, seed=1).values():
        assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_rows_that_were_put_together_are_not_paired() -> None:
    outputs, rows, _ = sample("question-answering", 30, 3)
    with pytest.raises(ValueError, match="one by one"):
        differences("question-answering", outputs, outputs, rows.take([0] * 30), draws=5, seed=1)


@MEASURED
def test_the_same_seed_gives_the_same_plain_values(task: str) -> None:
    made = sample(task, 40, 5)
    first = evaluate(task, *made, draws=50, seed=4).as_dict()
    assert first == evaluate(task, *made, draws=50, seed=4).as_dict()
    assert all(value.keys() == {"value", "low", "high"} for value in first["metrics"].values())
    assert (first["confusion"] is None) == (TASKS[task].predicts != "class")


@MEASURED
def test_trivial_answers_have_the_form_of_outputs(task: str) -> None:
    outputs, rows, labels = sample(task, 60, 6)
    name, trivial = trivial_outputs(task, rows.take(range(40)), rows, labels)
    assert name
    assert trivial.shape == outputs.shape
    assert trivial.dtype == np.float32
    leading = TASKS[task].measures[0].key
    assert headline(task, trivial, rows, labels)[leading] < headline(task, outputs, rows, labels)[leading] + 0.3


@MEASURED
def test_no_rows_are_refused(task: str) -> None:
    outputs, rows, labels = sample(task, 3, 0)
    with pytest.raises(ValueError, match="no row"):
        evaluate(task, outputs[:0], rows.take([]), labels, draws=10, seed=0)


@MEASURED
def test_outputs_that_are_no_numbers_are_refused_but_not_while_training(task: str) -> None:
    outputs, rows, labels = sample(task, 5, 0)
    outputs[0] = np.nan
    with pytest.raises(RunError, match="diverged"):
        evaluate(task, outputs, rows, labels, draws=10, seed=0)
    if TASKS[task].predicts != "span":
        assert headline(task, outputs, rows, labels).keys() == {measure.key for measure in TASKS[task].measures}
