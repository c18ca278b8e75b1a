"""The rule base: decision rows, objections, modifiers, requirements, thresholds, evidence, from ``rules/``."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from advisor.assets import asset
from advisor.documents import Document, Location, suggest
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.conditions import Condition, ConditionReader, Test
from advisor.knowledge.layers import Entry, Layers, Placed, rule_error, word_error
from advisor.knowledge.vocabulary import FACTS, Fact, Value, in_words

Family = Literal["prompting", "freezing", "fine-tuning", "alignment"]
ModifierId = Literal["domain-adaptive-pretraining", "multi-seed", "retrieval", "distillation"]
Strength = Literal["strong", "conditional"]
Certainty = Literal["high", "moderate", "low", "very low"]
_PLACEHOLDER = re.compile(r"{([a-z_.0-9]+)}")
_SHARED = "every-strategy"


def _day(value: Any) -> Any:
    """Take a date only in the form that a person reads at once; pydantic takes numbers too."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"'{value}' is not a date such as 2026-11-23") from None


Day = Annotated[date, BeforeValidator(_day)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _Row(Placed):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Its name: lower-case words and hyphens.")
    because: str = Field(description="The reason shown; {fact} stands for a fact's value.")

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

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    recommend: str = Field(description="The strategy.")
    priority: int = Field(ge=0, le=100, strict=True, description="Of the rows that hold, the highest decides.")
    strength: Strength = Field(description="How firmly to follow it; a strong verdict is never contested.")
    certainty: Certainty = Field(description="How sure the evidence is, by GRADE's four levels.")
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")
    note: str | None = Field(default=None, description="What to bear in mind when following it.")


class Objection(_Row):
    """Evidence against a verdict of some families: where it holds, such a verdict is contested."""

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    against: list[Family] = Field(min_length=1, description="Families of verdicts that it speaks against.")
    favours: str = Field(description="The strategy it speaks for.")
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")


class Modifier(_Row):
    """What a plan carries besides its strategy, where it holds."""

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    adds: ModifierId = Field(description="What is added.")
    to: list[str] = Field(min_length=1, description="Families or strategies whose plans carry it.")
    certainty: Certainty = Field(description="How sure the evidence is, by GRADE's four levels.")
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")


class ModelRow(_Row):
    """A base model to choose, by priority, or one worth considering besides."""

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    kind: Literal["encoder", "generator"] = Field(description="What the model is for.")
    choose: str | None = Field(default=None, description="The model to take, of models.yaml.")
    consider: str | None = Field(default=None, description="The model to name besides, of models.yaml.")
    priority: int = Field(
        default=0, ge=0, le=100, strict=True, description="Of the rows that hold, the highest chooses."
    )
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")

    @model_validator(mode="after")
    def _one_model(self) -> "ModelRow":
        if (self.choose is None) == (self.consider is None):
            raise ValueError("a row names one model, to choose or to consider")
        return self


class Requirement(_Row):
    """What a strategy needs before it may be recommended at all."""

    needs: dict[str, Any] = Field(description="The condition; known to fail, it rules the strategy out.")


class Threshold(Placed):
    """A number that rules compare with: its value, the range the evidence leaves open, and where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Number
    range: tuple[Number, Number]
    unit: str
    source: str
    measured: Day

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("a range goes from low to high")
        return value


class Evidence(Placed):
    """A finding that rules cite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    conditions: str
    design: Literal["benchmark", "controlled experiment", "case study", "reports of users"]
    certainty: Certainty
    rated_down: str | None = None
    source: str
    read: Literal["raw scores recomputed", "paper body", "abstract", "summary", "code", "measured here"]
    review_by: Day


class Assumption(Placed):
    """The value taken for an unanswered input, and why it is the careful one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: bool | int | float | str
    because: str


@dataclass(frozen=True)
class RuleBase:
    """Everything the decision rests on.

    Attributes:
        version: of the shipped base, a date; what is laid over it is added.
        digest: SHA-256 of the rule files of all layers, for the audit record.
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

    @property
    def citing(self) -> tuple[Rule | Objection | Modifier | ModelRow, ...]:
        """Every row that cites findings."""
        return (*self.rules, *self.objections, *self.modifiers, *self.models)

    @cached_property
    def limits(self) -> dict[str, float]:
        """Threshold values by name."""
        return {name: threshold.value for name, threshold in self.thresholds.items()}

    @cached_property
    def tests(self) -> dict[str, tuple[Test, ...]]:
        """By every fact and threshold, the different tests of rows and requirements that mention it."""
        found: dict[str, dict[Test, None]] = {}
        for row in (*self.rules, *(row for rows in self.requirements.values() for row in rows)):
            for test in row.condition.tests():
                for name in test.names:
                    found.setdefault(name, {})[test] = None
        return {name: tuple(tests) for name, tests in found.items()}


# The lists of decision.yaml, each with the model of its rows.
LISTS: dict[str, type[_Row]] = {
    "rules": Rule,
    "objections": Objection,
    "modifiers": Modifier,
    "models": ModelRow,
}


def load_rulebase(folder: Path | None = None) -> RuleBase:
    """Read the shipped rule base and, over it, a user's folder.

    Args:
        folder: holds any of the rule files; see `advisor.knowledge.layers` for how they are laid over.

    Raises:
        InputError: there is no such folder.
        RuleBaseError: the first thing wrong, with file:line:column.
    """
    return read_rulebase(asset("rules"), *([folder] if folder else []))


def read_rulebase(*folders: Path) -> RuleBase:
    """Read and check rule folders, the lowest first; it holds every file, the others any. Raises as `load_rulebase`."""
    layers = Layers(folders)
    thresholds = _thresholds(layers)
    evidence = {name: entry.read(Evidence) for name, entry in layers.named("evidence").items()}
    reader = _Reader(layers, thresholds, evidence)
    layers.keys("decision", ("version", *LISTS))
    requirements = reader.requirements()
    rules = reader.rows("rules", Rule, requirements)
    return RuleBase(
        version=_version(layers),
        digest=layers.digest,
        rules=tuple(sorted(rules, key=lambda rule: -rule.priority)),
        objections=tuple(reader.rows("objections", Objection, requirements)),
        modifiers=tuple(reader.rows("modifiers", Modifier, requirements)),
        models=reader.models(requirements),
        requirements=requirements,
        thresholds=thresholds,
        evidence=evidence,
        assumptions=reader.assumptions(),
    )


RowT = TypeVar("RowT", Rule, Objection, Modifier, ModelRow)


class _Reader:
    """Reads rows and ties their conditions, strategies and citations together."""

    def __init__(self, layers: Layers, thresholds: dict[str, Threshold], evidence: dict[str, Evidence]) -> None:
        self.layers, self.evidence = layers, evidence
        self.units = {name: threshold.unit for name, threshold in thresholds.items()}

    def rows(self, key: str, model: type[RowT], strategies: Iterable[str]) -> list[RowT]:
        rows: list[RowT] = []
        for entry in self.layers.rows("decision", key):
            row = entry.read(model)
            _check_names(entry, row, strategies)
            for place, cited in enumerate(row.evidence):
                if cited not in self.evidence:
                    raise entry.error(f"no evidence '{cited}'{suggest(cited, self.evidence)}", "evidence", place)
            at: Location = entry.at
            condition = ConditionReader(entry.document, self.units).read(row.when, (*at, "when"))
            self.finish(entry.document, row, condition, at)
            rows.append(row)
        return rows

    def models(self, strategies: Iterable[str]) -> tuple[ModelRow, ...]:
        rows = self.rows("models", ModelRow, strategies)
        for kind in ("encoder", "generator"):
            if not any(row.kind == kind and row.choose and not row.when for row in rows):
                document = self.layers.documents("decision")[0]
                raise rule_error(
                    document, f"no row without conditions chooses a base model of kind {kind}", ("models",)
                )
        return tuple(sorted(rows, key=lambda row: -row.priority))

    def requirements(self) -> dict[str, tuple[Requirement, ...]]:
        shared = {row.id: row for row in self.requirement_rows(_SHARED)}
        own = {
            strategy: {row.id: row for row in self.requirement_rows(strategy)}
            for strategy in self.layers.keys("requires")
            if strategy != _SHARED
        }
        return {strategy: tuple((shared | rows).values()) for strategy, rows in own.items()}

    def requirement_rows(self, strategy: str) -> tuple[Requirement, ...]:
        rows = []
        for entry in self.layers.rows("requires", strategy):
            row = entry.read(Requirement)
            conditions = ConditionReader(entry.document, self.units, about_candidates=True)
            self.finish(entry.document, row, conditions.read(row.needs, (*entry.at, "needs")), entry.at)
            rows.append(row)
        return tuple(rows)

    def finish(self, document: Document, row: _Row, condition: Condition, at: Location) -> None:
        for name in _PLACEHOLDER.findall(row.because):
            if name not in FACTS:
                raise word_error(document, f"there is no fact '{name}'{suggest(name, FACTS)}", (*at, "because"), name)
        row._condition = condition

    def assumptions(self) -> dict[str, Assumption]:
        assumed = {}
        for name, entry in self.layers.named("assumptions").items():
            if name not in FACTS:
                raise entry.error(f"there is no input '{name}'{suggest(name, FACTS)}", key=True)
            assumed[name] = entry.read(Assumption)
            wrong = _misfit(FACTS[name], assumed[name].value)
            if wrong:
                raise entry.error(f"{name} {wrong}", "value")
        return assumed


def _check_names(entry: Entry, row: _Row, strategies: Iterable[str]) -> None:
    """Refuse a row that names a strategy, family or model that is not there."""
    if isinstance(row, ModelRow):
        target = "choose" if row.choose else "consider"
        _insist(entry, row.choose or row.consider or "", "model", load_catalogue().models, target)
    elif isinstance(row, Modifier):
        for place, name in enumerate(row.to):
            _insist(entry, name, "strategy or family", [*strategies, *get_args(Family)], "to", place)
    elif isinstance(row, Rule):
        _insist(entry, row.recommend, "strategy", strategies, "recommend")
    elif isinstance(row, Objection):
        _insist(entry, row.favours, "strategy", strategies, "favours")


def _insist(entry: Entry, name: str, kind: str, known: Iterable[str], *at: str | int) -> None:
    if name not in known:
        raise entry.error(f"no {kind} '{name}'{suggest(name, known)}", *at)


def _misfit(fact: Fact, value: bool | int | float | str) -> str | None:
    """Say what is wrong with a value for a fact, or nothing."""
    if fact.kind == "yes-no":
        return None if isinstance(value, bool) else f"is true or false, not '{value}'"
    if fact.kind == "number":
        return None if type(value) in (int, float) else f"is a number, not '{value}'"
    if not isinstance(value, str):
        return f"is a word, not '{value}'"
    return f"is never '{value}'{suggest(value, fact.choices)}" if fact.choices and value not in fact.choices else None


def _thresholds(layers: Layers) -> dict[str, Threshold]:
    thresholds = {}
    for name, entry in layers.named("thresholds").items():
        threshold = entry.read(Threshold)
        low, high = threshold.range
        if not low <= threshold.value <= high:
            raise entry.error(f"{name}: the value lies outside its range, {low:g} to {high:g}", "value")
        thresholds[name] = threshold
    return thresholds


def _version(layers: Layers) -> str:
    lowest, *upper = layers.documents("decision")
    if "version" not in lowest.data:
        raise rule_error(lowest, "version is missing", ())
    own = {document.path.parent: document.data.get("version") for document in upper}
    parts = [str(lowest.data["version"])]
    for folder in layers.folders[1:]:
        parts.append(f"{folder.as_posix()} {own[folder]}" if own.get(folder) else folder.as_posix())
    return " + ".join(parts)
