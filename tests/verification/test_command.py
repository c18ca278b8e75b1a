import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import advisor.verification
from advisor.cli import main
from tests.verification.small import FEW, NONE, Edit, row

Invoke = Callable[..., Result]


@pytest.fixture
def invoke() -> Invoke:
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def gapped(edit: Edit) -> Path:
    """A base without advice on one to four labels."""
    edit("decision.yaml", NONE, row("none", 20, "data.labelled: 0", "zero-shot"))
    return edit("decision.yaml", FEW, row("few", 30, "data.labelled: at least 5", "few-shot"))


def test_a_sound_base_is_proven(invoke: Invoke, small: Path) -> None:
    shown = invoke("rules", "check", "--rules", small, "--today", "2026-11-23")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("4 rows, 0 objections, 1 thresholds, 1 findings: all names")
    assert "Proven: no gap" in shown.stdout


def test_a_finding_ends_with_5_and_its_witness_feeds_recommend(invoke: Invoke, gapped: Path, tmp_path: Path) -> None:
    shown = invoke("rules", "check", "--rules", gapped, "--today", "2026-11-23", "--witness", tmp_path / "shown")
    assert shown.exit_code == 5, shown.output
    assert f"{gapped / 'decision.yaml'}:" in shown.stdout
    assert ": gap: no row that holds recommends what is feasible: " in shown.stdout
    assert "shown by task.type: " in shown.stdout
    assert "Proven" not in shown.stdout
    (witness,) = (tmp_path / "shown").iterdir()
    assert witness.name.startswith("gap-")
    assert invoke("recommend", witness).exit_code in {0, 3}, "the shipped base has no such gap, and reads the profile"


def test_json_carries_places_and_witnesses(invoke: Invoke, gapped: Path) -> None:
    shown = invoke("rules", "check", "--rules", gapped, "--today", "2028-01-01", "--json")
    assert shown.exit_code == 5
    report = json.loads(shown.stdout)
    assert report["schema"] == 1
    assert report["proved"] is True
    assert [found["kind"] for found in report["findings"]] == ["expired", "gap"]
    expired, gap = report["findings"]
    assert expired["places"] == [f"{gapped / 'evidence.yaml'}:1:1"]
    assert gap["witnesses"][0]["data.labelled"] in {1, 2, 3, 4}


def test_without_z3_it_says_so_and_checks_the_rest(
    invoke: Invoke, gapped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisor.verification, "find_spec", lambda name: None)
    shown = invoke("rules", "check", "--rules", gapped, "--today", "2026-11-23")
    assert shown.exit_code == 0
    assert "pip install 'adaptation-advisor[verify]'" in shown.stderr
    assert "Proven" not in shown.stdout
    assert invoke("rules", "check", "--rules", gapped, "--today", "2028-01-01").exit_code == 5
