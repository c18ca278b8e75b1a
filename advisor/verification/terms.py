"""Terms: facts as z3 expressions, each with whether it is known, and conditions on them as Kleene truth values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any, Protocol

import z3

from advisor.knowledge.conditions import COMPARE, Condition, Group, Test

ALWAYS, NEVER = z3.BoolVal(True), z3.BoolVal(False)


class Quantity(Protocol):
    """A fact's value, which means something only where ``known`` holds."""

    @property
    def known(self) -> z3.BoolRef:
        """Whether there is a value."""

    @property
    def term(self) -> z3.ExprRef:
        """The value."""

    def test(self, relation: str, limit: Any) -> z3.BoolRef:
        """Compare the value with a plain one."""


@dataclass(frozen=True)
class Number:
    """A number, whole where its term is."""

    known: z3.BoolRef
    term: z3.ArithRef

    def test(self, relation: str, limit: float) -> z3.BoolRef:
        """Compare exactly; a whole number is compared with whole numbers, which z3 decides faster."""
        bound = Fraction(limit)
        if not z3.is_int(self.term):
            return COMPARE[relation](self.term, rational(bound))
        if bound.denominator == 1:
            return COMPARE[relation](self.term, int(bound))
        if relation in ("is", "not"):
            return z3.BoolVal(relation == "not")
        return self.term >= ceil(bound) if relation in ("above", "at least") else self.term <= floor(bound)


@dataclass(frozen=True)
class Ratio:
    """A whole number divided by a positive one; compared with a plain number it stays linear."""

    above: Number
    below: Number

    @property
    def known(self) -> z3.BoolRef:
        """Whether both are."""
        return z3.And(self.above.known, self.below.known)

    @property
    def term(self) -> z3.ArithRef:
        """The quotient, which is not linear."""
        return z3.ToReal(self.above.term) / z3.ToReal(self.below.term)

    def test(self, relation: str, limit: float) -> z3.BoolRef:
        """Compare by multiplying out."""
        bound = Fraction(limit)
        return COMPARE[relation](bound.denominator * self.above.term, bound.numerator * self.below.term)


@dataclass(frozen=True)
class AtLeast:
    """A number, or ``floor`` where that is known and more; compared with a plain number it stays as linear as both."""

    number: Number | Ratio
    floor: Number

    @property
    def known(self) -> z3.BoolRef:
        """Whether the number is."""
        return self.number.known

    @property
    def term(self) -> z3.ArithRef:
        """The larger one."""
        return z3.If(z3.And(self.floor.known, self.floor.term > self.number.term), self.floor.term, self.number.term)

    def test(self, relation: str, limit: float) -> z3.BoolRef:
        """Compare either where one that is large suffices, both where neither may be large."""
        number, floor = self.number.test(relation, limit), self.floor.test(relation, limit)
        if relation in ("above", "at least"):
            return z3.Or(number, z3.And(self.floor.known, floor))
        if relation in ("below", "at most"):
            return z3.And(number, z3.Or(z3.Not(self.floor.known), floor))
        return COMPARE[relation](self.term, rational(Fraction(limit)))


@dataclass(frozen=True)
class Word:
    """One of some words, by its place among them."""

    known: z3.BoolRef
    term: z3.ArithRef
    words: tuple[str, ...]

    def test(self, relation: str, limit: str) -> z3.BoolRef:
        """Compare with a word; one that is not among them is never met."""
        same = self.term == self.words.index(limit) if limit in self.words else NEVER
        return z3.Not(same) if relation == "not" else same

    def among(self, words: Any) -> z3.BoolRef:
        """Whether the word is known and among ``words``."""
        return z3.And(self.known, z3.Or([self.test("is", word) for word in words]))


@dataclass(frozen=True)
class YesNo:
    """Yes or no."""

    known: z3.BoolRef
    term: z3.BoolRef

    def test(self, relation: str, limit: bool) -> z3.BoolRef:
        """Compare with yes or no."""
        return self.term if limit is (relation == "is") else z3.Not(self.term)


@dataclass(frozen=True)
class Cases:
    """``first`` where ``guard`` holds, else ``otherwise``."""

    guard: z3.BoolRef
    first: Quantity
    otherwise: Quantity

    @property
    def known(self) -> z3.BoolRef:
        """Whether the case that applies is known."""
        return z3.If(self.guard, self.first.known, self.otherwise.known)

    @property
    def term(self) -> z3.ExprRef:
        """The value of the case that applies."""
        return z3.If(self.guard, self.first.term, self.otherwise.term)

    def test(self, relation: str, limit: Any) -> z3.BoolRef:
        """Compare the case that applies."""
        return z3.If(self.guard, self.first.test(relation, limit), self.otherwise.test(relation, limit))


@dataclass(frozen=True)
class Truth:
    """A condition in Kleene's logic: where it is true and where it is false; elsewhere it is unknown."""

    true: z3.BoolRef
    false: z3.BoolRef


def truth(condition: Condition, fact: Callable[[str], Quantity], limits: Mapping[str, float]) -> Truth:
    """Return where a condition is true and where it is false, as `Condition.evaluate` finds.

    Args:
        condition: the typed condition.
        fact: the quantity of a fact by name.
        limits: threshold values by name.
    """
    if isinstance(condition, Group):
        members = [truth(member, fact, limits) for member in condition.members]
        true, false = [member.true for member in members], [member.false for member in members]
        if condition.kind == "all":
            return Truth(z3.And(true), z3.Or(false))
        return Truth(z3.Or(true), z3.And(false))
    return _compared(condition, fact, limits)


def _compared(test: Test, fact: Callable[[str], Quantity], limits: Mapping[str, float]) -> Truth:
    left = fact(test.fact)
    if test.reference is None or test.reference in limits:
        known, holds = left.known, left.test(test.relation, test.limit({}, limits))
    else:
        right = fact(test.reference)
        known, holds = z3.And(left.known, right.known), COMPARE[test.relation](left.term, right.term)
    return Truth(z3.And(known, holds), z3.And(known, z3.Not(holds)))


def rational(number: Fraction) -> z3.RatNumRef:
    """Return a number as an exact z3 constant."""
    return z3.Q(number.numerator, number.denominator)
