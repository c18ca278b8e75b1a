"""The rule base: decision rows, objections, modifiers, requirements, thresholds, evidence, from ``rules/``."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from advisor.assets import asset
from advisor.documents import Document, Location, read_document, suggest
from advisor.errors import RuleBaseError
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.conditions import Condition, ConditionReader
from advisor.knowledge.vocabulary import FACTS, Value, in_words

Strength = Literal["strong", "conditional"]
Certainty = Literal["high", "moderate", "low", "very low"]
_GROUPS = ("every-strategy", "every-training-strategy")
_FAMILIES = ("prompting", "freezing", "fine-tuning", "alignment")
_PLACEHOLDER = re.compile(r"{([a-z_.0-9]+)}")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    because: str

    _condition: Condition = PrivateAttr()

    @property
    def condition(self) -> Condition:
        """The typed condition."""
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


class Modifier(_Row):
    """What a plan of some families or strategies carries besides, where it holds."""

    when: dict[str, Any]
    adds: Literal["domain-adaptive-pretraining", "multi-seed", "retrieval", "distillation"]
    to: list[str] = Field(min_length=1)
    certainty: Certainty
    evidence: list[str] = Field(min_length=1)


class ModelRow(_Row):
    """A base model to choose, by priority, or one worth considering besides."""

    when: dict[str, Any]
    kind: Literal["encoder", "generator"]
    choose: str | None = None
    consider: str | None = None
    priority: int = Field(default=0, ge=0, le=100)
    evidence: list[str] = []

    @property
    def model(self) -> str:
        """The model named."""
        return self.choose or self.consider or ""

    @model_validator(mode="after")
    def _one_model(self) -> "ModelRow":
        if (self.choose is None) == (self.consider is None):
            raise ValueError("a row names one model, to choose or to consider")
        return self


class Objection(_Row):
    """Evidence against a verdict of some families: where it holds, such a verdict is contested."""

    when: dict[str, Any]
    against: list[Literal["prompting", "freezing", "fine-tuning", "alignment"]] = Field(min_length=1)
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
    design: Literal["benchmark", "controlled experiment", "case study", "reports of users"]
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
        models: base models, likewise.
        requirements: by strategy; its keys are the strategies there are.
    """

    version: str
    digest: str
    rules: tuple[Rule, ...]
    objections: tuple[Objection, ...]
    modifiers: tuple[Modifier, ...]
    models: tuple[ModelRow, ...]
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
    if not isinstance(decision.data, dict) or not _SECTIONS <= decision.data.keys():
        raise _error(decision, f"needs the keys {', '.join(sorted(_SECTIONS))}", ())
    requirements = reader.requirements()
    rules = reader.rows("rules", Rule, requirements)
    models = reader.rows("models", ModelRow, requirements)
    for kind in ("encoder", "generator"):
        if not any(row.kind == kind and row.choose and not row.when for row in models):
            raise _error(decision, f"no row without conditions chooses a {kind}", ("models",))
    return RuleBase(
        version=str(decision.data["version"]),
        digest=digest,
        rules=tuple(sorted(rules, key=lambda rule: -rule.priority)),
        objections=tuple(reader.rows("objections", Objection, requirements)),
        modifiers=tuple(reader.rows("modifiers", Modifier, requirements)),
        models=tuple(sorted(models, key=lambda row: -row.priority)),
        requirements=requirements,
        thresholds=thresholds,
        evidence=evidence,
        assumptions=reader.assumptions(),
    )


_SECTIONS = {"version", "rules", "objections", "modifiers", "models"}
RowT = TypeVar("RowT", Rule, Objection, Modifier, ModelRow)
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
            self.names(document, row, strategies, at)
            for place, cited in enumerate(row.evidence):
                if cited not in self.evidence:
                    hint = suggest(cited, self.evidence)
                    raise _error(document, f"no evidence '{cited}'{hint}", (*at, "evidence", place))
            self.finish(document, row, conditions.read(row.when, (*at, "when")), at)
            rows.append(row)
        return rows

    def names(self, document: Document, row: _Row, strategies: Iterable[str], at: Location) -> None:
        """Refuse a row that names a strategy, family or model that is not there."""
        known: Iterable[str] = strategies
        if isinstance(row, Rule):
            named: list[tuple[Location, str]] = [(("recommend",), row.recommend)]
        elif isinstance(row, Objection):
            named = [(("favours",), row.favours)]
        elif isinstance(row, Modifier):
            known = [*strategies, *_FAMILIES]
            named = [(("to", place), name) for place, name in enumerate(row.to)]
        else:
            assert isinstance(row, ModelRow)
            known = load_catalogue().models
            named = [(("choose" if row.choose else "consider",), row.model)]
        for where, name in named:
            if name not in known:
                raise _error(document, f"there is no '{name}'{suggest(name, known)}", (*at, *where))

    def requirements(self) -> dict[str, tuple[Requirement, ...]]:
        document = self.documents["requires"]
        conditions = ConditionReader(document, self.thresholds, about_candidates=True)
        groups = {name: self.requirement_rows(document, conditions, name, {}) for name in _GROUPS}
        return {
            strategy: groups["every-strategy"] + self.requirement_rows(document, conditions, strategy, groups)
            for strategy in document.data
            if strategy not in groups
        }

    def requirement_rows(
        self,
        document: Document,
        conditions: ConditionReader,
        strategy: str,
        groups: Mapping[str, tuple[Requirement, ...]],
    ) -> tuple[Requirement, ...]:
        rows: list[Requirement] = []
        for index, item in enumerate(document.data.get(strategy) or []):
            at: Location = (strategy, index)
            if isinstance(item, str):
                if item not in groups:
                    raise _error(document, f"there is no list '{item}'{suggest(item, groups)}", at)
                rows.extend(groups[item])
                continue
            row = document.validate(Requirement, kind=RuleBaseError, at=at)
            self.finish(document, row, conditions.read(row.needs, (*at, "needs")), at)
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
