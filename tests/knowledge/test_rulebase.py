import shutil
from pathlib import Path

import pytest

from advisor.assets import asset
from advisor.errors import RuleBaseError
from advisor.knowledge.catalogue import describe_model, embedded_folder, load_catalogue
from advisor.knowledge.hyperparameters import load_evaluation, load_hyperparameters
from advisor.knowledge.rulebase import load_rulebase
from advisor.strategies import STRATEGIES


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(asset("rules"), tmp_path / "rules"))


def test_the_shipped_base_is_whole() -> None:
    base = load_rulebase()
    assert len(base.rules) >= 15
    assert set(base.requirements) == set(STRATEGIES)
    assert {rule.recommend for rule in base.rules} == set(STRATEGIES)
    assert all(rule.evidence for rule in base.rules)


def test_every_threshold_is_used() -> None:
    base = load_rulebase()
    rows = [*base.rules, *base.objections, *base.modifiers, *base.models, *(row for rows in base.requirements.values() for row in rows)]
    used = {test.reference for row in rows for test in row.condition.tests()}
    assert set(base.thresholds) <= used


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "decision.yaml",
            "recommend: zero-shot",
            "recommend: zero-shoot",
            "there is no 'zero-shoot'; did you mean 'zero-shot'?",
        ),
        ("decision.yaml", "evidence: [E29]", "evidence: [E99]", "no evidence 'E99'"),
        (
            "decision.yaml",
            "id: api-only-without-labels",
            "id: labels-change-fast",
            "a second row 'labels-change-fast'",
        ),
        ("decision.yaml", "priority: 99", "priority: 990", "priority: '990' is above 100"),
        (
            "decision.yaml",
            "strength: strong",
            "strenght: strong",
            "unknown key 'strenght'; did you mean 'strength'?",
        ),
        (
            "decision.yaml",
            "lifecycle.facts_change: weekly or daily,",
            "lifecycle.facts_change: weakly,",
            "did you mean 'weekly'?",
        ),
        (
            "decision.yaml",
            "labels change {lifecycle.labels_change}",
            "labels change {lifecycle.label_change}",
            "there is no fact 'lifecycle.label_change'",
        ),
        ("thresholds.yaml", "value: 100", "value: 10", "the value lies outside its range"),
        ("thresholds.yaml", "range: [50, 300]", "range: [300, 50]", "from low to high"),
        ("thresholds.yaml", "tune_from_labels:", "safe_from_labels:", "duplicate key 'safe_from_labels'"),
        ("evidence.yaml", "certainty: high", "certainty: certain", "is not one of"),
        ("assumptions.yaml", "task.kind:", "task.knid:", "there is no input 'task.knid'"),
        (
            "requires.yaml",
            "need.latency_ms: at most serving.latency_ms_p95",
            "need.latency_ms: at most compute.hours",
            "need.latency_ms is in ms",
        ),
    ],
)
def test_a_broken_base_is_pointed_at(rules: Path, file: str, old: str, new: str, message: str) -> None:
    path = rules / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuleBaseError) as caught:
        load_rulebase(rules)
    assert message in str(caught.value)
    assert f"{file}:" in str(caught.value)
    assert caught.value.exit_code == 5


def test_hyperparameters_fill_every_strategy() -> None:
    from advisor.estimates.forecast import default_settings

    for strategy in STRATEGIES:
        default_settings(strategy)
    for settings in load_hyperparameters().values():
        for name, setting in settings.items():
            assert setting.source, name
    assert load_evaluation()["folds"] >= 2


def test_catalogue_entries_are_in_range() -> None:
    for name, facts in load_catalogue().models.items():
        assert 1e6 < facts.parameters < 1e12, name
        assert 0 < facts.embedding_parameters < facts.parameters, name
        assert facts.hidden % facts.heads == 0, name


def test_the_embedded_model_is_what_the_catalogue_says() -> None:
    facts = load_catalogue().models[load_catalogue().default_model]
    folder = embedded_folder(facts)
    assert folder is not None
    described = describe_model(str(folder))
    assert described is not None
    assert described.parameters == facts.parameters
    assert (described.layers, described.hidden, described.heads) == (facts.layers, facts.hidden, facts.heads)
