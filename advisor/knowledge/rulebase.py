"""The rule base: decision rows, objections, modifiers, requirements, thresholds, evidence, from ``rules/``."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar, get_args

from advisor.assets import asset
from advisor.documents import Document, Location, suggest
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.conditions import Condition, ConditionReader, Test
from advisor.knowledge.layers import Entry, Layers, is_whole, refuse_others, rule_error, word_error
from advisor.knowledge.rows import (
    PLACEHOLDER,
    Assumption,
    Evidence,
    Family,
    ModelRow,
    Modifier,
    Objection,
    Requirement,
    Row,
    Rule,
    Threshold,
)
from advisor.knowledge.vocabulary import FACTS, Fact

_SHARED = "every-strategy"


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
LISTS: dict[str, type[Row]] = {
    "rules": Rule,
    "objections": Objection,
    "modifiers": Modifier,
    "models": ModelRow,
}


def load_rulebase(folder: Path | None = None) -> RuleBase:
    """Read the shipped rule base and, over it, a user's folder, or that folder alone where it is a whole base.

    Args:
        folder: holds any of the rule files; see `advisor.knowledge.layers` for how they are laid over. With all of
            them, and the requirements of every strategy, it is a base of its own.

    Raises:
        InputError: there is no such folder.
        RuleBaseError: the first thing wrong, with file:line:column.
    """
    shipped = asset("rules")
    if folder is None:
        return read_rulebase(shipped)
    if folder.is_dir():
        refuse_others(folder, shipped)
        if is_whole(folder, shipped):
            return read_rulebase(folder)
    return read_rulebase(shipped, folder)


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

    def finish(self, document: Document, row: Row, condition: Condition, at: Location) -> None:
        for name in PLACEHOLDER.findall(row.because):
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


def _check_names(entry: Entry, row: Row, strategies: Iterable[str]) -> None:
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
