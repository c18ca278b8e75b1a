"""Witnesses: answers read off z3's models, plain where they can be, and run through the decision itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import z3

from advisor.decision.candidates import Candidate, Veto, candidates
from advisor.decision.decide import INDISPENSABLE
from advisor.decision.facts import Facts, project_facts
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.verification.options import MACHINE, is_about_answers, is_resource
from advisor.verification.project import Project
from advisor.verification.report import Witness
from advisor.verification.table import Table
from advisor.verification.terms import Word, YesNo

_FORECASTABLE_LABELS = 10_000
_DEVICE = "compute.device"


@dataclass(frozen=True)
class Replay:
    """What the decision makes of answers."""

    answers: Witness
    base: RuleBase

    @cached_property
    def facts(self) -> Facts:
        """The facts it derives."""
        return project_facts(self.answers, self.base)

    @cached_property
    def candidates(self) -> list[Candidate]:
        """The candidates it makes."""
        return candidates(self.facts, self.base, MACHINE)

    @cached_property
    def holding(self) -> list[Rule]:
        """The rows that hold, highest first."""
        return [row for row in self.base.rules if row.condition.evaluate(self.facts.values, self.base.limits)]

    @cached_property
    def feasible(self) -> set[str]:
        """The strategies with a candidate that nothing rules out."""
        return {candidate.strategy.id for candidate in self.candidates if candidate.feasible}

    @cached_property
    def granted(self) -> set[str]:
        """The strategies with a candidate that nothing but resources rules out, as `Options.feasible` grants them."""
        return {candidate.strategy.id for candidate in self.candidates if not self._refused(candidate)}

    def winner(self, feasible: set[str]) -> Rule | None:
        """Return the first row that holds with one of these strategies."""
        return next((row for row in self.holding if row.recommend in feasible), None)

    def takes(self, row: Rule) -> bool:
        """Return whether a row holds and its strategy is feasible."""
        return row in self.holding and row.recommend in self.feasible

    def refusals(self, strategy: str) -> list[str]:
        """Return why a strategy is ruled out even with resources granted, in words."""
        own = [candidate for candidate in self.candidates if candidate.strategy.id == strategy]
        return list(dict.fromkeys(veto.because for candidate in own for veto in self._refused(candidate)))

    def chosen(self, strategy: str) -> Candidate:
        """Return the candidate that carries a feasible strategy out."""
        return next(c for c in self.candidates if c.strategy.id == strategy and c.feasible)

    def _refused(self, candidate: Candidate) -> list[Veto]:
        unusable = self.facts.values["llm_usable"] is False and not candidate.traits["candidate.needs_weights"]
        rows = self.base.requirements[candidate.strategy.id]
        scarce = {row.id for row in rows if is_resource(row) and not (unusable and is_about_answers(row))}
        return [veto for veto in candidate.vetoes if veto.requirement not in scarce]


Confirm = Callable[[list[Replay]], bool]


class Witnesses:
    """Finds witnesses of formulas over one or two projects in one solver."""

    def __init__(self, table: Table) -> None:
        self.table, self.base, self.project = table, table.base, table.project
        answered = self.project.answered.items()
        self.unsaid = [z3.Not(literal) for name, literal in answered if name not in INDISPENSABLE]
        self.generous = self._generous(table)

    def find(self, wanted: Sequence[z3.BoolRef], confirm: Confirm, *others: Project) -> tuple[list[Witness], bool]:
        """Return a witness of satisfiable formulas for each project, and whether the decision confirms them.

        The plainest answers are tried first, then the most generous resources.
        """
        plainest: list[Witness] | None = None
        projects = (self.project, *others)
        plain = [*map(self._few_labels, projects), *self.unsaid]
        for wishes in (plain, [*self.generous, *plain]):
            model = self.prefer(wanted, wishes)
            witnesses = [read(project, model) for project in projects]
            if confirm([Replay(witness, self.base) for witness in witnesses]):
                return witnesses, True
            plainest = plainest or witnesses
        assert plainest is not None
        return plainest, False

    def prefer(self, wanted: Sequence[z3.BoolRef], wishes: Sequence[z3.BoolRef]) -> z3.ModelRef:
        """Return a model of satisfiable formulas that grants as many wishes as it can, the first ones first."""
        kept, given_up = list(wishes), []
        while not self.table.possible(*wanted, *kept):
            at_odds = {literal.get_id() for literal in self.table.solver.unsat_core()}
            last = max(number for number, wish in enumerate(kept) if wish.get_id() in at_odds)
            given_up.append(kept.pop(last))
        model = self.table.solver.model()
        for wish in given_up[-2::-1]:
            if self.table.possible(*wanted, *kept, wish):
                kept.append(wish)
                model = self.table.solver.model()
        return model

    def _few_labels(self, project: Project) -> z3.BoolRef:
        """Return a wish for so few labels that no forecast of what training takes grows out of bounds."""
        literal = z3.Bool(f"{project.mark}: few labels")
        few = project.input("data.labelled").test("at most", _FORECASTABLE_LABELS)
        self.table.solver.add(z3.Implies(literal, few))
        return literal

    def _generous(self, table: Table) -> list[z3.BoolRef]:
        """Wishes that what needs are held against be unlimited: not said where that means no limit, else the most."""
        wishes = []
        for name in _limits_of_needs(self.base):
            answered = table.project.answered[name]
            if name in self.base.assumptions:
                most = table.project.most(name)
                wishes.append(table.name(f"generous {name}", z3.And(answered, most)))
            else:
                wishes.append(z3.Not(answered))
        return wishes


def read(project: Project, model: z3.ModelRef) -> Witness:
    """Return the answers that a model gives, in the order of the questions."""
    answers: dict[str, Value] = {}
    for name, answered in project.answered.items():
        if not z3.is_true(model.eval(answered)):
            continue
        quantity = project.inputs[name]
        value = model.eval(quantity.term, model_completion=True)
        if isinstance(quantity, Word):
            answers[name] = quantity.words[value.as_long()]
        elif isinstance(quantity, YesNo):
            answers[name] = z3.is_true(value)
        elif z3.is_int_value(value):
            answers[name] = value.as_long()
        else:
            answers[name] = float(value.as_fraction())
    device = project.base.assumptions.get(_DEVICE)
    if device:
        # Without a device named, recommend would fill in what the machine it runs on has.
        answers.setdefault(_DEVICE, device.value)
    return answers


def _limits_of_needs(base: RuleBase) -> list[str]:
    tests = [test for rows in base.requirements.values() for row in rows for test in row.condition.tests()]
    limits = [test.reference for test in tests if test.fact.startswith("need.") and test.reference]
    return [name for name in dict.fromkeys(limits) if name in FACTS and FACTS[name].about == "project"]
