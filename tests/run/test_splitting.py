"""Rows are split so that what must stay together does, and refused where nothing could be held out."""

from pathlib import Path

import numpy as np
import pytest

from advisor.backend.rows import Rows
from advisor.data.reading import DataSource, load_labelled
from advisor.errors import InputError
from advisor.plan.rows import planned_split
from advisor.run.prepare import fold_rows, split_rows
from advisor.strategies import STRATEGIES
from advisor.tasks import Pair
from tests.task_samples import CONTEXT, ROWS, write_rows

TASK = "question-answering"


def questions(contexts: int, rows: int = 12) -> Rows:
    """Questions that take the contexts in turn."""
    asked = [Pair(f"question {row}", f"context {row % contexts}") for row in range(rows)]
    return Rows(asked, np.zeros(rows, dtype=object), list(range(1, rows + 1)))


def test_there_are_no_more_folds_than_contexts() -> None:
    found = list(fold_rows(TASK, questions(3), 5, 0))
    assert sorted(sorted({int(row) % 3 for row in held}) for _, held in found) == [[0], [1], [2]]
    assert not list(fold_rows(TASK, questions(1), 5, 0))


def test_a_single_context_is_split_by_rows() -> None:
    kept, held = split_rows(TASK, questions(1), 0.25, 0)
    assert (len(kept), len(held)) == (9, 3)
    assert sorted([*kept, *held]) == list(range(12))


@pytest.mark.parametrize(("task", "shared"), [(TASK, "context"), ("generation", "prompt")])
def test_rows_that_share_all_leave_none_to_measure_on(tmp_path: Path, task: str, shared: str) -> None:
    rows = [row | ({} if task == TASK else {"prompt": "Name one"}) for row in ROWS[task]]
    data = load_labelled(DataSource(write_rows(tmp_path / "rows.jsonl", rows)), task)
    with pytest.raises(InputError, match=f"one {shared} in all 3 rows leaves none to measure on; add a test file"):
        planned_split(data, STRATEGIES["lora"])


def test_a_plan_has_no_more_folds_than_contexts(tmp_path: Path) -> None:
    other = [row | {"context": f"{CONTEXT} A mill."} for row in ROWS[TASK]]
    data = load_labelled(DataSource(write_rows(tmp_path / "rows.jsonl", [*ROWS[TASK], *other])), TASK)
    assert planned_split(data, STRATEGIES["lora"]).folds == 2
