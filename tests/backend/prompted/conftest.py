from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from advisor.backend.devices import Device
from advisor.backend.job import FitJob
from advisor.backend.prompted import fitting, keeping, model
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.settings import PromptedSettings
from advisor.backend.rows import Rows, encode_rows
from advisor.estimates.forecast import default_settings
from advisor.tasks import Input, Label
from tests.backend.prompted.fake import FakeModel
from tests.tiny import write_tiny_encoder

MakeJob = Callable[..., FitJob]


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="session")
def language_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose files stand for a language model's."""
    folder = tmp_path_factory.mktemp("language-model")
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeModel], FakeModel]:
    """Return a function by which a model is opened whatever place is named."""

    def opened(fake: FakeModel) -> FakeModel:
        for module in (fitting, keeping, model):
            monkeypatch.setattr(module, "open_language_model", lambda *_: fake)
        return fake

    return opened


@pytest.fixture
def make_job(tmp_path: Path, tiny_encoder: Path, language_model_folder: Path, cpu: Device) -> MakeJob:
    """Return a function that makes a job: ``make_job(task, inputs, answers, labels, engine="llm-api", levels=5)``."""

    def make(
        task: str,
        inputs: list[Input],
        answers: list[Label],
        labels: list[str],
        engine: str = "llm-local",
        descriptions: dict[str, str] | None = None,
        **settings: Any,
    ) -> FitJob:
        rows: Rows = encode_rows(task, inputs, answers, range(1, len(inputs) + 1), labels)
        base = default_settings("few-shot", "llm-local")
        place = (
            LanguageModelPlace("llm-local", "fake", folder=language_model_folder)
            if engine == "llm-local"
            else LanguageModelPlace("llm-api", "fake", url="http://127.0.0.1:1/v1", key_variable="FAKE_KEY")
        )
        return FitJob(
            encoder=tiny_encoder,
            task=task,
            labels=labels,
            descriptions=descriptions or {},
            training=rows,
            validation=None,
            settings=PromptedSettings.model_validate(base.model_dump() | settings),
            seed=3,
            device=cpu,
            workspace=tmp_path / "work",
            cache=None,
            place=place,
        )

    return make
