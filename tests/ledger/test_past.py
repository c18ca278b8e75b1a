import pytest

from advisor.ledger.past import past_runs
from tests.ledger.samples import entry

FACTS = {
    "task.type": "text-classification",
    "classes": 3,
    "data.tokens_median": 20,
    "task.languages": "en",
    "encoder": "embedded/all-MiniLM-L6-v2",
}


def test_a_run_like_the_project_is_most_similar() -> None:
    (found,) = past_runs(FACTS, [entry()])
    assert found.similarity == 1.0
    assert (found.measure, found.value, found.judged) == ("accuracy", 0.75, 300)
    assert (found.rows, found.per_class) == (240.0, 80.0)


@pytest.mark.parametrize(
    "changes",
    [{"classes": 30}, {"tokens_median": 300}, {"languages": ["de"]}, {"languages": None}, {"model": "other/encoder"}],
    ids=str,
)
def test_every_difference_costs_similarity(changes: dict[str, object]) -> None:
    nearest, farther = past_runs(FACTS, [entry(1, **changes), entry(2)])
    assert nearest.data == entry(2).data
    assert 0 < farther.similarity < 1


def test_the_farther_the_less_similar() -> None:
    found = past_runs(FACTS, [entry(n, classes=classes) for n, classes in enumerate((60, 4, 12))])
    assert [run.classes for run in found] == [4, 12, 60]


def test_of_equals_the_latest_comes_first() -> None:
    assert [run.data for run in past_runs(FACTS, [entry(1), entry(2)])] == [entry(2).data, entry(1).data]


def test_the_same_once_more_counts_once() -> None:
    again = [entry(1, data="same", quality={"accuracy": 0.5}), entry(2, data="same", quality={"accuracy": 0.6})]
    assert [run.value for run in past_runs(FACTS, again)] == [0.6]


def test_other_tasks_plans_and_modified_runs_are_no_evidence() -> None:
    others = [
        entry(1, task="regression"),
        entry(2, kind="plan", measured={}, quality={}),
        entry(3, modifiers=["distillation"]),
    ]
    assert past_runs(FACTS, others) == []


def test_tasks_without_classes_count_all_rows() -> None:
    regression = entry(task="regression", classes=None, metric="mean_error", quality={"mean_error": 0.4})
    (found,) = past_runs({**FACTS, "task.type": "regression", "classes": None}, [regression])
    assert (found.per_class, found.measure, found.similarity) == (240.0, "mean_error", 1.0)
