from pathlib import Path

import pytest

from advisor.plan.plan import Plan
from tests.tiny import write_tiny_encoder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of a few thousand weights, mean-pooled, with a tokenizer made from the test messages."""
    return write_tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture
def make_plan(messages: Path, tiny_encoder: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Write a plan folder for the messages and a strategy."""
    from advisor.api import write_plan
    from advisor.data.reading import DataSource
    from advisor.decision.advice import recommend
    from advisor.project import open_project

    def make(strategy: str, folder: Path | None = None, test: bool = True, **settings: object) -> tuple[Plan, Path]:
        source = DataSource(messages if test else messages / "train.csv")
        project = open_project(data=source, settings={"model.base": str(tiny_encoder), **settings})
        folder = folder or tmp_path / f"plan-{strategy}"
        return write_plan(recommend(project.profile), project.data, folder, strategy=strategy), folder

    return make
