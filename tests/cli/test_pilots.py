import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
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


def test_wishes_without_a_pilot_are_refused(invoke: Invoke, messages: Path) -> None:
    done = invoke("recommend", "--data", messages, "--prefer", "cost")
    assert done.exit_code == 2
    assert "--prefer and --target belong to --pilot" in done.stderr


def test_a_profile_after_the_option_is_no_budget(invoke: Invoke) -> None:
    done = invoke("recommend", "--pilot", "profile.yaml")
    assert done.exit_code == 2
    assert "this is no budget" in done.stderr
