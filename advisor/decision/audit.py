"""The audit of a decision: its inputs, the rows that fired test by test, and what they were read from."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from advisor.decision.base_model import BaseModelAdvice, Considered
from advisor.decision.candidates import Candidate, Veto
from advisor.decision.decide import Decision
from advisor.knowledge.conditions import Outcome
from advisor.knowledge.rows import Modifier, Objection, Requirement, Rule
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import Value
from advisor.profile import INPUTS, Profile

_DIGITS = 16


def audit(decision: Decision, added: Iterable[Modifier], models: BaseModelAdvice) -> dict[str, Any]:
    """Return, as plain data, what it takes to check a decision and to replay it.

    ``deciding``, ``passed_over``, ``objections`` and ``modifiers`` are rows, ``vetoes`` failed requirements by
    candidate, each with its tests and the thresholds they name; ``findings`` are the cited ones, those on the base
    model included; ``fingerprints`` tell later which entries of the rule base have changed.
    """
    base, values = decision.base, decision.facts.values
    citing: tuple[Rule | Objection | Modifier | Considered, ...] = (
        decision.rule, *decision.objections, *added, models.chosen, *models.others,
    )  # fmt: skip
    cited = {name for row in citing for name in row.evidence}
    return {
        "python": platform.python_version(),
        "machine": asdict(decision.machine),
        "deciding": _fired(decision.rule, values, base),
        "passed_over": [_fired(rule, values, base) for rule in decision.passed_over],
        "objections": [_fired(objection, values, base) for objection in decision.objections],
        "modifiers": [_fired(row, values, base) for row in added],
        "vetoes": [_veto(candidate, veto, base) for candidate in decision.ruled_out for veto in candidate.vetoes],
        "findings": {name: base.evidence[name].model_dump(mode="json") for name in sorted(cited)},
        "fingerprints": fingerprints(base),
    }


def audited_inputs(profile: Profile) -> list[dict[str, Any]]:
    """Return every answer with its question and where it came from."""
    return [
        {
            "input": name,
            "question": INPUTS[name].question,
            "value": value if isinstance(value, bool | int | float | str) else list(value),
            "source": profile.source(name),
        }
        for name, value in profile.answered()
    ]


def fingerprints(base: RuleBase) -> dict[str, str]:
    """Return one word for every entry that can turn a verdict: a value where it is one, else the start of a SHA-256."""
    rows = {f"row {rule.id}": rule for rule in base.rules} | {f"objection {row.id}": row for row in base.objections}
    needs = {
        f"requirement {strategy}/{row.id}": row
        for strategy, requirements in base.requirements.items()
        for row in requirements
    }
    return {
        **{name: _fingerprint(row) for name, row in (rows | needs).items()},
        **{f"threshold {name}": f"{value:g}" for name, value in base.limits.items()},
        **{f"assumption {name}": str(assumption.value) for name, assumption in base.assumptions.items()},
    }


def _fingerprint(row: Rule | Objection | Requirement) -> str:
    text = json.dumps(row.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _fired(row: Rule | Objection | Modifier, values: dict[str, Value], base: RuleBase) -> dict[str, Any]:
    speaks_for = {"adds": row.adds} if isinstance(row, Modifier) else {"strategy": _strategy(row)}
    return {
        "row": row.id,
        **speaks_for,
        "because": row.reason(values),
        "thresholds": _thresholds(row, base),
        "tests": [_test(outcome) for outcome in row.condition.trace(values, base.limits)],
    }


def _strategy(row: Rule | Objection) -> str:
    return row.recommend if isinstance(row, Rule) else row.favours


def _veto(candidate: Candidate, veto: Veto, base: RuleBase) -> dict[str, Any]:
    strategy = candidate.strategy.id
    row = next(row for row in base.requirements[strategy] if row.id == veto.requirement)
    return {
        "strategy": strategy,
        "engine": candidate.engine,
        "model": candidate.model,
        "row": veto.requirement,
        "because": veto.because,
        "thresholds": _thresholds(row, base),
        "tests": [_test(outcome) for outcome in row.condition.trace(candidate.facts, base.limits)],
    }


def _thresholds(row: Rule | Objection | Modifier | Requirement, base: RuleBase) -> list[str]:
    return sorted({str(test.reference) for test in row.condition.tests() if test.reference in base.thresholds})


def _test(outcome: Outcome) -> Mapping[str, Any]:
    return {
        "test": outcome.text,
        "held": outcome.held,
        "fact": outcome.fact,
        "value": outcome.value,
        "limit": outcome.limit,
    }
