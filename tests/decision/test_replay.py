import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from advisor import __version__
from advisor.decision.advice import Advice, recommend
from advisor.decision.replay import Record, read_record, replay
from advisor.documents import read_document
from advisor.errors import AdvisorError, DocumentError, InputError
from advisor.files import write_json
from advisor.knowledge.rulebase import load_rulebase
from advisor.machine import Machine, MachineRates
from advisor.profile import Profile

BASE = load_rulebase()
ANSWERS = {"task.type": "text-classification", "data.labelled": 600, "task.labels": ["a", "b", "c"], "compute.hours": 3}


def advised(machine: Machine, **answers: Any) -> Advice:
    given = ANSWERS | {name.replace("__", "."): value for name, value in answers.items()}
    profile = Profile(name="ours").with_answers(given, "file")
    return recommend(profile.with_answers({"compute.memory_gb": 7.5}, "detected"), base=BASE, machine=machine)


def recorded(path: Path, advice: Advice) -> Record:
    write_json(path / "record.json", advice.as_dict())
    return read_record(path / "record.json")


def layer(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def row_over(advice: Advice, **changed: str) -> str:
    winner = advice.winner.strategy.id
    other = "linear-probe" if winner != "linear-probe" else "zero-shot"
    row = {
        "id": "ours", "priority": "100", "when": "{data.labelled: at least 10}", "recommend": other,
        "strength": "strong", "certainty": "high", "because": "ours", "evidence": "[E5]",
    }  # fmt: skip
    return "rules:\n  - {" + ", ".join(f"{key}: {value}" for key, value in (row | changed).items()) + "}\n"


def test_the_audit_says_what_it_rests_on(machine: Machine) -> None:
    advice = advised(machine, data__smallest_class=90)
    found = json.loads(json.dumps(advice.as_dict()))
    audit = found["audit"]
    assert found["rules"] == {"version": BASE.version, "sha256": BASE.digest}
    assert (found["advisor"], audit["python"]) == (__version__, platform.python_version())
    assert audit["machine"] == json.loads(json.dumps(asdict(machine)))
    assert audit["deciding"]["row"] == advice.decision.rule.id
    assert all(test["held"] is True for test in audit["deciding"]["tests"])
    sources = {row["input"]: row["source"] for row in found["inputs"]}
    assert sources["data.labelled"] == "file"
    assert sources["compute.memory_gb"] == "detected"
    assert found["assumed"].keys() & sources.keys() == set()
    assert set(advice.decision.rule.evidence) <= audit["findings"].keys()


def test_vetoes_and_rows_passed_over_are_on_record(machine: Machine) -> None:
    advice = advised(machine, data__labelled=50_000, compute__hours=0.0001)
    audit = advice.as_dict()["audit"]
    vetoes = {(veto["strategy"], veto["row"]): veto for veto in audit["vetoes"]}
    test = next(t for t in vetoes["full-fine-tuning", "time"]["tests"] if t["fact"] == "need.train_hours")
    assert test["held"] is False
    assert test["value"] > test["limit"] == 0.0001
    assert {row["row"] for row in audit["passed_over"]} == {rule.id for rule in advice.decision.passed_over}


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"data__labelled": 0},
        {"data__labelled": 50_000, "compute__hours": 0.0001},
        {"model__llm": "api", "model__llm_strength": "frontier", "constraints__data_may_leave": True},
        {"task__languages": ["de", "en"], "lifecycle__labels_change": "weekly"},
    ],
)
def test_the_same_rules_give_the_same_verdict(tmp_path: Path, machine: Machine, answers: dict[str, Any]) -> None:
    advice = advised(machine, **answers)
    record = recorded(tmp_path, advice)
    assert read_document(tmp_path / "record.json").data == json.loads((tmp_path / "record.json").read_text("utf-8"))
    found = replay(record, BASE)
    assert found.same
    assert found.changes == []
    assert found.advice is not None
    assert found.advice.as_dict() == advice.as_dict()


def test_another_machine_does_not_matter(tmp_path: Path) -> None:
    rates = (MachineRates(device="gpu", forward_gflops=9000.0),)
    large = Machine(cores=64, memory_bytes=10**12, units="amx", gpu=True, cards=("NVIDIA T4",), rates=rates)
    found = replay(recorded(tmp_path, advised(large)), BASE)
    assert found.same and found.advice
    assert found.advice.decision.machine == large


def test_a_new_row_is_named(tmp_path: Path, machine: Machine) -> None:
    advice = advised(machine)
    base = load_rulebase(layer(tmp_path / "rules", decision=row_over(advice)))
    found = replay(recorded(tmp_path, advice), base)
    assert not found.same
    assert "row ours is new" in found.changes
    assert found.differences["strategy"][0] == advice.winner.strategy.id
    back = replay(recorded(tmp_path, recommend(advice.profile, base=base, machine=machine)), BASE)
    assert "row ours is gone" in back.changes


def test_a_row_that_reads_otherwise_is_named(tmp_path: Path, machine: Machine) -> None:
    advice = advised(machine)
    rule = advice.decision.rule
    grade = "low" if rule.certainty != "low" else "high"
    text = row_over(advice, id=rule.id, priority=str(rule.priority), recommend=rule.recommend, certainty=grade)
    found = replay(recorded(tmp_path, advice), load_rulebase(layer(tmp_path / "rules", decision=text)))
    assert found.differences["certainty"] == (rule.certainty, grade)
    assert f"row {rule.id} reads otherwise" in found.changes


def test_thresholds_requirements_and_assumptions_are_named(tmp_path: Path, machine: Machine) -> None:
    text = row_over(advised(machine), when="{data.labelled: at least tune_from_labels, compute.usd_per_hour: 0}")
    (first := tmp_path / "first").mkdir()
    base = load_rulebase(layer(first / "rules", decision=text))
    advice = recommend(advised(machine).profile, base=base, machine=machine)
    assert advice.decision.rule.id == "ours"
    record = recorded(tmp_path, advice)
    threshold = "value: 5000, range: [1, 9000], unit: examples, source: ours, measured: 2026-01-01"
    for name, files, expected in (
        (
            "threshold",
            {"thresholds": f"tune_from_labels: {{{threshold}}}\n"},
            "threshold tune_from_labels was 100, is 5",
        ),
        (
            "assumed",
            {"assumptions": "compute.usd_per_hour: {value: 2, because: b}\n"},
            "assumption compute.usd_per_hour",
        ),
        (
            "requirement",
            {"requires": "linear-probe: [{id: rich, needs: {data.labelled: at least 700}, because: few}]\n"},
            "requirement linear-probe/rich is new",
        ),
    ):
        found = replay(record, load_rulebase(layer(tmp_path / name, decision=text, **files)))
        assert not found.same, name
        assert any(change.startswith(expected) for change in found.changes), (name, found.changes)
        assert not any(change.startswith("row") for change in found.changes)


def test_no_verdict_any_more_is_a_difference(tmp_path: Path, machine: Machine) -> None:
    requires = "every-strategy: [{id: never, needs: {data.labelled: at least 1000000}, because: never}]\n"
    base = load_rulebase(layer(tmp_path / "rules", requires=requires))
    found = replay(recorded(tmp_path, advised(machine)), base)
    assert not found.same
    assert found.ended is not None
    assert "no strategy is feasible" in found.ended
    assert found.as_dict()["now"]["verdict"] is None


def test_an_altered_record_is_an_error(tmp_path: Path, machine: Machine) -> None:
    advice = advised(machine).as_dict()
    advice["verdict"]["strategy"] = "zero-shot"
    write_json(tmp_path / "record.json", advice)
    with pytest.raises(AdvisorError, match="the rules are those of the record, but the verdict is not: strategy was"):
        replay(read_record(tmp_path / "record.json"), BASE)


def test_what_is_no_record_is_refused(tmp_path: Path, machine: Machine) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_record(tmp_path / "record.json")
    (tmp_path / "record.json").write_text('{"schema": 1, "project": "a"}', encoding="utf-8")
    with pytest.raises(DocumentError, match="is missing"):
        read_record(tmp_path / "record.json")
    advice = advised(machine).as_dict()
    advice["inputs"][0]["input"] = "task.kinds"
    write_json(tmp_path / "record.json", advice)
    with pytest.raises(InputError, match=r"there is no input 'task.kinds'; did you mean 'task.kind'"):
        replay(read_record(tmp_path / "record.json"), BASE)
