"""The rule base: decision rows, objections, requirements, thresholds, evidence, assumptions, from ``rules/``."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from advisor.assets import asset
from advisor.documents import Document, Location, read_document, suggest
from advisor.errors import RuleBaseError
from advisor.knowledge.conditions import Condition, ConditionReader
from advisor.knowledge.vocabulary import FACTS, Value, in_words

Strength = Literal["strong", "conditional"]
Certainty = Literal["high", "moderate", "low", "very low"]
_PLACEHOLDER = re.compile(r"{([a-z_.0-9]+)}")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    because: str

    _condition: Condition = PrivateAttr()

    @cached_property
    def condition(self) -> Condition:
        """The typed condition; cached, because pydantic looks up a private attribute slowly."""
        return self._condition

    def reason(self, facts: dict[str, Value]) -> str:
        """Return ``because`` with the facts it names filled in."""
        return _PLACEHOLDER.sub(lambda match: in_words(match[1], facts.get(match[1])), self.because)


class Rule(_Row):
    """A row of the decision table: when it holds and no higher row does, its strategy is recommended."""

    when: dict[str, Any]
    recommend: str
    priority: int = Field(ge=0, le=100)
    strength: Strength
    certainty: Certainty
    evidence: list[str] = Field(min_length=1)
    note: str | None = None


class Objection(_Row):
    """Evidence against a verdict of some families: where it holds, such a verdict is contested."""

    when: dict[str, Any]
    against: list[Literal["prompting", "freezing", "fine-tuning"]] = Field(min_length=1)
    favours: str
    evidence: list[str] = Field(min_length=1)


class Requirement(_Row):
    """What a strategy needs before it may be recommended at all."""

    needs: dict[str, Any]


class Threshold(BaseModel):
    """A number that rules compare with: its value, the range the evidence leaves open, and where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float
    range: tuple[float, float]
    unit: str
    source: str
    measured: date

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("a range goes from low to high")
        return value


class Evidence(BaseModel):
    """A finding that rules cite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    conditions: str
    certainty: Certainty
    rated_down: str | None = None
    source: str
    read: Literal["raw scores recomputed", "paper body", "abstract", "summary", "code", "measured here"]
    review_by: date


class Assumption(BaseModel):
    """The value taken for an unanswered input, and why it is the careful one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: bool | int | float | str
    because: str


@dataclass(frozen=True)
class RuleBase:
    """Everything the decision rests on.

    Attributes:
        version: of the shipped base, a date.
        digest: SHA-256 of all files read, for the audit record.
        rules: highest priority first, file order within.
        requirements: by strategy; its keys are the strategies there are.
    """

    version: str
    digest: str
    rules: tuple[Rule, ...]
    objections: tuple[Objection, ...]
    requirements: dict[str, tuple[Requirement, ...]]
    thresholds: dict[str, Threshold]
    evidence: dict[str, Evidence]
    assumptions: dict[str, Assumption]

    @cached_property
    def limits(self) -> dict[str, float]:
        """Threshold values by name."""
        return {name: threshold.value for name, threshold in self.thresholds.items()}


def load_rulebase(folder: Path | None = None) -> RuleBase:
    """Read and check the rule base.

    Args:
        folder: a rule folder; the shipped one if left out.

    Raises:
        RuleBaseError: the first thing wrong, with file:line:column.
    """
    folder = folder or asset("rules")
    names = ("thresholds", "evidence", "assumptions", "requires", "decision")
    documents = {name: read_document(folder / f"{name}.yaml", kind=RuleBaseError) for name in names}
    digest = hashlib.sha256("".join("\n".join(documents[name].lines) for name in names).encode()).hexdigest()
    thresholds = _table(documents["thresholds"], Threshold)
    for name, threshold in thresholds.items():
        if not threshold.range[0] <= threshold.value <= threshold.range[1]:
            raise _error(documents["thresholds"], f"{name}: the value lies outside its range", (name, "value"))
    evidence = _table(documents["evidence"], Evidence)
    reader = _Reader(documents, thresholds, evidence)
    decision = documents["decision"]
    if not isinstance(decision.data, dict) or not {"version", "rules", "objections"} <= decision.data.keys():
        raise _error(decision, "needs the keys version, rules and objections", ())
    requirements = reader.requirements()
    rules = reader.rows("rules", Rule, requirements)
    return RuleBase(
        version=str(decision.data["version"]),
        digest=digest,
        rules=tuple(sorted(rules, key=lambda rule: -rule.priority)),
        objections=tuple(reader.rows("objections", Objection, requirements)),
        requirements=requirements,
        thresholds=thresholds,
        evidence=evidence,
        assumptions=reader.assumptions(),
    )


RowT = TypeVar("RowT", Rule, Objection)
ModelT = TypeVar("ModelT", bound=BaseModel)


class _Reader:
    """Reads rows and ties their conditions, strategies and citations together."""

    def __init__(
        self, documents: dict[str, Document], thresholds: dict[str, Threshold], evidence: dict[str, Evidence]
    ) -> None:
        self.documents, self.thresholds, self.evidence = documents, thresholds, evidence

    def rows(self, key: str, model: type[RowT], strategies: Iterable[str]) -> list[RowT]:
        document, seen, rows = self.documents["decision"], set[str](), []
        conditions = ConditionReader(document, self.thresholds)
        for index in range(len(document.data[key] or [])):
            at: Location = (key, index)
            row = document.validate(model, kind=RuleBaseError, at=at)
            if row.id in seen:
                raise _error(document, f"a second row '{row.id}'", (*at, "id"))
            seen.add(row.id)
            target = "recommend" if isinstance(row, Rule) else "favours"
            strategy = getattr(row, target)
            if strategy not in strategies:
                raise _error(document, f"no strategy '{strategy}'{suggest(strategy, strategies)}", (*at, target))
            for place, cited in enumerate(row.evidence):
                if cited not in self.evidence:
                    hint = suggest(cited, self.evidence)
                    raise _error(document, f"no evidence '{cited}'{hint}", (*at, "evidence", place))
            self.finish(document, row, conditions.read(row.when, (*at, "when")), at)
            rows.append(row)
        return rows

    def requirements(self) -> dict[str, tuple[Requirement, ...]]:
        document = self.documents["requires"]
        conditions = ConditionReader(document, self.thresholds, about_candidates=True)
        shared = self.requirement_rows(document, conditions, "every-strategy")
        return {
            strategy: shared + self.requirement_rows(document, conditions, strategy)
            for strategy in document.data
            if strategy != "every-strategy"
        }

    def requirement_rows(
        self, document: Document, conditions: ConditionReader, strategy: str
    ) -> tuple[Requirement, ...]:
        rows = []
        for index in range(len(document.data.get(strategy) or [])):
            at: Location = (strategy, index)
            row = document.validate(Requirement, kind=RuleBaseError, at=at)
            condition = conditions.read(row.needs, (*at, "needs"))
            self.finish(document, row, condition, at)
            rows.append(row)
        return tuple(rows)

    def finish(self, document: Document, row: _Row, condition: Condition, at: Location) -> None:
        for name in _PLACEHOLDER.findall(row.because):
            if name not in FACTS:
                raise _error(document, f"there is no fact '{name}'{suggest(name, FACTS)}", (*at, "because"))
        row._condition = condition

    def assumptions(self) -> dict[str, Assumption]:
        document = self.documents["assumptions"]
        assumed = _table(document, Assumption)
        for name in assumed:
            if name not in FACTS:
                raise _error(document, f"there is no input '{name}'{suggest(name, FACTS)}", (name,), key=True)
        return assumed


def _table(document: Document, model: type[ModelT]) -> dict[str, ModelT]:
    if not isinstance(document.data, dict):
        raise _error(document, "expected names, each with its entry", ())
    return {name: document.validate(model, kind=RuleBaseError, at=(name,)) for name in document.data}


def _error(document: Document, text: str, at: Location, *, key: bool = False) -> RuleBaseError:
    error = document.error(text, at, key=key, kind=RuleBaseError)
    assert isinstance(error, RuleBaseError)
    return error
