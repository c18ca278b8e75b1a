"""Proofs about a decision table: no gap, no conflict, no idle row, no row against its strategy's requirements."""

from collections.abc import Iterator
from functools import cached_property, partial
from itertools import groupby
from typing import Any

import z3

from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase
from advisor.verification.monotone import Monotone
from advisor.verification.options import is_resource
from advisor.verification.project import Project
from advisor.verification.report import Finding, finding
from advisor.verification.table import Table
from advisor.verification.terms import truth
from advisor.verification.upkeep import table_rows
from advisor.verification.witness import Replay, Witnesses


def prove(base: RuleBase) -> list[Finding]:
    """Return every fault that can be proven, each with a witness where there can be one."""
    solver = z3.Solver()
    # Guessing false first halves the time: of many rows few hold, and of many strategies few are ruled out.
    solver.set("smt.phase_selection", 0)
    table = Table(solver, Project(base))
    proofs = Proofs(table)
    monotone = Monotone(table, proofs.witnesses)
    checks = (
        proofs.gaps,
        proofs.conflicts,
        proofs.dead,
        proofs.masked,
        proofs.unsound,
        monotone.labels,
        monotone.memory,
        monotone.latency,
    )
    return [found for check in checks for found in check()]


class Proofs:
    """The proofs over one project in one incremental solver."""

    def __init__(self, table: Table) -> None:
        self.table, self.base = table, table.base
        self.witnesses = Witnesses(table)

    def gaps(self) -> Iterator[Finding]:
        """Yield profiles in which some strategy is feasible but no row with a feasible one holds.

        Resources are granted first, then withheld. What is feasible in a gap is as little as can be, and no further gap
        is reported in which all of that is feasible again.
        """
        table = self.table
        reported: list[list[str]] = []
        for feasible, takes in ((table.granted, table.takes_granted), (table.feasible, table.takes)):
            scarce = feasible is table.feasible
            gap = [z3.Or(list(feasible.values())), z3.Not(z3.Or(takes))]
            for number in range(2 ** len(feasible)):
                new = [z3.Not(z3.And([feasible[name] for name in names])) for names in reported]
                wanted = table.name(f"{'scarce' if scarce else 'granted'} gap {number}", z3.And(*gap, *new))
                if not table.possible(wanted):
                    break
                model = self.witnesses.prefer([wanted], [z3.Not(feasible[name]) for name in feasible])
                reported.append([name for name in feasible if z3.is_true(model.eval(feasible[name]))])
                fixed = [feasible[name] if name in reported[-1] else z3.Not(feasible[name]) for name in feasible]
                yield self._gap([wanted, *fixed], reported[-1], scarce)

    def _gap(self, wanted: list[z3.BoolRef], strategies: list[str], scarce: bool) -> Finding:
        witnesses, replayed = self.witnesses.find(wanted, _is_gap)
        where = " where resources rule out the rest" if scarce else ""
        sentence = f"no row that holds recommends what is feasible{where}: {', '.join(strategies)}"
        place = self.base.rules[-1].place if self.base.rules else ""
        return Finding("gap", sentence, tuple(strategies), (place,), tuple(witnesses), replayed)

    def conflicts(self) -> Iterator[Finding]:
        """Yield rows of equal priority that recommend different strategies, hold at once and are both feasible."""
        takes, rules = self.table.takes, self.base.rules
        for _, equal in groupby(range(len(rules)), key=lambda number: rules[number].priority):
            first, *later = equal
            while later:
                rivals = {n: takes[n] for n in later if rules[n].recommend != rules[first].recommend}
                for rival in self.table.each(rivals, takes[first]):
                    yield self._conflict(first, rival)
                first, *later = later

    def _conflict(self, first: int, second: int) -> Finding:
        one, other = self.base.rules[first], self.base.rules[second]
        both = [self.table.takes[first], self.table.takes[second]]
        if self.table.possible(self.table.wins[first], *both):
            both.append(self.table.wins[first])
        witnesses, replayed = self.witnesses.find(both, partial(_all_take, rows=(one, other)))
        sentence = (
            f"{other.id} ({other.recommend}) and {one.id} ({one.recommend}) hold at once with equal priority "
            f"{one.priority}"
        )
        return finding("conflict", sentence, (other, one), witnesses, replayed)

    def dead(self) -> Iterator[Finding]:
        """Yield rows, of the decision table and of the lists beside it, whose condition can never be true."""
        alive = [self.base.rules[number] for number in self._winners]
        for row in table_rows(self.base):
            if row not in alive and not self._can_hold(row):
                yield finding("dead", f"the condition of {row.id} can never hold", (row,))

    def masked(self) -> Iterator[Finding]:
        """Yield rows that hold and are feasible, but never win: rows above them always do."""
        for number, row in enumerate(self.base.rules):
            takes = self.table.takes[number]
            if number in self._winners or number not in self._takers:
                continue
            above = self._masks(number)
            names = " or ".join(other.id for other in above)
            witnesses, replayed = self.witnesses.find([takes], partial(_is_passed_over, row=row))
            sentence = f"{row.id} can hold but never decides: wherever it does, {names} stands above it"
            yield finding("masked", sentence, (row, *above), witnesses, replayed)

    def unsound(self) -> Iterator[Finding]:
        """Yield rows that hold above all others although a requirement rules their strategy out.

        Resources are granted, another strategy is feasible, and the base model suits language and licence, which no row
        can test.
        """
        other = self.table.name("something granted", z3.Or(list(self.table.granted.values())))
        suits = self.table.name("model suits", self.table.options.model_suits)
        refused = {
            number: self.table.name(
                f"refused {number}", z3.And(self.table.first[number], z3.Not(self.table.granted[row.recommend]))
            )
            for number, row in enumerate(self.base.rules)
        }
        found = set(self.table.each(refused, other, suits))
        for number, row in enumerate(self.base.rules):
            holds = self.table.holds[number]
            if number in found:
                yield from self._refusals(row, [refused[number], other, suits])
            elif (
                number not in self._winners
                and self.table.possible(holds)
                and not self.table.possible(self.table.takes[number])
            ):
                sentence = f"{row.id} recommends {row.recommend}, which is ruled out wherever it holds"
                witnesses, replayed = self.witnesses.find([holds], partial(_is_refused, row=row))
                yield finding("unsound", sentence, (row,), witnesses, replayed)

    def _refusals(self, row: Rule, wanted: list[z3.BoolRef]) -> Iterator[Finding]:
        """Yield a finding for each requirement that alone rules the row's strategy out, or one for several together."""
        options, alone = self.table.options, []
        for name in dict.fromkeys(r.id for r in self.base.requirements[row.recommend] if not is_resource(r)):
            label = f"granted {row.recommend} without {name}"
            without = self.table.name(label, options.feasible(row.recommend, granted=True, without=name))
            if self.table.possible(*wanted, without):
                alone.append([*wanted, without])
        told = set[str]()
        for case in alone or [wanted]:
            witnesses, replayed = self.witnesses.find(case, partial(_is_refused_first, row=row))
            reasons = "; ".join(Replay(witnesses[0], self.base).refusals(row.recommend))
            if reasons not in told:
                told.add(reasons)
                sentence = f"{row.id} recommends {row.recommend} where it is ruled out: {reasons}"
                yield finding("unsound", sentence, (row,), witnesses, replayed)

    @cached_property
    def _winners(self) -> set[int]:
        """The numbers of the rows that decide for some profile."""
        return {number for number, wins in enumerate(self.table.wins) if self.table.possible(wins)}

    @cached_property
    def _takers(self) -> set[int]:
        """The numbers of the rows that hold with a feasible strategy for some profile."""
        rest = {number: takes for number, takes in enumerate(self.table.takes) if number not in self._winners}
        return self._winners | {number for number, takes in rest.items() if self.table.possible(takes)}

    def _can_hold(self, row: Any) -> bool:
        holds = truth(row.condition, self.table.project.fact, self.base.limits).true
        return self.table.possible(self.table.name(f"{row.place} holds", holds))

    def _masks(self, number: int) -> list[Rule]:
        """Return few rows above a masked one that mask it together."""
        takes = self.table.takes
        kept = list(range(number))
        self.table.solver.check(takes[number], *(z3.Not(takes[above]) for above in kept))
        core = {literal.get_id() for literal in self.table.solver.unsat_core()}
        kept = [above for above in kept if z3.Not(takes[above]).get_id() in core]
        for above in list(kept):
            fewer = [other for other in kept if other != above]
            if not self.table.possible(takes[number], *(z3.Not(takes[other]) for other in fewer)):
                kept = fewer
        return [self.base.rules[above] for above in kept]


def _is_gap(played: list[Replay]) -> bool:
    return bool(played[0].feasible) and played[0].winner(played[0].feasible) is None


def _all_take(played: list[Replay], rows: tuple[Rule, ...]) -> bool:
    return all(map(played[0].takes, rows))


def _is_passed_over(played: list[Replay], row: Rule) -> bool:
    return played[0].takes(row) and played[0].winner(played[0].feasible) != row


def _is_refused(played: list[Replay], row: Rule) -> bool:
    return row in played[0].holding and row.recommend not in played[0].granted


def _is_refused_first(played: list[Replay], row: Rule) -> bool:
    return _is_refused(played, row) and played[0].holding[0] == row and bool(played[0].granted)
