import shutil
from pathlib import Path

import pytest

from advisor.assets import asset
from advisor.errors import AdvisorError, InputError, RuleBaseError
from advisor.knowledge.rulebase import load_rulebase

SHIPPED = load_rulebase()
ROW = """\
  - id: {id}
    priority: {priority}
    when: {{data.labelled: at least tune_from_labels}}
    recommend: linear-probe
    strength: conditional
    certainty: low
    because: ours
    evidence: [E5]
"""


def layer(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_row_with_a_shipped_id_takes_its_place(tmp_path: Path) -> None:
    old = next(rule for rule in SHIPPED.rules if rule.recommend != "linear-probe")
    row = ROW.format(id=old.id, priority=old.priority)
    base = load_rulebase(layer(tmp_path, decision=f"rules:\n{row}"))
    assert [rule.id for rule in base.rules] == [rule.id for rule in SHIPPED.rules]
    assert next(rule for rule in base.rules if rule.id == old.id).because == "ours"
    assert base.objections == SHIPPED.objections


def test_a_new_row_is_added_and_another_taken_out(tmp_path: Path) -> None:
    gone = SHIPPED.rules[-1].id
    text = f"rules:\n{ROW.format(id='ours', priority=100)}  - {{id: {gone}, remove: yes}}\n"
    base = load_rulebase(layer(tmp_path, decision=text))
    assert base.rules[0].id == "ours"
    assert {rule.id for rule in base.rules} == {rule.id for rule in SHIPPED.rules} - {gone} | {"ours"}


def test_requirements_go_by_strategy_and_row(tmp_path: Path) -> None:
    shipped = SHIPPED.requirements["linear-probe"]
    assert "labels" in {row.id for row in shipped}
    text = (
        "linear-probe:\n"
        "  - {id: labels, needs: {labels_per_class: at least 5}, because: ours}\n"
        "every-strategy:\n  - {id: hours, needs: {compute.hours: at least 1}, because: no time}\n"
    )
    requirements = load_rulebase(layer(tmp_path, requires=text)).requirements
    found = {row.id: row.because for row in requirements["linear-probe"]}
    assert set(found) == {row.id for row in shipped} | {"hours"}
    assert found["labels"] == "ours"
    assert "hours" in {row.id for row in requirements["zero-shot"]}
    assert set(requirements) == set(SHIPPED.requirements)


def test_named_entries_go_by_their_names(tmp_path: Path) -> None:
    threshold = "value: 7, range: [5, 9], unit: examples, source: ours, measured: 2026-01-01"
    base = load_rulebase(
        layer(
            tmp_path,
            thresholds=f"tune_from_labels: {{{threshold}}}\n",
            assumptions="compute.hours: {value: 1, because: ours}\nmodel.llm: {remove: yes}\n",
        )
    )
    assert base.limits == SHIPPED.limits | {"tune_from_labels": 7}
    assert base.assumptions["compute.hours"].value == 1
    assert "model.llm" in SHIPPED.assumptions
    assert "model.llm" not in base.assumptions


def test_what_a_row_still_names_cannot_be_removed(tmp_path: Path) -> None:
    with pytest.raises(RuleBaseError, match=r"decision.yaml:.*'tune_from_labels'"):
        load_rulebase(layer(tmp_path, thresholds="tune_from_labels: {remove: yes}\n"))


def test_version_and_digest_tell_the_layers(tmp_path: Path) -> None:
    folder = layer(tmp_path, assumptions="compute.hours: {value: 1, because: ours}\n")
    base = load_rulebase(folder)
    assert base.version == f"{SHIPPED.version} + {folder.as_posix()}"
    layer(folder, decision="version: 7\n")
    again = load_rulebase(folder)
    assert again.version == f"{base.version} 7"
    assert len({SHIPPED.digest, base.digest, again.digest}) == 3
    assert load_rulebase(folder).digest == again.digest


def test_a_whole_base_stands_alone(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(asset("rules"), folder)
    assert [rule.id for rule in load_rulebase(folder).rules] == [rule.id for rule in SHIPPED.rules]
    path = folder / "decision.yaml"
    text = path.read_text(encoding="utf-8")
    head, row, rest = text.partition("  - id: default-instructions\n")
    path.write_text(head + rest[rest.index("\n# Evidence against") :], encoding="utf-8")
    assert row
    assert {rule.id for rule in SHIPPED.rules} - {rule.id for rule in load_rulebase(folder).rules} == {
        "default-instructions"
    }
    (folder / "models.yaml").write_text("default: other\n", encoding="utf-8")
    with pytest.raises(RuleBaseError, match=r"models.yaml.*no file of this name"):
        load_rulebase(folder)


@pytest.mark.parametrize(
    ("files", "kind", "message"),
    [
        (None, InputError, "no such folder"),
        ({}, RuleBaseError, "holds no rule file; known: thresholds.yaml"),
        ({"decisions": "rules: []\n"}, RuleBaseError, "no file of this name"),
        ({"decision": "rules: []\n", "devices": "a: 1\n"}, RuleBaseError, "no file of this name"),
        ({"decision": "[1]\n"}, RuleBaseError, "expected names"),
        ({"decision": ""}, RuleBaseError, "expected names"),
        ({"decision": "rules: 3\n"}, RuleBaseError, "'rules' holds a list of rows"),
        ({"decision": "rules: [3]\n"}, RuleBaseError, "a row is keys and values"),
        ({"requires": "linear-probe: [{needs: {}}]\n"}, RuleBaseError, "one of them an id"),
    ],
)
def test_what_is_no_layer_is_one_clear_error(
    tmp_path: Path, files: dict[str, str] | None, kind: type[AdvisorError], message: str
) -> None:
    folder = tmp_path / "none" if files is None else layer(tmp_path, **files)
    with pytest.raises(kind) as caught:
        load_rulebase(folder)
    assert type(caught.value) is kind
    assert message in str(caught.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    layer(tmp_path, decision="rules: []\n")
    with pytest.raises(InputError, match="not a folder"):
        load_rulebase(tmp_path / "decision.yaml")
