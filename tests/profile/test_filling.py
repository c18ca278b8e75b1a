"""What labelled data of each task tell a profile."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from advisor.data.reading import DataSource, load_labelled
from advisor.decision.advice import recommend
from advisor.errors import DataError
from advisor.machine import Machine
from advisor.profile import Profile
from advisor.profile.filling import fill_from_data
from advisor.project import open_project
from advisor.tasks import TASKS
from tests.task_samples import ROWS, write_rows

TOLD: dict[str, dict[str, Any]] = {
    "text-classification": {"labels": ["neg", "pos"], "labelled": 3, "smallest_class": 1, "tokens_median": 5},
    "multi-label": {"labels": ["price", "speed"], "labelled": 3, "smallest_class": 1, "tokens_median": 6},
    "pair-classification": {"labels": ["entailed", "not"], "labelled": 3, "smallest_class": 1, "tokens_median": 11},
    "regression": {"labels": None, "labelled": 3, "smallest_class": None, "tokens_median": 11},
    "token-classification": {"labels": ["LOC", "PER"], "labelled": 2, "smallest_class": 1, "tokens_median": 5},
    "question-answering": {"labels": None, "labelled": 3, "smallest_class": None, "tokens_median": 27},
    "generation": {"labels": None, "labelled": 3, "smallest_class": None, "tokens_median": 13},
    "preference": {"labels": None, "labelled": 3, "smallest_class": None, "tokens_median": 13},
}


def filled(path: Path, rows: list[dict[str, Any]], profile: Profile | None = None) -> Profile:
    return fill_from_data(profile or Profile(), load_labelled(DataSource(write_rows(path, rows))))


@pytest.mark.parametrize("task", TASKS)
def test_data_tell_what_they_hold(task: str, tmp_path: Path) -> None:
    profile = filled(tmp_path / "a.jsonl", ROWS[task])
    found = {
        "labels": list(profile.task.labels) if profile.task.labels else None,
        "labelled": profile.data.labelled,
        "smallest_class": profile.data.smallest_class,
        "tokens_median": profile.data.tokens_median,
    }
    assert (profile.task.type, found) == (task, TOLD[task])
    assert profile.source("task.type") == "detected"


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_opened_and_advised_on(task: str, tmp_path: Path, machine: Machine) -> None:
    path = write_rows(tmp_path / "a.jsonl", ROWS[task] * 40)
    project = open_project(data=DataSource(path), machine=machine)
    assert project.data is not None
    assert project.data.task == project.profile.task.type == task
    assert recommend(project.profile).winner


def test_entities_of_one_type_make_two_classes(tmp_path: Path) -> None:
    profile = filled(
        tmp_path / "a.jsonl", [{"tokens": ["a", "b"], "tags": ["B-X", "B-X"]}, {"tokens": ["c"], "tags": ["O"]}]
    )
    assert (profile.task.labels, profile.data.classes) == (None, 2)
    assert (profile.data.labelled, profile.data.smallest_class) == (2, 2)


def test_labels_that_the_profile_names_stay(tmp_path: Path) -> None:
    known = Profile().with_answers({"task.labels": ["X", "Y", "Z"]}, "file")
    rows = [{"tokens": ["a"], "tags": ["B-X"]}, {"tokens": ["c"], "tags": ["O"]}]
    profile = filled(tmp_path / "a.jsonl", rows, known)
    assert list(profile.task.labels or {}) == ["X", "Y", "Z"]
    assert profile.data.classes is None


@pytest.mark.parametrize(("labelled", "smallest"), [(0, 0), (10, 3), (3000, 1000)])
def test_another_count_keeps_the_proportions(labelled: int, smallest: int, tmp_path: Path) -> None:
    known = Profile().with_answers({"data.labelled": labelled}, "flag")
    assert filled(tmp_path / "a.jsonl", ROWS["text-classification"], known).data.smallest_class == smallest


def test_the_profile_says_which_task_and_columns(tmp_path: Path, machine: Machine) -> None:
    rows = [{"left": f"a {i}", "right": f"b {i}", "text": "c", "grade": i % 3} for i in range(6)]
    write_rows(tmp_path / "a.csv", rows)
    path = tmp_path / "profile.yaml"
    data = "data: {path: a.csv, text: left, pair: right, label: grade}\n"
    path.write_text(f"schema: 1\ntask: {{type: regression}}\n{data}", encoding="utf-8")
    project = open_project(path, machine=machine)
    assert project.data is not None
    assert (project.data.task, project.data.pair_column) == ("regression", "right")
    path.write_text(f"schema: 1\n{data}", encoding="utf-8")
    assert open_project(path, machine=machine).profile.task.type == "pair-classification"
    path.write_text(f"schema: 1\ntask: {{type: question-answering}}\n{data}", encoding="utf-8")
    with pytest.raises(DataError, match="does not stand in the context"):
        open_project(path, machine=machine)


@pytest.mark.parametrize(
    ("row", "feedback"),
    [
        ({"prompt": "a", "completion": "b"}, "demonstrations"),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "pairs"),
        ({"prompt": "a", "completion": "b", "label": True}, "thumbs"),
    ],
)
def test_the_kind_of_feedback_is_seen(row: dict[str, Any], feedback: str, tmp_path: Path) -> None:
    assert filled(tmp_path / "a.jsonl", [row] * 3).lifecycle.feedback == feedback


def test_a_card_that_is_here_tells_its_memory(messages: Path, machine: Machine) -> None:
    there = replace(machine, gpu=True, cards=("NVIDIA A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB"))
    found = open_project(data=DataSource(messages), machine=there).profile
    assert (found.compute.device, found.compute.card, found.compute.memory_gb) == (
        "gpu", "NVIDIA A100 40GB SXM", 40,
    )  # fmt: skip
    assert found.sources["compute.card"] == "detected"
    # A card unknown to the catalogue, or training elsewhere, tells nothing.
    other = open_project(data=DataSource(messages), machine=replace(there, cards=("NVIDIA Unheard 9000",))).profile
    assert (other.compute.device, other.compute.card, other.compute.memory_gb) == ("gpu", None, None)
    elsewhere = open_project(data=DataSource(messages), settings={"compute.device": "cpu"}, machine=there).profile
    assert (elsewhere.compute.device, elsewhere.compute.card) == ("cpu", None)
