import json

from advisor.assets import asset
from advisor.knowledge.catalogue import describe_model, embedded_folder, load_catalogue
from advisor.knowledge.hyperparameters import load_hyperparameters
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import load_rulebase
from advisor.knowledge.schema import decision_schema
from advisor.settings import load_settings
from advisor.strategies import STRATEGIES


def test_the_shipped_base_is_whole() -> None:
    base = load_rulebase()
    assert len(base.rules) >= 15
    assert set(base.requirements) == set(STRATEGIES)
    assert {rule.recommend for rule in base.rules} == set(STRATEGIES)
    assert all(rule.evidence for rule in base.rules)


def test_every_threshold_is_used() -> None:
    base = load_rulebase()
    rows = [
        *base.rules,
        *base.objections,
        *base.modifiers,
        *base.models,
        *(row for rows in base.requirements.values() for row in rows),
    ]
    used = {test.reference for row in rows for test in row.condition.tests()}
    assert set(base.thresholds) <= used


def test_the_schema_for_editors_is_current() -> None:
    shipped = json.loads(asset("rules", "decision.schema.json").read_text(encoding="utf-8"))
    assert shipped == decision_schema(), "run: python -m advisor.knowledge > rules/decision.schema.json"
    assert set(shipped["$defs"]["Rule"]["properties"]) == set(Rule.model_fields)


def test_hyperparameters_fill_every_strategy() -> None:
    from advisor.estimates.forecast import default_settings

    for strategy in STRATEGIES:
        default_settings(strategy)
    for settings in load_hyperparameters().values():
        for name, setting in settings.items():
            assert setting.source, name
    assert load_settings("evaluation.yaml")["folds"] >= 2


def test_the_embedded_model_is_what_the_catalogue_says() -> None:
    facts = load_catalogue().models[load_catalogue().default_model]
    folder = embedded_folder(facts)
    assert folder is not None
    described = describe_model(str(folder))
    assert described is not None
    assert described.parameters == facts.parameters
    assert (described.layers, described.hidden, described.heads) == (facts.layers, facts.hidden, facts.heads)
