import json
from pathlib import Path
from typing import Any

import pytest

from advisor.benchmark import pool, run, trying
from advisor.benchmark.policies import Choice
from advisor.benchmark.pool import threads_for
from advisor.benchmark.results import read_lines
from advisor.benchmark.run import Request, jobs_for, run_benchmark
from advisor.benchmark.trial import Trial
from advisor.benchmark.trying import Drawn
from advisor.data.reading import DataSource
from advisor.errors import DataError, InputError, RunError
from advisor.machine import Machine
from tests.task_samples import ROWS, write_rows

MEASURED: list[tuple[str, str, int]] = []


@pytest.fixture
def asked(messages: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """A request whose trials are counted and not carried out."""

    def measure(trial: Trial, *_: Any) -> dict[str, Any]:
        MEASURED.append(tuple(trial))
        if trial == Trial("few-shot", "2", 1):
            raise RunError("it broke")
        return {"task": "text-classification", "classes": 3, "labelled": 6, "rarest": 2, "test_rows": 6,
                "accuracy": 0.5, "fit_processor_seconds": 1.0}  # fmt: skip

    monkeypatch.setattr(pool, "measure", measure)
    monkeypatch.setattr(pool, "_warm", lambda *_: None)
    MEASURED.clear()
    return Request(
        [DataSource(messages)],
        None,
        ["zero-shot", "few-shot", "linear-probe"],
        ["0", "2", "all"],
        2,
        [],
        2000,
        6,
        "cpu",
    )


def test_it_goes_on_where_it_stopped(asked: Request, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    assert run_benchmark(asked, folder, jobs=1) == 1
    assert "few-shot, size 2, seed 1 failed: it broke" in capsys.readouterr().err
    assert sorted(MEASURED) == sorted(
        [("zero-shot", "0", 0)]
        + [(name, size, seed) for name in asked.strategies for size in ("2", "all") for seed in (0, 1)]
    )
    assert [trial[2] for trial in MEASURED] == sorted(trial[2] for trial in MEASURED), "seed by seed"
    MEASURED.clear()
    run_benchmark(asked._replace(seeds=1), folder, jobs=1)
    assert MEASURED == []
    run_benchmark(asked, folder, jobs=1)
    assert MEASURED == [("few-shot", "2", 1)]
    rows = read_lines(folder / "results.jsonl")
    assert len(rows) == 12
    assert all(row["model"].startswith("embedded/") and row["tokens_p95"] > 0 for row in rows)


def test_a_strategy_named_twice_is_measured_once(asked: Request, tmp_path: Path) -> None:
    run_benchmark(asked._replace(strategies=["few-shot"] * 2, sizes=["all"], seeds=1), tmp_path / "out", jobs=1)
    assert MEASURED == [("few-shot", "all", 0)]


def test_questions_about_one_context_leave_none_to_measure_on(asked: Request, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "questions.jsonl", ROWS["question-answering"])
    request = asked._replace(sources=[DataSource(path)], strategies=["lora"], sizes=["all"])
    with pytest.raises(InputError, match="one context in all 3 rows leaves none to measure on; add a test file"):
        run_benchmark(request, tmp_path / "out", jobs=1)


def test_sizes_that_draw_the_same_rows_are_measured_once(asked: Request, tmp_path: Path) -> None:
    run_benchmark(
        asked._replace(sizes=["8", "99", "all"], strategies=["linear-probe"], seeds=1), tmp_path / "o", jobs=1
    )
    assert MEASURED == [("linear-probe", "8", 0)]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"rows": 10}, "its results are of rows 2000"), ({"test_rows": 3}, "its results are of test rows 6")],
)
def test_results_measured_otherwise_are_not_mixed(
    asked: Request, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    run_benchmark(asked, tmp_path / "out", jobs=1)
    with pytest.raises(InputError, match=said):
        run_benchmark(asked._replace(**change), tmp_path / "out", jobs=1)


def test_changed_data_are_refused(asked: Request, tmp_path: Path, messages: Path) -> None:
    run_benchmark(asked, tmp_path / "out", jobs=1)
    with (messages / "train.csv").open("a", encoding="utf-8") as file:
        file.write("one more,praise\n")
    run.load_benchmark_data.cache_clear()
    with pytest.raises(InputError, match="its results are of other rows of 'messages'"):
        run_benchmark(asked, tmp_path / "out", jobs=1)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"strategies": ["linear-prob"]}, InputError, "no strategy 'linear-prob' .* did you mean 'linear-probe'"),
        ({"strategies": []}, InputError, "no strategy is named"),
        ({"sizes": ["few"]}, InputError, "size 'few' is neither"),
        ({"sizes": []}, InputError, "no size is named"),
        ({"sources": [DataSource(Path("a/x.csv")), DataSource(Path("b/x.csv"))]}, InputError, "called 'x'"),
        ({"sources": [DataSource(Path("nothing.csv"))]}, DataError, "nothing.csv"),
        ({"strategies": ["contrastive"], "sizes": ["0"]}, InputError, "none of these strategies applies"),
    ],
)
def test_what_cannot_be_measured_is_named(
    asked: Request, tmp_path: Path, change: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        run_benchmark(asked._replace(**change), tmp_path / "out", jobs=1)
    assert not (tmp_path / "out").exists()


def test_without_a_test_file_the_same_rows_are_held_out(messages: Path, tmp_path: Path) -> None:
    from advisor.benchmark.source import BenchmarkData, load_benchmark_data

    alone = tmp_path / "alone.csv"
    alone.write_text((messages / "train.csv").read_text(encoding="utf-8"), encoding="utf-8")
    first = load_benchmark_data(BenchmarkData("alone", DataSource(alone)))
    load_benchmark_data.cache_clear()
    second = load_benchmark_data(BenchmarkData("alone", DataSource(alone)))
    assert first.test is not None
    assert second.test is not None
    assert first.test.inputs == second.test.inputs
    assert len(first.train) + len(first.test) == 24
    assert not set(map(str, first.train.inputs)) & set(map(str, first.test.inputs))


def test_a_policy_that_measures_sees_the_draw_alone(
    asked: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Drawn] = []

    def pilot(drawn: Drawn) -> Choice:
        seen.append(drawn)
        return Choice("linear-probe", 3.0)

    monkeypatch.setitem(trying.TRYING, "pilot", pilot)
    folder = tmp_path / "out"
    run_benchmark(asked._replace(policies=["pilot"], sizes=["0", "2"], seeds=1), folder, jobs=1)
    (drawn,) = seen
    assert drawn.data.test is None
    assert len(drawn.data.train) == drawn.situation.labelled == 6
    (row,) = read_lines(folder / "choices.jsonl")
    assert (row["policy"], row["strategy"], row["spent_processor_seconds"]) == ("pilot", "linear-probe", 3.0)
    run_benchmark(asked._replace(policies=["pilot"], sizes=["0", "2"], seeds=1), folder, jobs=1)
    assert len(seen) == 1


def test_processes_share_the_cores_and_the_memory() -> None:
    assert [threads_for(8, jobs) for jobs in (1, 2, 3, 8, 16)] == [8, 4, 2, 1, 1]
    assert jobs_for(Machine(8, 64_000_000_000, "avx2", False), "cpu") == 8
    assert jobs_for(Machine(8, 7_000_000_000, "avx2", False), "cpu") == 2
    assert jobs_for(Machine(8, None, "avx2", False), "cpu") == 1
    assert jobs_for(Machine(8, 64_000_000_000, "avx2", True), "cuda") == 1


def test_files_that_are_no_settings_are_refused(asked: Request, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "benchmark.json").write_text(json.dumps({"model": 1}), encoding="utf-8")
    with pytest.raises(InputError, match="not the settings of a benchmark"):
        run_benchmark(asked, folder, jobs=1)
