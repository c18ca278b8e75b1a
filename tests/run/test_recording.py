"""What a run leaves in the ledger, and that what it teaches does not part a run from its folder."""

from pathlib import Path
from typing import Any

import pytest

from advisor.api import run_plan
from advisor.ledger.book import open_book
from advisor.ledger.entry import Entry
from advisor.plan.plan import Plan, read_plan
from advisor.run.folder import default_folder
from advisor.run.prepare import learnt, prepare
from advisor.run.recording import Learnt, record_run
from tests.report.samples import result_of


def entries() -> tuple[Entry, ...]:
    book = open_book()
    assert book
    return book.read().entries


def anew(plan: Plan) -> Plan:
    """The same plan with another forecast, and chosen for other reasons."""
    seconds = {"low": 1.0, "point": 2.0, "high": 3.0}
    advice = plan.advice.model_copy(update={"contested": not plan.advice.contested})
    changed = {"forecast": plan.forecast | {"train_seconds": seconds}, "premises": None, "advice": advice, "notes": []}
    return plan.model_copy(update=changed)


def test_a_run_takes_its_plans_place_once_and_keeps_its_forecast(make_plan: Any, tmp_path: Path) -> None:
    plan, folder = make_plan("linear-probe")
    (planned,) = entries()
    assert (planned.kind, planned.strategy, planned.measured) == ("plan", "linear-probe", {})
    result = run_plan(folder, tmp_path / "run")
    again = run_plan(anew(plan), tmp_path / "run", plan_folder=folder)
    assert again.forecast == read_plan(tmp_path / "run").forecast == plan.forecast
    (found,) = entries()
    assert (found.kind, found.plan) == ("run", planned.plan)
    assert found.forecast == plan.forecast
    assert found.found("train_seconds") == result.measured["train_seconds"]
    assert found.found("quality") == result.metrics["accuracy"]["value"]
    assert (found.labelled, found.rows, found.rarest, found.judged) == (24, 24, 8, 6)
    assert (found.work, found.device, found.classes) == ("passes", "cpu", 3)
    assert found.tokens_median and found.tokens_median > 0


def test_a_forecast_made_anew_does_not_change_the_run_folder(make_plan: Any, tmp_path: Path) -> None:
    plan, _ = make_plan("zero-shot")
    assert default_folder(anew(plan), tmp_path) == default_folder(plan, tmp_path)
    other = plan.model_copy(update={"seed": plan.seed + 1})
    assert other.identity() != plan.identity()


def test_a_run_is_written_once_and_two_runs_of_a_plan_twice(make_plan: Any) -> None:
    plan, _ = make_plan("linear-probe")
    for begun in (1.0, 1.0, 2.0):
        assert record_run(plan, result_of(plan), Learnt(24, 8), begun) is None
    assert [found.kind for found in entries()] == ["run", "run"]


@pytest.mark.parametrize(
    ("strategy", "test", "rows"),
    [("linear-probe", True, 24), ("linear-probe", False, 24 * 4 / 5), ("zero-shot", True, 0)],
)
def test_what_the_measured_fits_learn_from(make_plan: Any, strategy: str, test: bool, rows: float) -> None:
    plan, folder = make_plan(strategy, test=test)
    assert learnt(plan, prepare(plan, folder)).rows == pytest.approx(rows)


def test_nothing_is_recorded_where_the_ledger_is_off(make_plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_book()
    assert before
    monkeypatch.setenv("ADVISOR_LEDGER", "off")
    plan, _ = make_plan("linear-probe")
    assert record_run(plan, result_of(plan), Learnt(24, 8), 1.0) is None
    assert not before.path.exists()


def test_why_a_ledger_cannot_be_written_is_said(
    make_plan: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_LEDGER", str(tmp_path))
    plan, _ = make_plan("linear-probe")
    why = record_run(plan, result_of(plan), Learnt(24, 8), 1.0)
    assert why and why.startswith(f"{tmp_path}: the ledger cannot be written")
