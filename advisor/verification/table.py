"""The decision table over one project as named z3 literals: which rows hold, what is feasible, which row wins."""

from collections.abc import Iterator, Mapping, Sequence

import z3

from advisor.errors import AdvisorError
from advisor.verification.options import Options
from advisor.verification.project import Project
from advisor.verification.terms import ALWAYS, truth


class Table:
    """The rows over one project, in the order in which the decision goes through them.

    A table over a second project takes the literals of the first, ``like``, for all that is the same in both.

    Attributes:
        holds: by row, whether its condition is true.
        feasible: by strategy.
        granted: by strategy, whether it would be feasible with resources granted.
        takes: by row, whether it holds and its strategy is feasible; ``takes_granted`` grants resources.
        first: by row, whether it holds and no row before it does.
        wins: by row, whether it takes and no row before it does; ``wins_granted`` grants resources.
    """

    def __init__(self, solver: z3.Solver, project: Project, like: "Table | None" = None) -> None:
        self.solver, self.project, self.base = solver, project, project.base
        self._named: dict[str, tuple[z3.BoolRef, z3.BoolRef]] = {}
        self._like = like._named if like else {}
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

    def each(self, literals: Mapping[int, z3.BoolRef], *given: z3.BoolRef) -> Iterator[int]:
        """Yield the number of every literal that can hold under what is given, asking for all that are left at once."""
        left = dict(literals)
        while left:
            some = self.name(f"some of {' '.join(map(str, left.values()))}", z3.Or(list(left.values())))
            if not self.possible(some, *given):
                return
            number = true_in(self.solver.model(), left)
            del left[number]
            yield number

    def name(self, name: str, formula: z3.BoolRef) -> z3.BoolRef:
        """Return a literal that stands for a formula; where a table like this has it already, that table's."""
        known, literal = self._like.get(name, (None, None))
        if known is None or literal is None or not known.eq(formula):
            literal = z3.Bool(f"{self.project.mark}: {name}")
            self.solver.add(literal == formula)
        self._named[name] = (formula, literal)
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


def true_in(model: z3.ModelRef, literals: Mapping[int, z3.BoolRef]) -> int:
    """Return the number of the first literal that a model makes true.

    Raises:
        StopIteration: it makes none true.
    """
    return next(number for number, literal in literals.items() if z3.is_true(model.eval(literal)))
