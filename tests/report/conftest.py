"""A plan, its advice and a result, made once; and the same with names that try to break out of a document."""

import pytest

from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.machine import Machine
from advisor.plan.build import build_plan
from advisor.plan.plan import Plan
from advisor.project import open_project
from tests.report.samples import HOSTILE, LABELS, Made


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("project")
    for name, rows in (("train", 8), ("test", 3)):
        lines = [f"{label} number {row} of the {name} part,{label}" for row in range(rows) for label in LABELS]
        (folder / f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    machine = Machine(cores=4, memory_bytes=16_000_000_000, units="avx2", gpu=False)
    settings = {"task.kind": "common", "task.metric": "macro-f1", "compute.hours": 2, "task.languages": ["en"]}
    project = open_project(data=DataSource(path=folder), settings=settings, machine=machine)
    advice = recommend(project.profile, machine=machine)
    return Made(build_plan(advice, project.data, folder=folder / "plan"), advice)


@pytest.fixture
def hostile_plan(made: Made) -> Plan:
    labels: dict[str, str | None] = {name: HOSTILE[1] for name in HOSTILE}
    data = made.plan.data.model_copy(update={"text_column": HOSTILE[1], "label_column": HOSTILE[2]})
    return made.plan.model_copy(update={"project": HOSTILE[0], "labels": labels, "notes": [HOSTILE[2]], "data": data})
