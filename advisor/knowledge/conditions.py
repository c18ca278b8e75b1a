"""Conditions of rules: words in YAML, a small typed tree in Python, three values in evaluation.

A condition maps fact names to cells; every line must hold. A cell is a plain value (``yes``, ``3``, ``gpu``), a choice
(``weekly or daily``), a negation (``not gpu``) or comparisons joined by ``and``
(``at least few_labels and below many_labels``). What follows ``below``, ``at most``, ``above`` and ``at least`` is a
number, a threshold's name or another fact's name. The keys ``any`` and ``all`` hold lists of conditions.

Each test is true, false or unknown (None); ``all`` and ``any`` combine them as Kleene's logic does.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from advisor.documents import Document, Location, scalar, suggest
from advisor.errors import RuleBaseError
from advisor.knowledge.vocabulary import FACTS, Fact, Value, in_words

Values = Mapping[str, Value]
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "is": operator.eq,
    "not": operator.ne,
    "below": operator.lt,
    "at most": operator.le,
    "above": operator.gt,
    "at least": operator.ge,
}
_CELL = re.compile(r"(below|at most|above|at least)\s+(\S+)")
_YES_NO = {True: True, False: False, "yes": True, "no": False}


class Outcome(NamedTuple):
    """One test's result against the facts: how it reads, whether it held, and the values compared."""

    text: str
    held: bool | None
    fact: str
    value: Value
    limit: Value


@dataclass(frozen=True)
class Test:
    """One comparison: ``fact`` against a plain value, or against a named threshold or fact."""

    fact: str
    relation: str
    value: Value = None
    reference: str | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """The facts and thresholds it mentions."""
        return frozenset((self.fact,) if self.reference is None else (self.fact, self.reference))

    def evaluate(self, facts: Values, thresholds: Values) -> bool | None:
        """Return whether the test holds; None where a value is unknown."""
        left = facts.get(self.fact)
        if left is None:
            return None
        right = self.value if self.reference is None else self.limit(facts, thresholds)
        return None if right is None else COMPARE[self.relation](left, right)

    def limit(self, facts: Values, thresholds: Values) -> Value:
        """Return what the fact is compared with."""
        if self.reference is None:
            return self.value
        return thresholds[self.reference] if self.reference in thresholds else facts.get(self.reference)

    def tests(self) -> Iterator["Test"]:
        """Yield itself."""
        yield self

    def trace(self, facts: Values, thresholds: Values) -> list[Outcome]:
        """Return the outcome as a list of one."""
        limit = self.limit(facts, thresholds)
        shown = in_words(self.fact, limit)
        if self.reference:
            shown = f"{self.reference} ({shown})"
        relation = "" if self.relation == "is" else f"{self.relation} "
        text = f"{self.fact}: {relation}{shown}"
        return [Outcome(text, self.evaluate(facts, thresholds), self.fact, facts.get(self.fact), limit)]


@dataclass(frozen=True)
class Group:
    """Conditions that must ``all`` hold, or ``any`` of which must."""

    kind: str
    members: tuple["Condition", ...]

    @cached_property
    def names(self) -> frozenset[str]:
        """The facts and thresholds it mentions."""
        return frozenset(name for member in self.members for name in member.names)

    def evaluate(self, facts: Values, thresholds: Values) -> bool | None:
        """Return Kleene's conjunction or disjunction of the members."""
        decisive = self.kind == "any"
        unknown = False
        for member in self.members:
            held = member.evaluate(facts, thresholds)
            if held is decisive:
                return decisive
            unknown = unknown or held is None
        return None if unknown else not decisive

    def tests(self) -> Iterator[Test]:
        """Yield every test within."""
        for member in self.members:
            yield from member.tests()

    def trace(self, facts: Values, thresholds: Values) -> list[Outcome]:
        """Return every test's outcome."""
        return [outcome for member in self.members for outcome in member.trace(facts, thresholds)]


Condition = Test | Group


class ConditionReader:
    """Reads conditions of one document, checking names, types and choices as it goes.

    Args:
        document: where the condition stands, for messages.
        thresholds: units by the names that may follow a comparison.
        about_candidates: whether facts about one candidate may be used.
    """

    def __init__(self, document: Document, thresholds: Mapping[str, str], *, about_candidates: bool = False) -> None:
        self.document, self.thresholds = document, thresholds
        self.facts = {name: fact for name, fact in FACTS.items() if about_candidates or fact.about == "project"}

    def read(self, raw: Any, at: Location) -> Condition:
        """Read the mapping at ``at``.

        Raises:
            RuleBaseError: an unknown fact, a value of the wrong type or a cell that cannot be read, with its place.
        """
        if not isinstance(raw, dict):
            raise self.error("a condition maps facts to what must hold", at)
        members: list[Condition] = []
        for key, cell in raw.items():
            here = (*at, key)
            if key in {"any", "all"}:
                members.append(self.group(key, cell, here))
            elif key not in self.facts:
                raise self.document.error(
                    f"there is no fact '{key}'{suggest(key, self.facts)}", here, key=True, kind=RuleBaseError
                )
            else:
                members.append(self.cell(self.facts[key], cell, here))
        return members[0] if len(members) == 1 else Group("all", tuple(members))

    def group(self, kind: str, raw: Any, at: Location) -> Group:
        """Read a list of conditions."""
        if not isinstance(raw, list) or not raw:
            raise self.error(f"'{kind}' holds a list of conditions", at)
        return Group(kind, tuple(self.read(item, (*at, index)) for index, item in enumerate(raw)))

    def cell(self, fact: Fact, cell: Any, at: Location) -> Condition:
        """Read what a fact is tested for."""
        if fact.kind == "number":
            return self.number(fact, cell, at)
        if fact.kind == "yes-no":
            if isinstance(cell, bool | str) and cell in _YES_NO:
                return Test(fact.name, "is", _YES_NO[cell])
            raise self.error(f"{fact.name} is yes or no, not '{cell}'", at)
        if not isinstance(cell, str):
            raise self.error(f"{fact.name} is a word, not {'a number' if type(cell) in (int, float) else 'this'}", at)
        return self.word(fact, cell, at)

    def word(self, fact: Fact, cell: str, at: Location) -> Condition:
        """Read a choice among words, or a negated one."""
        relation = "not" if cell.startswith("not ") else "is"
        words = [word.strip() for word in cell.removeprefix("not ").split(" or ")]
        for word in words:
            if fact.choices and word not in fact.choices:
                raise self.error(f"{fact.name} is never '{word}'{suggest(word, fact.choices)}", at)
        tests = tuple(Test(fact.name, relation, word) for word in words)
        if len(tests) == 1:
            return tests[0]
        return Group("all" if relation == "not" else "any", tests)

    def number(self, fact: Fact, cell: Any, at: Location) -> Condition:
        """Read a number, or comparisons joined by ``and``."""
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return Test(fact.name, "is", cell)
        tests = []
        for part in str(cell).split(" and "):
            match = _CELL.fullmatch(part.strip())
            if not match:
                words = "below, at most, above, at least"
                raise self.error(f"'{part.strip()}' is not a number or a comparison ({words})", at)
            tests.append(self.comparison(fact, match[1], match[2], at))
        return tests[0] if len(tests) == 1 else Group("all", tuple(tests))

    def comparison(self, fact: Fact, relation: str, operand: str, at: Location) -> Test:
        """Read what follows a comparing word."""
        value = scalar(operand)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return Test(fact.name, relation, float(value))
        if operand not in self.thresholds and operand not in self.facts:
            known = [*self.thresholds, *self.facts]
            raise self.error(f"no number, threshold or fact '{operand}'{suggest(operand, known)}", at)
        if operand not in self.thresholds and self.facts[operand].kind != "number":
            raise self.error(f"{operand} is not a number", at)
        unit = self.thresholds[operand] if operand in self.thresholds else self.facts[operand].unit
        if unit != fact.unit:
            raise self.error(f"{fact.name} is in {fact.unit or 'no unit'}, {operand} in {unit or 'no unit'}", at)
        return Test(fact.name, relation, reference=operand)

    def error(self, text: str, at: Location) -> RuleBaseError:
        """Return an error that points at the cell."""
        error = self.document.error(text, at, kind=RuleBaseError)
        assert isinstance(error, RuleBaseError)
        return error
