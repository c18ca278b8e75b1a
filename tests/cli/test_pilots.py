import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.conftest import TEXTS
from tests.task_samples import write_rows
from tests.tiny import write_tiny_encoder


@pytest.fixture(scope="module")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.mark.slow
def test_a_plan_follows_the_pilot_of_its_data(
    invoke: Invoke, messages: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    given = ("--data", messages, "--set", f"model.base={tiny_encoder}")
    done = invoke("recommend", *given, "--pilot", "1.5", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["pilot"]["strategy"] == found["verdict"]["strategy"]
    assert "best so far" in done.stderr
    planned = invoke("plan", *given, "-o", tmp_path / "plan", "--json")
    assert json.loads(planned.stdout)["strategy"] == found["verdict"]["strategy"]
    assert json.loads(planned.stdout)["advice"]["because"] == [found["pilot"]["because"]]
    assert f"settled on {found['verdict']['strategy']}" in planned.stderr
    assert json.loads((tmp_path / "plan" / "advice.json").read_text())["pilot"] == found["pilot"]


def test_the_screen_tells_how_contenders_stand(invoke: Invoke, messages: Path, tiny_encoder: Path) -> None:
    done = invoke(
        "recommend", "--data", messages, "--set", f"model.base={tiny_encoder}", "--pilot", "1.5", "--target", ".7"
    )
    assert done.exit_code == 0, done.stderr
    assert "Measured on your data" in done.stdout
    assert "the rules alone" in done.stdout
    assert "draws of the thresholds" not in done.stdout
    assert "0.70 accuracy" in done.stdout
    told = done.stdout[done.stdout.index("Pilot on ") :]
    assert max(map(len, told.splitlines())) <= 100


def test_without_data_nothing_is_measured(invoke: Invoke) -> None:
    answers = ("--set", "task.type=text-classification", "--set", "data.labelled=0", "--set", "data.classes=3")
    done = invoke("recommend", *answers, "--pilot")
    assert done.exit_code == 0, done.stderr
    assert "Label about 24 texts first" in done.stdout


def test_labels_without_their_rows_cannot_be_measured_on(invoke: Invoke) -> None:
    answers = ("--set", "task.type=text-classification", "--set", "data.labelled=90", "--set", "data.classes=3")
    done = invoke("recommend", *answers, "--pilot")
    assert done.exit_code == 2
    assert "a pilot measures on labelled rows; name them by --data" in done.stderr


@pytest.fixture
def unlabelled(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "texts.csv", [{"text": text} for texts in TEXTS.values() for text in texts])


def test_without_labels_it_says_which_rows_to_label_first(
    invoke: Invoke, unlabelled: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    given = ("recommend", "--data", unlabelled, "--set", f"model.base={tiny_encoder}", "--pilot")
    shown = invoke(*given, "--set", "data.classes=3")
    assert shown.exit_code == 0, shown.stderr
    assert "none of its 30 rows has a label, so they count as unlabelled" in shown.stderr
    told = shown.stdout[shown.stdout.index("No pilot:") :]
    assert max(map(len, told.splitlines())) <= 100
    assert ["Label these 24 first" in told, "and 19 more" in told, "--label-first FILE" in told] == [True] * 3
    assert "drawn at random from what" not in told
    assert "is assumed" not in told
    path = tmp_path / "first.jsonl"
    found = json.loads(invoke(*given, "--set", "data.classes=3", "--label-first", path, "--json").stdout)
    written = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row | {"label": ""} for row in found["label_first"]] == written
    assert found["pilot"]["first_labels"] == len(written) == 24
    assert [row["row"] for row in written[:1]] == [int(told.split("line ")[1].split()[0])]
    assert "How many classes there are is assumed" in invoke(*given).stdout


def test_without_a_pilot_it_says_what_does(invoke: Invoke, unlabelled: Path) -> None:
    shown = invoke("recommend", "--data", unlabelled)
    assert shown.exit_code == 0, shown.stderr
    assert f"--data {unlabelled} --pilot --label-first FILE.csv" in " ".join(shown.stdout.split())
    assert "advisor plan" not in shown.stdout


def test_filled_in_the_file_is_data(invoke: Invoke, unlabelled: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    given = ("recommend", "--set", f"model.base={tiny_encoder}", "--set", "data.classes=3", "--pilot", "0.3")
    path = tmp_path / "first.csv"
    shown = invoke(*given, "--data", unlabelled, "--label-first", path)
    assert f"--data {path} --pilot" in " ".join(shown.stdout.split())
    kinds = {text: label for label, texts in TEXTS.items() for text in texts}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    write_rows(path, [row | {"label": kinds[row["text"]] if n < 20 else ""} for n, row in enumerate(rows)])
    found = json.loads(invoke(*given, "--data", path, "--label-first", tmp_path / "next.csv", "--json").stdout)
    assert found["pilot"]["labelled"] == 20
    assert {row["text"] for row in found["label_first"]} == {row["text"] for row in rows[20:]}


def test_a_plan_without_labels_is_refused(invoke: Invoke, unlabelled: Path, tmp_path: Path) -> None:
    done = invoke("plan", "--data", unlabelled, "-o", tmp_path / "plan")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].endswith("says which rows to label first")
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ("texts", ("--label-first", "first.csv"), "--label-first belongs to --pilot"),
        ("messages", ("--pilot", "--label-first", "first.csv"), "train.csv: every row has a label"),
        ("texts", ("--pilot", "--label-first", "first.txt"), "name such a file"),
        ("texts", ("--pilot", "--label-first", "texts.csv"), "is there already"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_measured(
    data: str, options: tuple[str, ...], said: str, invoke: Invoke, unlabelled: Path, messages: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(unlabelled.parent)
    monkeypatch.setattr("advisor.pilot.pilot.Pilot.run", None)
    done = invoke("recommend", "--data", unlabelled if data == "texts" else messages, *options)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_wishes_without_a_pilot_are_refused(invoke: Invoke, messages: Path) -> None:
    done = invoke("recommend", "--data", messages, "--prefer", "cost")
    assert done.exit_code == 2
    assert "--prefer and --target belong to --pilot" in done.stderr


def test_a_profile_after_the_option_is_no_budget(invoke: Invoke) -> None:
    done = invoke("recommend", "--pilot", "profile.yaml")
    assert done.exit_code == 2
    assert "this is no budget" in done.stderr
