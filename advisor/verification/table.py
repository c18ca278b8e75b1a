"""The decision table over one project as named z3 literals: which rows hold, what is feasible, which row wins."""

from collections.abc import Sequence

import z3

from advisor.errors import AdvisorError
from advisor.verification.options import Options
from advisor.verification.project import Project
from advisor.verification.terms import ALWAYS, truth


class Table:
    """The rows over one project, in the order in which the decision goes through them.

    Attributes:
        holds: by row, whether its condition is true.
        feasible: by strategy.
        granted: by strategy, whether it would be feasible with resources granted.
        takes: by row, whether it holds and its strategy is feasible; ``takes_granted`` grants resources.
        first: by row, whether it holds and no row before it does.
        wins: by row, whether it takes and no row before it does; ``wins_granted`` grants resources.
    """

    def __init__(self, solver: z3.Solver, project: Project) -> None:
        self.solver, self.project, self.base = solver, project, project.base
        self.rows = self.base.rules
        self.options = Options(project)
        self.holds = [
            self.name(f"row {row.id}", truth(row.condition, project.fact, self.base.limits).true) for row in self.rows
        ]
        strategies = self.options.by_strategy
        self.feasible = {s: self.name(f"feasible {s}", self.options.feasible(s)) for s in strategies}
        self.granted = {s: self.name(f"granted {s}", self.options.feasible(s, granted=True)) for s in strategies}
        self.takes, self.takes_granted = self._takes("takes", self.feasible), self._takes("takes granted", self.granted)
        self.first = self._foremost("first", self.holds)
        self.wins = self._foremost("wins", self.takes)
        self.wins_granted = self._foremost("wins granted", self.takes_granted)
        solver.add(*project.laws(), *self.options.laws)

    def possible(self, *wanted: z3.BoolRef) -> bool:
        """Return whether formulas can hold together.

        Raises:
            AdvisorError: z3 cannot tell, which tests that compare labels per class with another fact may bring about.
        """
        answer = self.solver.check(*wanted)
        if answer == z3.unknown:
            raise AdvisorError(f"z3 cannot decide a proof about the rule base ({self.solver.reason_unknown()})")
        return bool(answer == z3.sat)

    def name(self, name: str, formula: z3.BoolRef) -> z3.BoolRef:
        """Return a literal that stands for a formula."""
        literal = z3.Bool(f"{self.project.mark}: {name}")
        self.solver.add(literal == formula)
        return literal

    def _takes(self, name: str, feasible: dict[str, z3.BoolRef]) -> list[z3.BoolRef]:
        return [
            self.name(f"{name} {number}", z3.And(self.holds[number], feasible[row.recommend]))
            for number, row in enumerate(self.rows)
        ]

    def _foremost(self, name: str, conditions: Sequence[z3.BoolRef]) -> list[z3.BoolRef]:
        found, before = [], ALWAYS
        for number, condition in enumerate(conditions):
            found.append(self.name(f"{name} {number}", z3.And(before, condition)))
            before = self.name(f"not before {name} {number + 1}", z3.And(before, z3.Not(condition)))
        return found


def true_in(model: z3.ModelRef, literals: Sequence[z3.BoolRef]) -> int:
    """Return the number of the first literal that a model makes true.

    Raises:
        StopIteration: it makes none true.
    """
    return next(number for number, literal in enumerate(literals) if z3.is_true(model.eval(literal)))
