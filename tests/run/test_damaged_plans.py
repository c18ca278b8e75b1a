"""A plan that was edited or damaged, and a run folder that a crash left odd, are answered in a sentence or mended."""

from pathlib import Path
from typing import Any

import pytest

from advisor.api import open_plan, run_plan
from advisor.errors import DocumentError, InputError
from advisor.run.folder import RunFolder

EDITS = {
    "a word for a number": ("default_scale: 10.0", "default_scale: lots", "default_scale: 'lots' is not a number"),
    "an unknown setting": ("  default_scale: 10.0", "  defalt_scale: 10.0", "did you mean 'default_scale'?"),
    "another strategy's settings": (
        "strategy: few-shot",
        "strategy: linear-probe",
        "unknown key 'description_weights'",
    ),
    "a strategy of other tasks": ("strategy: few-shot", "strategy: sft", "sft does not do text-classification on enc"),
    "a negative seed": ("seed: 13", "seed: -1", "seed: '-1' is below 0"),
    "a giant seed": ("seed: 13", "seed: 99999999999", "seed: '99999999999' is above 2147483647"),
    "an unknown modifier": ("modifiers: {}", "modifiers: {multiseed: {}}", "did you mean 'multi-seed'?"),
    "a modifier's setting": (
        "modifiers: {}",
        "modifiers: {multi-seed: {seeds: x}}",
        "seeds: 'x' is not a whole number",
    ),
    "a count of draws": (
        "bootstrap_draws: 1000",
        "bootstrap_draws: many",
        "evaluation.bootstrap_draws is no number such as 1000",
    ),
    "no count of draws": ("  bootstrap_draws: 1000\n", "", "evaluation.bootstrap_draws is no number such as 1000"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_plan_is_checked_before_it_runs(name: str, make_plan: Any) -> None:
    before, after, message = EDITS[name]
    _, folder = make_plan("few-shot")
    path = folder / "plan.yaml"
    written = path.read_text(encoding="utf-8")
    assert before in written
    path.write_text(written.replace(before, after), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        open_plan(folder)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


def test_a_plan_half_written_over_another_is_none(make_plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, folder = make_plan("zero-shot")

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("advisor.api.write_text", full)
    with pytest.raises(OSError, match="No space left"):
        make_plan("few-shot", folder)
    with pytest.raises(InputError, match="no such file"):
        open_plan(folder)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"{}"])
def test_damaged_advice_beside_a_plan_is_named(content: bytes, make_plan: Any) -> None:
    _, folder = make_plan("zero-shot")
    (folder / "advice.json").write_bytes(content)
    with pytest.raises(InputError, match=r"advice\.json is damaged; make the plan again"):
        open_plan(folder)


def test_a_damaged_result_is_named(make_plan: Any, tmp_path: Path) -> None:
    _, folder = make_plan("zero-shot")
    run_plan(folder, tmp_path / "run")
    (tmp_path / "run" / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"result\.json is damaged"):
        run_plan(folder, tmp_path / "run")


def test_what_a_crash_after_the_result_left_is_tidied(make_plan: Any, tmp_path: Path) -> None:
    _, folder = make_plan("zero-shot")
    first = run_plan(folder, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    run.finish("train", {"seconds": 1.0})
    (run.path / "last").mkdir()
    (run.path / "report.html").unlink()
    assert run_plan(folder, tmp_path / "run") == first
    assert not run.work.exists()
    assert not (run.path / "last").exists()
    assert (run.path / "report.html").exists()
