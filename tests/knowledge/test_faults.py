"""A rule base with one fault is refused at the fault's own line and column, with the line, a caret and a suggestion."""

import shutil
from pathlib import Path

import pytest

from advisor.assets import asset
from advisor.errors import RuleBaseError
from advisor.knowledge.rulebase import load_rulebase, read_rulebase

DECISION = """\
rules:
  - id: own
    priority: 96
    when: {data.labelled: at least tune_from_labels, task.kind: common}
    recommend: zero-shot
    strength: strong
    certainty: high
    because: >-
      a row of our own,
      with {data.labelled} labels
    evidence: [E8, E5]
objections:
  - id: own-doubt
    against: [prompting]
    when: {classes: at least many_classes}
    favours: linear-probe
    because: in doubt
    evidence: [E5]
"""
REQUIRES = """\
linear-probe:
  - id: own-limit
    needs: {need.latency_ms: at most serving.latency_ms_p95}
    because: slow
  - id: other-limit
    needs: {data.labelled: at least 30}
    because: few
"""
THRESHOLDS = """\
tune_from_labels:
  value: 150
  range: [100, 300]
  unit: examples
  source: our own records
  measured: 2026-05-01
"""
EVIDENCE = """\
OWN1:
  claim: our probes did well
  conditions: five sets
  design: case study
  certainty: low
  source: our own records
  read: measured here
  review_by: 2027-05-01
"""
ASSUMPTIONS = """\
task.kind: {value: common, because: ours mostly are}
"""
FILES = {
    "decision.yaml": DECISION,
    "requires.yaml": REQUIRES,
    "thresholds.yaml": THRESHOLDS,
    "evidence.yaml": EVIDENCE,
    "assumptions.yaml": ASSUMPTIONS,
}
FAULTS = {
    # name: (file, what stands there, what the fault is, where the caret points, message)
    "typo in a fact": (
        "decision.yaml", "{data.labelled:", "{data.labeled:", "data.labeled:",
        "there is no fact 'data.labeled'; did you mean 'data.labelled'?",
    ),
    "typo in a word": (
        "decision.yaml", "task.kind: common", "task.kind: comon", "comon",
        "task.kind is never 'comon'; did you mean 'common'?",
    ),
    "typo in a threshold": (
        "decision.yaml", "at least tune_from_labels", "at least tune_form_labels", "at least tune_form_labels",
        "no number, threshold or fact 'tune_form_labels'; did you mean 'tune_from_labels'?",
    ),
    "no such finding": ("decision.yaml", "[E8, E5]", "[E8, E99]", "E99", "no evidence 'E99'"),
    "duplicate key": (
        "decision.yaml", "    strength: strong\n", "    strength: strong\n    strength: conditional\n",
        "strength: conditional", "duplicate key 'strength'",
    ),
    "duplicate name": ("thresholds.yaml", "  unit:", "  value: 3\n  unit:", "value: 3", "duplicate key 'value'"),
    "duplicate row": (
        "decision.yaml", "objections:", "  - id: own\n    priority: 2\nobjections:", "own\n    priority: 2",
        "a second row 'own'",
    ),
    "duplicate requirement": (
        "requires.yaml", "id: other-limit", "id: own-limit", "own-limit\n    needs: {data", "a second row 'own-limit'",
    ),
    "wrong unit": (
        "decision.yaml", "{classes: at least many_classes}", "{labels_per_class: at least many_classes}",
        "at least many_classes", "labels_per_class is in labels per class, many_classes in classes",
    ),
    "unit of another input": (
        "requires.yaml", "at most serving.latency_ms_p95", "at most compute.hours", "at most compute.hours",
        "need.latency_ms is in ms, compute.hours in hours",
    ),
    "value outside its range": (
        "thresholds.yaml", "value: 150", "value: 10", "10\n", "the value lies outside its range, 100 to 300",
    ),
    "range the wrong way round": ("thresholds.yaml", "[100, 300]", "[300, 100]", "[300", "from low to high"),
    "number where a word belongs": (
        "decision.yaml", "task.kind: common", "task.kind: 3", "3}", "task.kind is a word, not a number",
    ),
    "word where a number belongs": (
        "thresholds.yaml", "value: 150", "value: many", "many", "value: 'many' is not a number",
    ),
    "truth where a number belongs": (
        "decision.yaml", "priority: 96", "priority: true", "true", "priority: 'True' is not a whole number",
    ),
    "word where a yes or no belongs": (
        "decision.yaml", "task.kind: common", "llm_usable: perhaps", "perhaps", "llm_usable is yes or no",
    ),
    "unknown key in a row": (
        "decision.yaml", "strength: strong", "strenght: strong", "strenght",
        "unknown key 'strenght'; did you mean 'strength'?",
    ),
    "missing key in a row": ("decision.yaml", "    strength: strong\n", "", "id: own\n", "strength is missing"),
    "unknown list": ("decision.yaml", "objections:", "objectons:", "objectons", "did you mean 'objections'?"),
    "bad day": (
        "thresholds.yaml", "2026-05-01", "2026-13-01", "2026-13-01", "'2026-13-01' is not a date such as 2026-11-23",
    ),
    "day as a number": ("evidence.yaml", "2027-05-01", "0", "0", "'0' is not a date such as"),
    "priority too high": ("decision.yaml", "priority: 96", "priority: 101", "101", "priority: '101' is above 100"),
    "priority below none": ("decision.yaml", "priority: 96", "priority: -1", "-1", "priority: '-1' is below 0"),
    "unknown strategy": (
        "decision.yaml", "recommend: zero-shot", "recommend: zero-shoot", "zero-shoot",
        "no strategy 'zero-shoot'; did you mean 'zero-shot'?",
    ),
    "unknown strategy favoured": (
        "decision.yaml", "favours: linear-probe", "favours: linear-prob", "linear-prob",
        "no strategy 'linear-prob'; did you mean 'linear-probe'?",
    ),
    "requirement of an unknown strategy": (
        "requires.yaml", "linear-probe:", "linear-prob:", "linear-prob",
        "unknown key 'linear-prob'; did you mean 'linear-probe'?",
    ),
    "unknown family": (
        "decision.yaml", "[prompting]", "[promting]", "promting", "'promting' is not one of prompting, freezing",
    ),
    "placeholder of no fact": (
        "decision.yaml", "{data.labelled} labels", "{data.labels} labels", "data.labels} labels",
        "there is no fact 'data.labels'; did you mean 'data.labelled'?",
    ),
    "certainty of no level": (
        "evidence.yaml", "certainty: low", "certainty: certain", "certain\n", "'certain' is not one of high, moderate",
    ),
    "assumed word that is none": (
        "assumptions.yaml", "value: common", "value: comon", "comon,", "task.kind is never 'comon'; did you mean",
    ),
    "a number assumed": ("assumptions.yaml", "value: common", "value: 3", "3,", "task.kind is a word, not '3'"),
    "assumed word for a yes or no": (
        "assumptions.yaml", "task.kind: {value: common", "task.world_knowledge: {value: no", "no,",
        "task.world_knowledge is true or false, not 'no'",
    ),
    "assumption for no input": (
        "assumptions.yaml", "task.kind:", "task.knid:", "task.knid", "no input 'task.knid'; did you mean 'task.kind'?",
    ),
    "removal of what is not there": (
        "decision.yaml", "objections:", "  - {id: api-onyl, remove: yes}\nobjections:", "{id: api-onyl",
        "there is no 'api-onyl' to remove; did you mean 'api-only'?",
    ),
    "removal of half a row": (
        "decision.yaml", "    priority: 96\n", "    remove: yes\n    priority: 96\n", "priority: 96",
        "what is to be removed has no 'priority'",
    ),
    "removal that is none": (
        "decision.yaml", "objections:", "  - {id: api-only, remove: no}\nobjections:", "no}", "remove is yes, or left",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_layer_is_pointed_at(name: str, tmp_path: Path) -> None:
    file, old, new, mark, message = FAULTS[name]
    for other, text in FILES.items():
        (tmp_path / other).write_text(text, encoding="utf-8")
    load_rulebase(tmp_path)
    assert FILES[file].count(old) == 1 or old in {"strength: strong", "    strength: strong\n"}
    text = FILES[file].replace(old, new, 1)
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(RuleBaseError) as caught:
        load_rulebase(tmp_path)
    error = caught.value
    assert message in str(error)
    assert error.exit_code == 5
    before = text[: text.rindex(mark)]
    assert (error.path, error.line) == (str(tmp_path / file), before.count("\n") + 1)
    assert error.column == len(before) - before.rfind("\n")
    place, line, caret = str(error).splitlines()
    assert place.startswith(f"{tmp_path / file}:{error.line}:{error.column}: ")
    assert line == f"    {text.splitlines()[error.line - 1]}"
    assert caret.index("^") == 4 + error.column - 1


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("decision.yaml", "version:", "versoin:", "unknown key 'versoin'; did you mean 'version'?"),
        ("decision.yaml", "recommend: zero-shot", "recommend: zero-shoot", "did you mean 'zero-shot'?"),
        ("thresholds.yaml", "unit: labels per class", "unit: classes", "labels per class"),
        ("thresholds.yaml", "range: [", "range: [1e9, ", "range"),
        ("evidence.yaml", "  read: ", "  read: un", "is not one of"),
        ("requires.yaml", "needs: {", "need: {", "unknown key 'need'; did you mean 'needs'?"),
    ],
)
def test_a_fault_in_the_lowest_layer_is_pointed_at(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    folder = Path(shutil.copytree(asset("rules"), tmp_path / "rules"))
    text = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuleBaseError, match=r"\^$") as caught:
        read_rulebase(folder)
    assert message in str(caught.value)
