"""Monotone advice: what more labels, more memory and a tighter limit on latency must never do."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product

import z3

from advisor.knowledge.rows import Requirement, Rule
from advisor.strategies import STRATEGIES
from advisor.verification.options import Option
from advisor.verification.project import Project
from advisor.verification.report import Finding, finding
from advisor.verification.table import Table, true_in
from advisor.verification.witness import Replay, Witnesses

_LABELS, _SMALLEST = "data.labelled", "data.smallest_class"
_MEMORY, _LATENCY, _LATENCY_NEED = "compute.memory_gb", "serving.latency_ms_p95", "need.latency_ms"


class Monotone:
    """The proofs over two projects that differ in one way, in one incremental solver."""

    def __init__(self, before: Table, witnesses: Witnesses) -> None:
        self.before, self.witnesses = before, witnesses
        self.base = before.base

    def labels(self) -> Iterator[Finding]:
        """Yield prompting rows that more labels lead to from another family, with resources granted."""
        with self._changed("more labels", _LABELS, _SMALLEST) as after:
            prompting = {n for n, row in enumerate(self.base.rules) if STRATEGIES[row.recommend].family == "prompting"}
            former = {n: wins for n, wins in enumerate(self.before.wins_granted) if n not in prompting}
            more = z3.And(self._grows(after, _LABELS), self._grows(after, _SMALLEST))
            left = after.name("from another family", z3.And(more, z3.Or(list(former.values()))))
            for number in after.each({n: after.wins_granted[n] for n in prompting}, left):
                row, old = self.base.rules[number], self._old(former, left, after.wins_granted[number])
                witnesses, replayed = self.witnesses.find(
                    [left, self.before.wins_granted[old], after.wins_granted[number]],
                    partial(_win, rows=(self.base.rules[old], row), granted=True),
                    after.project,
                )
                sentence = f"more labels lead from {self.base.rules[old].recommend} to prompting by {row.id}"
                yield finding("monotone", sentence, (row, self.base.rules[old]), witnesses, replayed)

    def memory(self) -> Iterator[Finding]:
        """Yield requirements that rule out with more memory what they passed with less, needs being equal."""
        with self._changed("more memory", _MEMORY) as after:
            more = after.name("changed", self._grows(after, _MEMORY))
            seen: set[str] = set()
            for old, new in _pairs(self.before, after):
                for row in self.base.requirements[old.strategy.id]:
                    if old.vetoes[row.id].eq(new.vetoes[row.id]):
                        continue
                    turns = after.name(
                        f"{row.id} turns on {old.strategy.id} on {old.engine}",
                        z3.And(old.passes([row.id]), new.available, new.vetoes[row.id]),
                    )
                    if row.place in seen or not self.before.possible(more, turns):
                        continue
                    seen.add(row.place)
                    witnesses, replayed = self.witnesses.find(
                        [more, turns], partial(_turns, option=old, row=row), after.project
                    )
                    sentence = f"more memory makes {row.id} rule {old.strategy.id} out"
                    yield finding("monotone", sentence, (row,), witnesses, replayed)

    def latency(self) -> Iterator[Finding]:
        """Yield rows that a tighter limit leads to although they are slower than what still fits."""
        with self._changed("tighter latency", _LATENCY) as after:
            tighter = after.name("changed", z3.Not(self._grows(after, _LATENCY)))
            limited = after.name("limited", after.project.input(_LATENCY).known)
            slower = after.name("slower", z3.And(self._moves(after), z3.Or(list(self._slower(after)))))
            for number in after.each(dict(enumerate(after.wins)), tighter, limited, slower):
                row, wanted = self.base.rules[number], [tighter, limited, slower, after.wins[number]]
                old = self._old(dict(enumerate(self.before.wins)), *wanted)
                witnesses, replayed = self.witnesses.find(
                    [*wanted, self.before.wins[old]],
                    partial(_slows, rows=(self.base.rules[old], row)),
                    after.project,
                )
                former = self.base.rules[old].recommend
                sentence = (
                    f"a tighter limit on latency leads to {row.recommend} by {row.id}, although {former} still fits "
                    "and may be faster"
                )
                yield finding("monotone", sentence, (row, self.base.rules[old]), witnesses, replayed)

    def _slower(self, after: Table) -> Iterator[z3.BoolRef]:
        """Yield that the option picked after is slower than the one picked before, which still fits."""
        before, later = _picks(self.before), _picks(after)
        for (old, picked), (new, picked_later) in product(before, later):
            if (old.strategy, old.engine) == (new.strategy, new.engine):
                continue
            if _LATENCY_NEED in old.needs and _LATENCY_NEED in new.needs:
                fits = _same(after, old).passes(_ids(after, old))
                yield z3.And(picked, picked_later, fits, new.needs[_LATENCY_NEED].term > old.needs[_LATENCY_NEED].term)

    def _moves(self, after: Table) -> z3.BoolRef:
        """Return that a row holds on one side alone, or that an option passes after only.

        Without either, what was picked and still fits stays picked: the same rows hold, and no strategy above is new.
        Saying so spares z3 that proof.
        """
        rows = zip(self.before.holds, after.holds, strict=True)
        gained = (
            z3.And(new.passes(_ids(after, new)), z3.Not(old.passes(_ids(after, old))))
            for old, new in _pairs(self.before, after)
        )
        return z3.Or([*(old != new for old, new in rows if not old.eq(new)), *gained])

    @contextmanager
    def _changed(self, mark: str, *names: str) -> Iterator[Table]:
        """Have a second project in the solver for a while."""
        self.before.solver.push()
        yield Table(self.before.solver, Project(self.base, names, mark), self.before)
        self.before.solver.pop()

    def _old(self, literals: dict[int, z3.BoolRef], *wanted: z3.BoolRef) -> int:
        """Return a row that decides before where these, which can hold together, do."""
        self.before.possible(*wanted)
        return true_in(self.before.solver.model(), literals)

    def _grows(self, after: Table, name: str) -> z3.BoolRef:
        return after.project.input(name).term >= self.before.project.input(name).term


def _picks(table: Table) -> list[tuple[Option, z3.BoolRef]]:
    """Return every option with where the verdict picks it: its strategy wins and no preferred engine is feasible."""
    picks = []
    for strategy, options in table.options.by_strategy.items():
        rows = zip(table.rows, table.wins, strict=True)
        free = z3.Or([wins for row, wins in rows if row.recommend == strategy])
        for option in options:
            passes = option.passes(_ids(table, option))
            picks.append((option, z3.And(free, passes)))
            free = z3.And(free, z3.Not(passes))
    return picks


def _ids(table: Table, option: Option) -> list[str]:
    return [row.id for row in table.base.requirements[option.strategy.id]]


def _pairs(before: Table, after: Table) -> list[tuple[Option, Option]]:
    return [(option, _same(after, option)) for options in before.options.by_strategy.values() for option in options]


def _same(table: Table, option: Option) -> Option:
    own = table.options.by_strategy[option.strategy.id]
    return next(other for other in own if other.engine == option.engine)


def _win(played: list[Replay], rows: tuple[Rule, Rule], *, granted: bool = False) -> bool:
    winners = [one.winner(one.granted if granted else one.feasible) for one in played]
    return winners == list(rows)


def _slows(played: list[Replay], rows: tuple[Rule, Rule]) -> bool:
    if not _win(played, rows):
        return False
    old, new = (one.chosen(row.recommend) for one, row in zip(played, rows, strict=True))
    before, after = old.facts.get(_LATENCY_NEED), new.facts.get(_LATENCY_NEED)
    fits = any((c.strategy, c.engine) == (old.strategy, old.engine) and c.feasible for c in played[1].candidates)
    return fits and isinstance(before, float) and isinstance(after, float) and after > before


def _turns(played: list[Replay], option: Option, row: Requirement) -> bool:
    return _vetoes(played[1], option, row) and not _vetoes(played[0], option, row)


def _vetoes(played: Replay, option: Option, row: Requirement) -> bool:
    return any(
        veto.requirement == row.id
        for candidate in played.candidates
        if (candidate.strategy.id, candidate.engine) == (option.strategy.id, option.engine)
        for veto in candidate.vetoes
    )
