import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import advisor.verification
from advisor.cli import main
from advisor.knowledge.rulebase import load_rulebase
from tests.verification.small import row

Invoke = Callable[..., Result]
SOUND = row("ours", 100, "task.type: regression, data.labelled: at least 5000", "full-fine-tuning").replace(
    "at least 5000", "at least 5000, constraints.model_access: weights"
)
FAULTY = row("ours", 100, "task.type: regression, data.labelled: 0", "few-shot")
GAP = "  - {id: default-instructions, remove: yes}\n  - {id: default-prompt, remove: yes}\n"
EXPIRED = """\
OURS:
  {claim: c, conditions: none, design: case study, certainty: low, source: s, read: abstract, review_by: 2026-11-22}
"""


@pytest.fixture
def invoke() -> Invoke:
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def layer(tmp_path: Path) -> Callable[..., Path]:
    """A folder to lay over the shipped rules."""

    def write(rows: str, evidence: str = "") -> Path:
        folder = tmp_path / "rules"
        folder.mkdir()
        (folder / "decision.yaml").write_text("rules:\n" + rows.replace("[E1]", "[E5]"), encoding="utf-8")
        if evidence:
            (folder / "evidence.yaml").write_text(evidence, encoding="utf-8")
        return folder

    return write


def test_a_sound_layer_is_proven_with_the_shipped_base(invoke: Invoke, layer: Callable[..., Path]) -> None:
    shown = invoke("rules", "check", "--rules", layer(SOUND), "--today", "2026-11-23")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith(f"{len(load_rulebase().rules) + 1} rows, ")
    assert "Proven: no gap" in shown.stdout


def test_a_finding_ends_with_5_and_recommend_shows_it_on_the_witness(
    invoke: Invoke, layer: Callable[..., Path], tmp_path: Path
) -> None:
    folder = layer(FAULTY)
    shown = invoke("rules", "check", "--rules", folder, "--today", "2026-11-23", "--witness", tmp_path / "shown")
    assert shown.exit_code == 5, shown.output
    assert f"{folder / 'decision.yaml'}:2:5: unsound: ours recommends few-shot where it is ruled out" in shown.stdout
    assert "shown by task.type: regression, data.labelled: 0" in shown.stdout
    assert "Proven" not in shown.stdout
    (witness,) = (tmp_path / "shown").iterdir()
    assert witness.name == "unsound-ours.yaml"
    advised = invoke("recommend", witness, "--rules", folder)
    assert advised.exit_code == 0, advised.output
    assert re.search(r"few-shot \(ours\) would come first but is ruled out", advised.stdout)


def test_json_carries_places_and_a_witness_of_a_gap_is_undecided(
    invoke: Invoke, layer: Callable[..., Path], tmp_path: Path
) -> None:
    folder = layer(GAP, EXPIRED)
    check = ("rules", "check", "--rules", folder, "--today", "2026-11-23", "--json", "--witness", tmp_path)
    shown = invoke(*check)
    assert shown.exit_code == 5
    report = json.loads(shown.stdout)
    assert report["schema"] == 1
    assert report["proved"] is True
    expired, gap, *others = report["findings"]
    assert {found["kind"] for found in others} <= {"gap"}
    assert (expired["kind"], expired["rows"], expired["places"]) == (
        "expired",
        ["OURS"],
        [f"{folder / 'evidence.yaml'}:1:1"],
    )
    assert gap["kind"] == "gap"
    assert gap["replayed"] is True
    assert gap["places"] == [load_rulebase(folder).rules[-1].place]
    witness = tmp_path / f"gap-{gap['rows'][0]}.yaml"
    assert invoke("recommend", witness, "--rules", folder).exit_code == 4
    assert invoke("recommend", witness).exit_code == 0, "the shipped base has no such gap"


def test_without_z3_it_says_so_and_checks_the_rest(
    invoke: Invoke, layer: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisor.verification, "find_spec", lambda name: None)
    folder = layer(GAP, EXPIRED)
    shown = invoke("rules", "check", "--rules", folder, "--today", "2026-11-22")
    assert shown.exit_code == 0
    assert "pip install 'adaptation-advisor[verify]'" in shown.stderr
    assert "Proven" not in shown.stdout
    assert invoke("rules", "check", "--rules", folder, "--today", "2026-11-23").exit_code == 5
