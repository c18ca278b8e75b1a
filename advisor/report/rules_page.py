"""The page on the rules, ``docs/rules.md``: how to read, write and layer them, and every entry there is.

``python -m advisor.report.rules_page > docs/rules.md`` writes it anew.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import yaml
from pydantic import BaseModel

from advisor.cases import Expectation
from advisor.knowledge.conditions import Condition, Group, Test
from advisor.knowledge.layers import FILES
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase, load_rulebase
from advisor.knowledge.vocabulary import FACTS, in_words
from advisor.report.documents import fill_markdown
from advisor.report.escaping import Markdown, code_block, code_span, escape_markdown

_CONDITIONS = ("when", "needs")
_MOST_COLUMNS = 6
_TESTS_SHOWN = 3
_JOINED = ", "


@dataclass(frozen=True)
class Table:
    """A titled table; cells are Markdown already."""

    title: str
    introduction: str
    head: list[str]
    rows: list[list[Markdown]]


def rules_page(base: RuleBase) -> str:
    """Return the page as Markdown."""
    row = specimen(base)
    return fill_markdown(
        "rules.md.j2",
        files=FILES,
        example=code_block(_as_yaml(row), "yaml"),
        parts=[(name, _meaning(Rule, name)) for name in row.model_dump(exclude_none=True)],
        words=in_words_of(row.condition, base),
        version=base.version,
        replaced=row,
        removed=next(other for other in base.rules if other is not row),
        facts=[
            (fact.name, fact.kind, _JOINED.join(fact.choices) or fact.unit, fact.describes, fact.about)
            for fact in FACTS.values()
        ],
        expectations=[(name, _meaning(Expectation, name)) for name in Expectation.model_fields],
        tables=list(_tables(base)),
    )


def specimen(base: RuleBase) -> Rule:
    """Return the row that shows most in one: thresholds, facts in its reason, a note, some tests."""
    return max(
        base.rules,
        key=lambda rule: (
            any(test.reference in base.thresholds for test in rule.condition.tests()),
            "{" in rule.because,
            rule.note is not None,
            2 <= len(rule.when) <= _TESTS_SHOWN,
        ),
    )


def in_words_of(condition: Condition, base: RuleBase) -> str:
    """Return a condition as a sentence's part, thresholds with their values."""
    if isinstance(condition, Test):
        return _test_in_words(condition, base)
    if not condition.members:
        return "always"
    alike = _alike(condition)
    if alike:
        values = [in_words(test.fact, test.value) for test in alike]
        return f"{alike[0].fact} is {' or '.join(values)}"
    parts = [_within(member, base) for member in condition.members]
    return (" or " if condition.kind == "any" else " and ").join(parts)


def _within(member: Condition, base: RuleBase) -> str:
    words = in_words_of(member, base)
    return f"({words})" if isinstance(member, Group) and not _alike(member) else words


def _alike(group: Group) -> list[Test]:
    """Return the tests of a choice among words of one fact, else nothing."""
    tests = [member for member in group.members if isinstance(member, Test) and member.relation == "is"]
    one = len({test.fact for test in tests}) == 1 and len(tests) == len(group.members)
    return tests if group.kind == "any" and one else []


def _test_in_words(test: Test, base: RuleBase) -> str:
    relation = "is" if test.relation == "is" else f"is {test.relation}"
    if test.reference is None:
        return f"{test.fact} {relation} {in_words(test.fact, test.value)}"
    if test.reference not in base.limits:
        return f"{test.fact} {relation} {test.reference}"
    return f"{test.fact} {relation} {test.reference} ({base.limits[test.reference]:,.10g})"


def _tables(base: RuleBase) -> Iterator[Table]:
    """Yield a table for every list and every set of names that the base holds."""
    for field in fields(base):
        found = getattr(base, field.name)
        title = field.name.replace("_", " ").capitalize()
        if isinstance(found, tuple) and found:
            yield _row_table(title, found, base)
        elif isinstance(found, dict) and isinstance(next(iter(found.values()), None), BaseModel):
            yield _name_table(title, found)
        elif isinstance(found, dict) and found:
            yield from _row_tables(title, found, base)


def _row_tables(title: str, by_strategy: Mapping[str, Sequence[BaseModel]], base: RuleBase) -> Iterator[Table]:
    shared = [row for row in next(iter(by_strategy.values())) if all(row in rows for rows in by_strategy.values())]
    yield _row_table(f"{title}: every strategy", shared, base)
    for strategy, rows in by_strategy.items():
        own = [row for row in rows if row not in shared]
        if own:
            yield _row_table(f"{title}: {strategy}", own, base)


def _row_table(title: str, rows: Iterable[BaseModel], base: RuleBase) -> Table:
    rows = list(rows)
    return Table(title, _first_line(type(rows[0])), ["row", "when", "says"], [_row_cells(row, base) for row in rows])


def _row_cells(row: BaseModel, base: RuleBase) -> list[Markdown]:
    condition = getattr(row, "condition", None)
    words = in_words_of(condition, base) if condition is not None else ""
    dumped = row.model_dump(mode="json", exclude_none=True)
    says = [
        f"**{escape_markdown(name)}** {escape_markdown(_shown(value))}"
        for name, value in dumped.items()
        if name not in (*_CONDITIONS, "id")
    ]
    return [code_span(dumped.get("id", "")), Markdown(escape_markdown(words)), Markdown("<br>".join(says))]


def _name_table(title: str, named: Mapping[str, BaseModel]) -> Table:
    model = type(next(iter(named.values())))
    columns = list(model.model_fields)
    dumped = {name: entry.model_dump(mode="json", exclude_none=True) for name, entry in named.items()}
    if len(columns) < _MOST_COLUMNS:
        rows = [
            [code_span(name), *(Markdown(escape_markdown(_shown(entry.get(column, "")))) for column in columns)]
            for name, entry in dumped.items()
        ]
        return Table(title, _first_line(model), ["name", *columns], rows)
    rows = [
        [
            code_span(name),
            Markdown("<br>".join(f"**{escape_markdown(k)}** {escape_markdown(_shown(v))}" for k, v in entry.items())),
        ]
        for name, entry in dumped.items()
    ]
    return Table(title, _first_line(model), ["name", "entry"], rows)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        if value and all(isinstance(part, float) for part in value):
            return " to ".join(_shown(part) for part in value)
        return _JOINED.join(_shown(part) for part in value)
    if isinstance(value, dict):
        return _JOINED.join(f"{name} {_shown(part)}" for name, part in value.items())
    return f"{value:,.10g}" if isinstance(value, int | float) else str(value)


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _meaning(model: type[BaseModel], name: str) -> str:
    return model.model_fields[name].description or ""


def _as_yaml(row: Rule) -> str:
    dumped = row.model_dump(mode="json", exclude_none=True)
    ordered = {"id": dumped.pop("id"), "when": dumped.pop("when"), "because": dumped.pop("because")}
    return yaml.safe_dump([{**ordered, **dumped}], sort_keys=False, allow_unicode=True, width=110)


if __name__ == "__main__":
    print(rules_page(load_rulebase()), end="")
