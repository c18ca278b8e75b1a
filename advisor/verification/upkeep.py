"""Upkeep of a rule base: what needs no proof - evidence due for review, thresholds out of range, idle entries."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from typing import Any

from advisor.knowledge.rulebase import RuleBase
from advisor.verification.report import Finding


def upkeep(base: RuleBase, today: date) -> Iterator[Finding]:
    """Yield evidence whose review is due and thresholds outside their range."""
    for name, found in base.evidence.items():
        if found.review_by < today:
            sentence = f"{name} asks to be reviewed: it was to be looked at again by {found.review_by}"
            yield Finding("expired", sentence, (name,), (found.place,))
    for name, threshold in base.thresholds.items():
        low, high = threshold.range
        if not low <= threshold.value <= high:
            sentence = f"{name} is {threshold.value:g}, outside its range {low:g} to {high:g}"
            yield Finding("threshold", sentence, (name,), (threshold.place,))


def unused(base: RuleBase) -> Iterator[str]:
    """Yield a sentence for thresholds that no row compares with, and one for evidence that no row cites."""
    rows = every_row(base)
    compared = {test.reference for row in rows for test in row.condition.tests()}
    cited = {name for row in rows for name in getattr(row, "evidence", ())}
    if idle := sorted(set(base.thresholds) - compared):
        yield f"not compared with by any row: {', '.join(idle)}"
    if idle := sorted(set(base.evidence) - cited):
        yield f"not cited by any row: {', '.join(idle)}"


def table_rows(base: RuleBase) -> list[Any]:
    """Return every row with a condition on the project: the decision table, objections and whatever lists join them."""
    tables = (getattr(base, field.name) for field in fields(base))
    return [row for table in tables if isinstance(table, tuple) for row in table if hasattr(row, "condition")]


def every_row(base: RuleBase) -> list[Any]:
    """Return every row with a condition, requirements included."""
    return [*table_rows(base), *(row for rows in base.requirements.values() for row in rows)]
