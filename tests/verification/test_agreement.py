"""The proofs speak of the decision as it is: z3 against the decision itself, profile by profile and base by base."""

import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, product
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.assets import asset
from advisor.decision.decide import INDISPENSABLE
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase, load_rulebase, read_rulebase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import INPUTS
from advisor.strategies import STRATEGIES
from advisor.verification.project import Project
from advisor.verification.proofs import prove
from advisor.verification.report import Finding
from advisor.verification.table import Table
from advisor.verification.terms import ALWAYS, YesNo
from advisor.verification.witness import Replay
from tests.verification.small import EVIDENCE, MODELS, THRESHOLDS, USED, requirements, row

MODELS_NAMED = (
    "auto",
    "google-bert/bert-base-uncased",
    "google/flan-t5-base",
    "meta-llama/Llama-3.1-8B",
    "elsewhere/other",
)


def answer(name: str, limits: list[float], generator: random.Random) -> Value:
    if name == "task.languages":
        return generator.choice(["en", "xx"])
    fact = FACTS[name]
    if fact.kind == "yes-no":
        return generator.choice([True, False])
    if fact.kind == "word":
        return generator.choice(fact.choices or MODELS_NAMED)
    least = {"data.classes": 2, "model.llm_context": 128}.get(name, 1)
    most = {"data.classes": 100, "model.parameters_b": 1000}.get(name, 100_000)
    value = min(max(least, generator.choice([*limits, 1, 2, 3, 10, 200]) + generator.choice([-1, 0, 1])), most)
    return int(value) if INPUTS[name].kind is int else float(value)


@pytest.mark.parametrize(("seed", "draws"), [(7, 150), pytest.param(1, 3000, marks=pytest.mark.slow)])
def test_every_fact_row_and_strategy_comes_out_as_the_decision_has_it(seed: int, draws: int) -> None:
    base, generator = load_rulebase(), random.Random(seed)
    table = Table(z3.Solver(), Project(base))
    project, compared = table.project, 0
    limits = [threshold.value for threshold in base.thresholds.values()]
    sizes = sorted({0, *(int(limit) for limit in limits if limit < 100)})
    for _ in range(draws):
        named = [name for name in project.answered if name in INDISPENSABLE or generator.random() < 0.5]
        answers = {name: answer(name, limits, generator) for name in named}
        if "data.smallest_class" in answers:
            answers["data.smallest_class"] = generator.choice(sizes)
        fixed = [literal if name in answers else z3.Not(literal) for name, literal in project.answered.items()]
        fixed += [project.inputs[name].test("is", value) for name, value in answers.items()]
        fixed.append(project.fact("llm_usable").test("is", bool(Replay(answers, base).facts.values["llm_usable"])))
        if table.solver.check(*fixed) != z3.sat:
            assert "data.smallest_class" in answers, f"ruled out as impossible: {answers}"
            continue
        compared += 1
        model, replay = table.solver.model(), Replay(answers, base)
        holding = [rule for rule, holds in zip(table.rows, table.holds, strict=True) if z3.is_true(model.eval(holds))]
        assert holding == replay.holding, answers
        granted = {name for name, literal in table.granted.items() if z3.is_true(model.eval(literal))}
        assert granted == replay.granted, answers
        assert z3.is_true(model.eval(project.fact("classes").test("is", replay.facts.values["classes"])))
        usable = project.fact("llm_usable")
        assert isinstance(usable, YesNo)
        assert z3.is_true(model.eval(usable.term)) is bool(replay.facts.values["llm_usable"])
    assert compared > draws / 2


CELLS = (
    "data.labelled: 0",
    "data.labelled: at least 10",
    "data.labelled: below 10",
    "data.labelled: at least 3 and below 10",
    "labels_per_class: at least 2",
    "labels_per_class: below 5",
    "mean_per_class: at least 3",
    "mean_per_class: below 4",
    "data.smallest_class: above 1",
    "classes: at least 3",
    "task.type: regression",
    "task.type: not regression or generation",
    "llm_usable: yes",
    "llm_usable: no",
    "model.llm: local or api",
    "any: [{labels_per_class: at least 5}, {llm_usable: yes}]",
    "all: [{any: [{classes: 2}, {data.labelled: above 9}]}, {task.type: not generation}]",
)
CONDITIONS = st.lists(st.sampled_from(CELLS), max_size=2, unique_by=lambda cell: cell.split(":")[0]).map(", ".join)
TABLES = st.lists(st.tuples(CONDITIONS, st.sampled_from(USED), st.integers(1, 3)), min_size=1, max_size=6)
GRID = {
    "task.type": INPUTS["task.type"].choices,
    "data.labelled": (0, 1, 2, 4, 7, 9, 10, 15, 30, 400),
    "data.smallest_class": (None, 0, 2, 3, 4, 5),
    "data.classes": (2, 3, 4, 100),
    "model.llm": (None, "none", "local", "api"),
    "constraints.data_may_leave": (None, True),
}
LABELS = ("data.labelled", "data.smallest_class")
SHARED = (
    "{id: task, needs: {candidate.handles_task: yes}, because: t}",
    "{id: private, needs: {any: [{candidate.leaves: no}, {llm_allowed: yes}]}, because: p}",
)


@cache
def folder() -> Path:
    """Return a folder with all of a base but its decision table; needs are left out, so nothing hangs on forecasts."""
    path = Path(mkdtemp())
    shutil.copy(asset("rules", "assumptions.yaml"), path)
    requires = "\n".join(line for line in requirements(*SHARED).splitlines() if "need." not in line)
    for name, text in {"requires": requires, "thresholds": THRESHOLDS, "evidence": EVIDENCE}.items():
        (path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return path


def base_of(table: list[tuple[str, str, int]]) -> RuleBase:
    rows = [row(f"r{number}", priority, when, strategy) for number, (when, strategy, priority) in enumerate(table)]
    text = f"version: 1\nrules:\n{''.join(rows)}objections: []\n{MODELS}"
    (folder() / "decision.yaml").write_text(text, encoding="utf-8")
    return read_rulebase(folder())


@cache
def profiles() -> list[tuple[dict[str, Value], Mapping[str, Value], frozenset[str]]]:
    """Return the boundary profiles that can be, with their facts and what is feasible, the same for every table."""
    base = base_of([("", "zero-shot", 1)])
    found = []
    for values in product(*GRID.values()):
        answers: dict[str, Any] = {name: value for name, value in zip(GRID, values, strict=True) if value is not None}
        smallest, labelled = answers.get("data.smallest_class", 0), answers["data.labelled"]
        one_each = answers["task.type"] in {"text-classification", "pair-classification"}
        if answers.get("model.llm") != "api" and "constraints.data_may_leave" in answers:
            continue
        if smallest * (answers["data.classes"] if one_each else 1) <= labelled:
            replay = Replay(answers, base)
            found.append((answers, replay.facts.values, frozenset(replay.feasible)))
    return found


@dataclass
class Faults:
    """What trying all profiles brings to light, by ids of rows."""

    gap: bool = False
    conflict: set[frozenset[str]] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    masked: set[str] = field(default_factory=set)
    unsound: set[str] = field(default_factory=set)
    monotone: set[str] = field(default_factory=set)


def by_trying(base: RuleBase) -> Faults:
    ids = {rule.id for rule in base.rules}
    faults, held, taken, won = Faults(), set[str](), set[str](), set[str]()
    verdicts: dict[Any, list[tuple[dict[str, Value], Rule]]] = {}
    for answers, facts, feasible in profiles():
        holding = [rule for rule in base.rules if rule.condition.evaluate(facts, base.limits)]
        takes = [rule for rule in holding if rule.recommend in feasible]
        held |= {rule.id for rule in holding}
        taken |= {rule.id for rule in takes}
        faults.gap |= bool(feasible) and not takes
        if holding and feasible and holding[0].recommend not in feasible:
            faults.unsound.add(holding[0].id)
        for one, other in combinations(takes, 2):
            if one.priority == other.priority and one.recommend != other.recommend:
                faults.conflict.add(frozenset({one.id, other.id}))
        if takes:
            won.add(takes[0].id)
            rest = tuple((name, value) for name, value in answers.items() if name not in LABELS)
            verdicts.setdefault(rest, []).append((answers, takes[0]))
    faults.dead, faults.masked = ids - held, taken - won
    faults.unsound |= held - taken
    for same in verdicts.values():
        for (before, old), (after, new) in product(same, same):
            if prompts(new) and not prompts(old) and grows(before, after):
                faults.monotone.add(new.id)
    return faults


def prompts(rule: Rule) -> bool:
    return STRATEGIES[rule.recommend].family == "prompting"


def grows(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return before.keys() == after.keys() and all(before[name] <= after[name] for name in LABELS if name in before)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(TABLES)
def test_proofs_find_what_trying_every_boundary_profile_finds(table: list[tuple[str, str, int]]) -> None:
    agree_on(table)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(TABLES)
def test_proofs_find_it_on_many_tables(table: list[tuple[str, str, int]]) -> None:
    agree_on(table)


def agree_on(table: list[tuple[str, str, int]]) -> None:
    base = base_of(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Project, "within_limits", lambda project: ALWAYS)  # no profile of the grid names a limit
        tried, proven = by_trying(base), prove(base)
    named: dict[str, list[Finding]] = {
        kind: [] for kind in ("gap", "conflict", "dead", "masked", "unsound", "monotone")
    }
    for found in proven:
        named[found.kind].append(found)
        assert found.replayed or found.kind == "dead", found
    assert bool(named["gap"]) == tried.gap
    assert {frozenset(found.rows) for found in named["conflict"]} == tried.conflict
    for kind in ("dead", "masked", "unsound"):
        assert {found.rows[0] for found in named[kind]} == getattr(tried, kind), kind
    assert {found.rows[0] for found in named["monotone"]} >= tried.monotone
