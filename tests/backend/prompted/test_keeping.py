"""A prompted model's folder: read back it answers the same, and nothing damaged or changed is read."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.backend.devices import Device
from advisor.backend.predictor import load_model
from advisor.backend.prompted import keeping
from advisor.backend.prompted.fitting import fit_prompt
from advisor.backend.prompted.model import PromptedModel
from advisor.errors import InputError
from tests.backend.prompted.conftest import MakeJob
from tests.backend.prompted.fake import FakeModel, by_cues
from tests.backend.prompted.test_fitting import CLASSES, CUES, INPUTS, LABELS, TASKS, Use, fitted

FILES = {"prompt.json", "prompt.j2", "demonstrations.jsonl"}


@pytest.mark.parametrize("selection", ["fixed", "retrieved"])
@pytest.mark.parametrize("task", TASKS)
def test_a_model_read_back_asks_and_answers_the_same(
    make_job: MakeJob, use: Use, tmp_path: Path, cpu: Device, task: str, selection: str
) -> None:
    job, found = fitted(make_job, use, task, "few-shot", demonstrations=3, selections=(selection,))
    assert isinstance(found.model, PromptedModel)
    inputs = job.training.inputs
    expected = found.model.outputs(inputs)
    found.model.save(tmp_path / "model")
    again = load_model(tmp_path / "model", cpu)
    assert isinstance(again, PromptedModel)
    assert np.array_equal(again.outputs(inputs), expected)
    assert again.interview.prompts(inputs, again.way) == found.model.interview.prompts(inputs, found.model.way)
    assert (again.task, again.labels, again.chosen) == (found.model.task, found.model.labels, found.model.chosen)
    kept = {path.name for path in (tmp_path / "model").iterdir()}
    assert kept == FILES | ({"demonstrations.safetensors"} if selection == "retrieved" else set())
    again.save(tmp_path / "copy")
    assert all((tmp_path / "copy" / name).read_bytes() == (tmp_path / "model" / name).read_bytes() for name in kept)


@pytest.fixture
def saved(make_job: MakeJob, use: Use, tmp_path: Path) -> Path:
    use(FakeModel(by_cues(CUES)))
    job = make_job("text-classification", INPUTS, CLASSES, LABELS, selections=("fixed",))
    fit_prompt(job, demonstrated=True).model.save(tmp_path / "model")
    return tmp_path / "model"


def changed(folder: Path, **values: Any) -> None:
    path = folder / "prompt.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_only_demonstrations_that_are_shown_are_kept(saved: Path) -> None:
    lines = [json.loads(line) for line in (saved / "demonstrations.jsonl").read_text().splitlines()]
    assert len(lines) == 16
    assert all(INPUTS[line["row"] - 1] == line["input"] and CLASSES[line["row"] - 1] == line["label"] for line in lines)


def test_nothing_is_kept_without_demonstrations(make_job: MakeJob, use: Use, tmp_path: Path, cpu: Device) -> None:
    use(FakeModel(by_cues(CUES)))
    model = fit_prompt(make_job("text-classification", INPUTS, CLASSES, LABELS), demonstrated=False).model
    model.save(tmp_path / "model")
    assert (tmp_path / "model" / "demonstrations.jsonl").read_text() == ""
    assert np.array_equal(load_model(tmp_path / "model", cpu).outputs(INPUTS), model.outputs(INPUTS))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"schema": 2}, r"no readable prompt there \(schema: "),
        ({"surprise": 1}, r"\(surprise: Extra inputs are not permitted\)"),
        ({"selection": "retrieved"}, "retrieved demonstrations need an encoder"),
        ({"calibration": "batch", "prior": None}, "a prior goes with a calibration"),
        ({"calibration": "batch", "prior": [[0.5]]}, "no readable prompt there"),
        ({"fixed": [[0, 99]]}, "demonstrations.jsonl has 16 lines"),
        ({"fixed": []}, "no readable prompt there"),
        ({"template_sha256": "0" * 64}, "not the prompt that was measured; restore that one"),
        ({"thresholds": "x"}, r"\(thresholds"),
        ({"thresholds": [0.5]}, "thresholds go with multi-label"),
    ],
)
def test_a_damaged_description_is_refused(saved: Path, cpu: Device, values: dict[str, Any], message: str) -> None:
    changed(saved, **values)
    with pytest.raises(InputError, match=message):
        load_model(saved, cpu)


@pytest.mark.parametrize("name", sorted(FILES - {"prompt.json"}))
@pytest.mark.parametrize("how", ["absent", "damaged"])
def test_a_damaged_file_is_refused(saved: Path, cpu: Device, name: str, how: str) -> None:
    if how == "absent":
        (saved / name).unlink()
    else:
        (saved / name).write_bytes(b'{"input": \xff')
    with pytest.raises(InputError, match="no readable prompt there"):
        load_model(saved, cpu)


def test_another_template_is_not_run(saved: Path, cpu: Device) -> None:
    (saved / "prompt.j2").write_text("{{ [].append(1) }}")
    with pytest.raises(InputError, match="not the prompt that was measured"):
        load_model(saved, cpu)


def test_another_language_model_is_refused(saved: Path, cpu: Device, tmp_path: Path) -> None:
    details = json.loads((saved / "prompt.json").read_text())
    other = tmp_path / "other"
    shutil.copytree(details["model"]["folder"], other)
    (other / "config.json").write_text('{"changed": true}')
    changed(saved, model=details["model"] | {"folder": str(other)})
    with pytest.raises(InputError, match=r"fake: the files in .*other changed since it was measured"):
        load_model(saved, cpu)
    changed(saved, model=details["model"] | {"folder": str(tmp_path / "nowhere")})
    with pytest.raises(InputError, match=r"fake: the language model is not in .*nowhere"):
        load_model(saved, cpu)


def test_another_encoder_is_refused(make_job: MakeJob, use: Use, tmp_path: Path, cpu: Device) -> None:
    job, found = fitted(make_job, use, "text-classification", "few-shot", selections=("retrieved",))
    found.model.save(tmp_path / "model")
    changed(tmp_path / "model", encoder=[str(job.encoder), "0" * 64])
    with pytest.raises(InputError, match="not the encoder that demonstrations were measured with"):
        load_model(tmp_path / "model", cpu)
    changed(tmp_path / "model", encoder=[str(tmp_path / "nowhere"), "0" * 64])
    with pytest.raises(InputError, match="the encoder that finds similar demonstrations is not there"):
        load_model(tmp_path / "model", cpu)


def test_the_packaged_encoder_is_kept_by_name() -> None:
    name = "all-MiniLM-L6-v2"
    facts = keeping.load_catalogue().models
    known = next((found for found in facts if name.lower() in found.lower()), None)
    assert known is not None
    folder = keeping.embedded_folder(facts[known])
    assert folder is not None
    assert keeping._encoder_of(folder)[0] == known
    assert keeping._encoder_folder(*keeping._encoder_of(folder)) == folder


def test_no_key_is_kept(make_job: MakeJob, use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", "sk-planted-0123456789")
    use(FakeModel(by_cues(CUES)))
    job = make_job("text-classification", INPUTS, CLASSES, LABELS, engine="llm-api")
    fit_prompt(job, demonstrated=True).model.save(tmp_path / "model")
    for path in (tmp_path / "model").iterdir():
        assert b"sk-planted" not in path.read_bytes()
    assert '"FAKE_KEY"' in (tmp_path / "model" / "prompt.json").read_text()


def test_the_journal_is_that_of_the_run(
    make_job: MakeJob, use: Use, tmp_path: Path, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(FakeModel(by_cues(CUES)))
    job = make_job("text-classification", INPUTS, CLASSES, LABELS, engine="llm-api")
    assert job.place is not None
    journal = tmp_path / "answers.jsonl"
    fit_prompt(replace(job, place=replace(job.place, journal=journal)), demonstrated=False).model.save(
        tmp_path / "model"
    )
    places: list[Any] = []
    monkeypatch.setattr(keeping, "open_language_model", lambda place, *_: places.append(place) or FakeModel())
    load_model(tmp_path / "model", cpu)
    journal.touch()
    load_model(tmp_path / "model", cpu)
    assert [place.journal for place in places] == [None, journal]
    details = json.loads((tmp_path / "model" / "prompt.json").read_text())
    changed(tmp_path / "model", model=details["model"] | {"journal": "../../.bashrc"})
    with pytest.raises(InputError, match=r"no readable prompt there \(model.journal"):
        load_model(tmp_path / "model", cpu)


def test_odd_line_ends_in_demonstrations_are_no_line_ends(
    make_job: MakeJob, use: Use, tmp_path: Path, cpu: Device
) -> None:
    use(FakeModel(by_cues(CUES)))
    inputs: Any = [f"one\u2028two\u0085three\nfour {n}" for n in range(6)]
    job = make_job("text-classification", inputs, ["praise", "complaint"] * 3, LABELS, selections=("fixed",))
    model = fit_prompt(job, demonstrated=True).model
    model.save(tmp_path / "model")
    assert np.array_equal(load_model(tmp_path / "model", cpu).outputs(inputs), model.outputs(inputs))


def test_reading_a_folder_loads_no_library_of_models_before_it_must() -> None:
    code = "import sys, advisor.backend.prompted.templates, advisor.backend.prompted.settings, advisor.backend.job;" \
        "print({'torch', 'numpy', 'transformers'} & set(sys.modules))"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "set()"
