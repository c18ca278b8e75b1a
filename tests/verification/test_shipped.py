"""Faults laid over the shipped base: each is caught, at its place in the user's file, and nothing else is blamed."""

from datetime import timedelta
from pathlib import Path

import pytest

from advisor.knowledge.rulebase import RuleBase, load_rulebase
from advisor.verification import Finding, verify
from advisor.verification.upkeep import upkeep
from tests.verification.small import EVIDENCE, TODAY, row

WEIGHTS = "constraints.model_access: weights, mean_per_class: at least fewest_per_class"


def layered(folder: Path, rows: str) -> RuleBase:
    (folder / "decision.yaml").write_text("rules:\n" + rows.replace("[E1]", "[E5]"), encoding="utf-8")
    return load_rulebase(folder)


def findings(base: RuleBase) -> list[Finding]:
    return [found for found in verify(base, TODAY).findings if found.kind != "expired"]


def test_the_shipped_base_is_proven() -> None:
    report = verify(load_rulebase(), TODAY)
    assert report.proved
    assert not report.findings


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("conflict", row("ours", 50, f"data.labelled: at least 20000, {WEIGHTS}", "linear-probe")),
        ("unsound", row("ours", 100, "task.type: regression, data.labelled: 0", "few-shot")),
        ("unsound", row("ours", 100, f"task.type: question-answering, {WEIGHTS}", "linear-probe")),
        (
            "monotone",
            row(
                "ours",
                100,
                "task.type: text-classification, data.labelled: at least 20000, promptable: yes",
                "few-shot",
            ),
        ),
        ("masked", row("ours", 9, "", "zero-shot")),
        ("dead", row("ours", 100, "data.labelled: at least plenty_labels and below 10", "linear-probe")),
    ],
)
def test_a_faulty_row_is_caught(kind: str, fault: str, tmp_path: Path) -> None:
    (found,) = findings(layered(tmp_path, fault))
    assert (found.kind, found.rows[0]) == (kind, "ours")
    assert found.places[0] == f"{tmp_path / 'decision.yaml'}:2:5"
    # Which profile z3 finds first, and so whether today's forecasts bear it out, differs where limits are involved.
    assert kind == "monotone" or found.replayed is (kind != "dead")


def test_defaults_taken_out_leave_a_gap(tmp_path: Path) -> None:
    removed = "".join(f"  - {{id: {name}, remove: yes}}\n" for name in ("default-prompt", "default-instructions"))
    base = layered(tmp_path, removed)
    found = findings(base)
    assert {one.kind for one in found} == {"gap"}
    (shown,) = (one for one in found if one.replayed)
    assert set(shown.rows) == {"zero-shot", "few-shot"}
    assert shown.places == (base.rules[-1].place,)


def test_evidence_of_the_users_own_expires_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "evidence.yaml").write_text(EVIDENCE.replace("E1:", "OURS:"), encoding="utf-8")
    base = load_rulebase(tmp_path)
    due = base.evidence["OURS"].review_by
    late = [found for found in upkeep(base, due + timedelta(days=1)) if found.rows == ("OURS",)]
    assert [(found.kind, found.places) for found in late] == [("expired", (f"{tmp_path / 'evidence.yaml'}:1:1",))]
    assert not [found for found in upkeep(base, due) if found.rows == ("OURS",)]
