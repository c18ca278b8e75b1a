import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.benchmark.results import append_line
from tests.benchmark.samples import line
from tests.cli.conftest import Invoke

ALL = ("few-shot", "linear-probe", "contrastive", "lp-ft", "full-fine-tuning")


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A folder with results of two data sets, the second one's name not to be trusted."""
    folder = tmp_path / "bench"
    for data in ("a", "<b>&|b"):
        append_line(folder / "results.jsonl", line("zero-shot", 0.4, size="0", data=data))
        for place, strategy in enumerate(ALL):
            for size in ("8", "128"):
                value = 0.5 + 0.01 * place * (int(size) > 50)
                append_line(folder / "results.jsonl", line(strategy, value, size=size, data=data))
    return folder


def test_results_are_reported_anew(measured: Path, invoke: Invoke) -> None:
    done = invoke("benchmark", "-o", measured)
    assert done.exit_code == 0, done.output
    assert "the rules alone" in done.stdout
    assert "4 draws of 2 data sets" in done.stdout
    page = (measured / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "<b>&" not in page
    assert not re.search(r"<script|src=|https?://(?!www\.w3\.org)", page)
    text = (measured / "report.md").read_text(encoding="utf-8")
    assert "| 24 | 0.400 | **0.500** |" in text
    assert all(row.count("|") == 8 for row in text.splitlines() if row.startswith(("| 24 ", "| labels ")))


def test_a_field_of_unknown_strategies_is_refused(measured: Path, invoke: Invoke) -> None:
    done = invoke("benchmark", "-o", measured, "--strategies", "linear-probe,lor")
    assert done.exit_code == 2
    assert "no strategy 'lor' to measure on an encoder; did you mean 'lora'?" in done.stderr


def test_json_is_data_alone(measured: Path, invoke: Invoke) -> None:
    done = invoke("benchmark", "-o", measured, "--json", "--policy", "always-probe")
    found = json.loads(done.stdout)
    assert (found["schema"], found["draws"]) == (1, 4)
    (task,) = found["tasks"]
    assert [one["policy"] for one in task["regret"]["standings"]] == ["rules", "always-probe"]
    assert task["regret"]["standings"][1]["regret"]["value"] == pytest.approx(1.5)
    assert task["crossings"][0]["after"] == "full-fine-tuning"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name DATA"),
        (["a.csv", "b.csv", "--test", "t.csv"], "--test names the test file of one DATA"),
        (["a.csv", "--sizes", "some"], "size 'some'"),
        (["a.csv", "--policy", "pilt"], "there is no policy 'pilt'"),
    ],
)
def test_misuse_is_said_before_anything_runs(tmp_path: Path, invoke: Invoke, arguments: list[str], said: str) -> None:
    done = invoke("benchmark", *arguments, "-o", tmp_path / "bench")
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "bench").exists()


@pytest.mark.slow
def test_two_processes_measure_what_one_does(messages: Path, tmp_path: Path) -> None:
    """Real strategies in processes of their own; the same scores as in this one."""
    scores = []
    for jobs in ("1", "2"):
        folder = tmp_path / jobs
        done = subprocess.run(
            [sys.executable, "-m", "advisor", "benchmark", str(messages), "-o", str(folder), "--seeds", "1", "--json",
             "--strategies", "zero-shot,few-shot,linear-probe", "--sizes", "0,4", "--jobs", jobs, "--device", "cpu"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["draws"] == 1
        rows = [json.loads(text) for text in (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()]
        scores.append({(row["strategy"], row["size"]): row["accuracy"] for row in rows})
    assert scores[0] == scores[1]
    assert len(scores[0]) == 4


@pytest.mark.slow
def test_the_pilot_is_judged_by_its_own_choices(messages: Path, tmp_path: Path, invoke: Invoke) -> None:
    folder = tmp_path / "bench"
    done = invoke(
        "benchmark", messages, "-o", folder, "--seeds", 1, "--sizes", "0,4", "--jobs", 1, "--json",
        "--strategies", "zero-shot,few-shot,linear-probe,contrastive", "--policy", "pilot", "--device", "cpu",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (row,) = [json.loads(text) for text in (folder / "choices.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (row["policy"], row["data"], row["labelled"]) == ("pilot", "messages", 12)
    assert row["spent_processor_seconds"] > 0
    assert row["predicted"][row["strategy"]]["low"] <= row["predicted"][row["strategy"]]["high"]
