"""Every kind of fault, planted in a sound base: caught, named, placed, and shown by a profile that bears it out."""

from datetime import date
from pathlib import Path

import pytest

from advisor.decision.decide import decide
from advisor.decision.facts import project_facts
from advisor.errors import Undecided
from advisor.knowledge.rulebase import read_rulebase
from advisor.profile import load_profile
from advisor.verification import Finding, Report
from advisor.verification.options import MACHINE
from tests.verification.small import FEW, MANY, NONE, Edit, check, row


def only(report: Report, kind: str) -> Finding:
    found = [finding for finding in report.findings if finding.kind == kind]
    assert len(found) == 1, [f"{finding.kind}: {finding.sentence}" for finding in report.findings]
    return found[0]


def line_of(folder: Path, file: str, text: str) -> str:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return f"{folder / file}:{1 + next(number for number, line in enumerate(lines) if text in line)}:"


def test_a_sound_base_has_no_finding(small: Path) -> None:
    report = check(small)
    assert report.proved
    assert not report.findings
    assert not report.warnings


@pytest.mark.parametrize(
    ("kind", "old", "new", "rows"),
    [
        ("conflict", "id: some, priority: 40", "id: some, priority: 50", ("some", "many")),
        ("dead", "data.labelled: at least many,", "data.labelled: at least many and below 1000,", ("many",)),
        ("masked", "id: none, priority: 20", "id: none, priority: 60", ("few", "none")),
        (
            "unsound",
            "when: {labels_per_class: at least 2}, recommend: linear-probe",
            "when: {labels_per_class: at least 1}, recommend: linear-probe",
            ("some",),
        ),
        ("unsound", "when: {data.labelled: at least 1}", "when: {data.labelled: 0}", ("few",)),
    ],
)
def test_a_faulty_row_is_caught(edit: Edit, kind: str, old: str, new: str, rows: tuple[str, ...]) -> None:
    folder = edit("decision.yaml", old, new)
    found = next(finding for finding in check(folder).findings if finding.kind == kind and finding.rows[0] == rows[0])
    assert found.rows[: len(rows)] == rows
    assert all(row in found.sentence for row in rows)
    assert found.places[0].startswith(line_of(folder, "decision.yaml", f"id: {rows[0]},"))
    assert found.replayed is (kind != "dead")
    assert len(found.witnesses) == (kind != "dead")


def test_a_gap_is_caught_and_its_witness_is_undecided(edit: Edit, tmp_path: Path) -> None:
    folder = edit("decision.yaml", NONE, row("none", 20, "data.labelled: 0", "zero-shot"))
    edit("decision.yaml", FEW, row("few", 30, "data.labelled: at least 5", "few-shot"))
    report = check(folder)
    found = only(report, "gap")
    assert found.replayed
    assert 1 <= int(str(found.witnesses[0]["data.labelled"])) <= 4
    (name, profile), *others = report.profiles().items()
    assert not others
    profile.save(tmp_path / f"{name}.yaml")
    with pytest.raises(Undecided):
        decide(load_profile(tmp_path / f"{name}.yaml"), read_rulebase(folder), MACHINE)


def test_a_gap_that_only_scarce_resources_open_is_caught(edit: Edit) -> None:
    folder = edit("decision.yaml", NONE, row("none", 20, "data.labelled: 0", "zero-shot"))
    edit("decision.yaml", FEW, row("few", 30, "data.labelled: at least 1, labels_per_class: below 2", "few-shot"))
    found = only(check(folder), "gap")
    assert "where resources rule out the rest" in found.sentence
    assert set(found.rows) == {"zero-shot", "few-shot"}
    assert found.replayed
    assert "serving.latency_ms_p95" in found.witnesses[0]


def test_what_a_row_does_not_carry_is_named_by_requirement(edit: Edit) -> None:
    task = "  - {id: text, needs: {task.type: text-classification}, because: no text}\n"
    found = only(check(edit("requires.yaml", "few-shot:\n", f"few-shot:\n{task}")), "unsound")
    assert "no text" in found.sentence
    assert found.witnesses[0]["task.type"] != "text-classification"


def test_what_no_row_can_test_is_not_held_against_rows(edit: Edit) -> None:
    language = "  - {id: language, needs: {candidate.speaks_language: yes}, because: not its language}\n"
    assert not check(edit("requires.yaml", "few-shot:\n", f"few-shot:\n{language}")).findings


def test_a_private_model_by_api_is_ruled_out(edit: Edit) -> None:
    handled = "  - {id: task, needs: {candidate.handles_task: yes}, because: not its task}\n"
    stays = "{any: [{candidate.leaves: no}, {constraints.data_may_leave: yes, constraints.air_gapped: no}]}"
    private = f"  - {{id: private, needs: {stays}, because: private}}\n"
    folder = edit("requires.yaml", "few-shot:\n", f"few-shot:\n{handled}{private}")
    loose = row("few", 30, "data.labelled: at least 1, model.llm: api, task.type: regression", "few-shot")
    edit("decision.yaml", FEW, loose)
    found = only(check(folder), "unsound")
    assert found.replayed
    facts = project_facts(found.witnesses[0], read_rulebase(folder)).values
    assert facts["model.llm"] == "api"
    assert facts["llm_usable"] is False
    edit("decision.yaml", loose, loose.replace("model.llm: api", "llm_usable: yes"))
    assert not check(folder).findings


def test_a_profile_that_cannot_be_does_not_count(edit: Edit) -> None:
    sizes = "data.classes: at least 5, data.smallest_class: at least 7, data.labelled: below 35"
    folder = edit(
        "decision.yaml", MANY, row("hole", 90, f"task.type: pair-classification, {sizes}", "linear-probe") + MANY
    )
    assert only(check(folder), "dead").rows == ("hole",)
    edit("decision.yaml", "below 35", "at most 35")
    assert not check(folder).findings


def test_more_labels_must_not_lead_to_prompting(edit: Edit) -> None:
    folder = edit("decision.yaml", MANY, row("very-many", 90, "data.labelled: at least 5000", "few-shot") + MANY)
    report = check(folder)
    found = only(report, "monotone")
    assert found.rows[0] == "very-many"
    assert found.rows[1] in {"many", "some"}
    assert found.places[0].startswith(line_of(folder, "decision.yaml", "id: very-many,"))
    assert found.replayed
    before, after = found.witnesses
    assert int(str(before["data.labelled"])) < 5000 <= int(str(after["data.labelled"]))
    assert list(report.profiles()) == ["monotone-very-many-before", "monotone-very-many-after"]


def test_more_memory_must_not_rule_out(edit: Edit) -> None:
    folder = edit("requires.yaml", "{need.train_memory_gb: at most compute.memory_gb}", "{compute.memory_gb: below 64}")
    found = only(check(folder), "monotone")
    assert found.rows == ("memory",)
    assert found.places[0].startswith(line_of(folder, "requires.yaml", "id: memory,"))
    assert found.replayed
    before, after = (float(str(witness.get("compute.memory_gb", 8))) for witness in found.witnesses)
    assert before < 64 <= after


def test_a_tighter_limit_must_not_lead_to_what_may_be_slower(edit: Edit) -> None:
    when = "serving.latency_ms_p95: below 50, labels_per_class: at least 2"
    found = only(check(edit("decision.yaml", MANY, row("quick", 90, when, "linear-probe") + MANY)), "monotone")
    assert found.rows == ("quick", "many")
    assert not found.replayed, "both answer equally fast on the same encoder"
    before, after = (float(str(witness["serving.latency_ms_p95"])) for witness in found.witnesses)
    assert after < 50 <= before


def test_evidence_asks_to_be_reviewed_after_its_date(small: Path) -> None:
    assert not check(small, date(2027, 11, 1)).findings
    found = only(check(small, date(2027, 11, 2)), "expired")
    assert found.rows == ("E1",)
    assert found.places == (f"{small / 'evidence.yaml'}:1:1",)
    assert not found.witnesses


def test_idle_thresholds_and_evidence_are_warned_of(edit: Edit) -> None:
    folder = edit("decision.yaml", "data.labelled: at least many,", "data.labelled: at least 900,")
    assert check(folder).warnings == ("not compared with by any row: many",)
    assert not check(folder).findings


def test_a_dead_objection_is_caught(edit: Edit) -> None:
    never = "{id: never, against: [freezing], when: {classes: below 2}, favours: few-shot, because: b, evidence: [E1]}"
    found = only(check(edit("decision.yaml", "objections: []", f"objections:\n  - {never}")), "dead")
    assert found.rows == ("never",)
