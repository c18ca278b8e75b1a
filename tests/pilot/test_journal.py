from pathlib import Path

import pytest

from advisor.decision.finding import Finding, Observed, Standing
from advisor.knowledge.interval import Interval
from advisor.pilot.journal import Journal, keep, kept, pilot_folder


def finding() -> Finding:
    standing = Standing(
        strategy="lora", family="freezing", expected=Interval(0.6, 0.7, 0.8), best=0.7, within=0.9, loss=0.01,
        observed=[Observed(rows=10, judged=12, value=0.66)], train_seconds=3.0,
    )  # fmt: skip
    return Finding(
        strategy="lora", model="m", measure="accuracy", measure_title="accuracy", labelled=24, contenders=[standing],
        stopped="sure", margin=0.01, prefer="quality", seed=1, rules="few-shot", because="it is",
    )  # fmt: skip


def test_what_was_measured_is_known_to_the_next_call(tmp_path: Path) -> None:
    Journal(tmp_path / "pilot", 1).add("lora half", 0.75, 2.5)
    assert Journal(tmp_path / "pilot", 1).measured("lora half") == {"value": 0.75, "processor_seconds": 2.5}
    assert Journal(tmp_path / "pilot", 2).measured("lora half") is None


def test_a_torn_line_is_passed_over_and_mended(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1)
    journal.add("first", 0.5, 1.0)
    with journal.path.open("a") as file:
        file.write('{"trial": "second", "val')
    again = Journal(tmp_path, 1)
    assert again.measured("second") is None
    again.add("third", 0.6, 1.0)
    last = Journal(tmp_path, 1)
    assert last.measured("first") and last.measured("third")


@pytest.mark.parametrize(
    "line", ["[1]", "3", '{"trial": ["a"], "value": 1, "processor_seconds": 1}', '{"trial": "lora half", "value": NaN}',
             '{"trial": "lora half", "value": NaN, "processor_seconds": 1}'],
)  # fmt: skip
def test_a_line_that_is_no_measurement_is_passed_over(tmp_path: Path, line: str) -> None:
    Journal(tmp_path, 1).add("lora half", 0.75, 2.5)
    with (tmp_path / "seed-1.jsonl").open("a") as file:
        file.write(f"{line}\n")
    assert Journal(tmp_path, 1).measured("lora half") == {"value": 0.75, "processor_seconds": 2.5}


def test_a_finding_is_read_back(tmp_path: Path) -> None:
    assert kept(tmp_path) is None
    keep(tmp_path, finding())
    assert kept(tmp_path) == finding()
    (tmp_path / "finding.json").write_text("{}")
    assert kept(tmp_path) is None


def test_other_data_are_kept_elsewhere() -> None:
    assert pilot_folder({"data": "a"}) == pilot_folder({"data": "a"}) != pilot_folder({"data": "b"})
