"""A sweep: the verdict along one input, all other answers as they are."""

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import pairwise
from math import inf

from advisor.decision.candidates import Candidate
from advisor.decision.facts import Facts
from advisor.decision.nearby import Nearby, Verdict
from advisor.decision.steps import Steps, changes, first_other
from advisor.knowledge.conditions import Test
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import INPUTS

LABELS = "data.labelled"


class Sweep:
    """One input swept through its values.

    Exact for tests that compare the input itself. A test on what follows from the input, and a forecast compared with
    a limit, is taken to turn at most once between two neighbouring limits of the input.

    Attributes:
        name: of the input.
        moves: the answers that change with it, itself included, and the facts derived from them.
    """

    def __init__(self, nearby: Nearby, candidates: Iterable[Candidate], name: str) -> None:
        self.nearby, self.name = nearby, name
        self._candidates = tuple(candidates)
        inputs = frozenset({name})
        if name == LABELS and nearby.answers.get("data.smallest_class") is not None:
            inputs |= {"data.smallest_class"}
        self.moves = inputs | nearby.moves(inputs)
        self._facts: dict[int, Facts] = {}

    @cached_property
    def matters(self) -> bool:
        """Whether any row or feasibility rests on the input."""
        return any(name in self.nearby.base.tests for name in self.moves) or self._gradual

    @cached_property
    def steps(self) -> Steps:
        """The values of a number; the rarest class has at most its even share of the labels."""
        high = inf
        if self.name == "data.smallest_class":
            labelled, classes = (self.nearby.facts.values.get(name) for name in (LABELS, "data.classes"))
            if isinstance(labelled, int | float):
                high = labelled // (classes if isinstance(classes, int | float) else 1)
        return Steps(INPUTS[self.name], high=high)

    def at(self, value: Value) -> Verdict | None:
        """Return the verdict at a value."""
        return self.nearby.with_answer(self.name, value)

    def along(self, start: int, stop: int) -> Iterator[tuple[Value, Verdict | None]]:
        """Yield value and verdict at ``start``, and wherever towards ``stop`` another strategy is recommended.

        Args:
            start: place of the first value among the steps.
            stop: place of the last, on either side.
        """
        if start < self.steps.first or start > self.steps.last:
            return

        verdict = lru_cache(maxsize=None)(lambda place: self.at(self.steps[place]))
        turns = self._turns(min(start, stop), max(start, stop))
        for place, found in changes(verdict, start, stop, turns, gradual=self._gradual):
            yield self.steps[place], found

    def others(self) -> Iterator[tuple[Value, Verdict | None]]:
        """Yield the other words, or every stretch of numbers, with the verdict there."""
        fact, now = FACTS[self.name], self.nearby.facts.values.get(self.name)
        if fact.kind == "number":
            yield from self.along(self.steps.first, self.steps.last)
        choices: tuple[Value, ...] = (True, False) if fact.kind == "yes-no" else fact.choices
        for choice in choices:
            if choice != now:
                yield choice, self.at(choice)

    @cached_property
    def _gradual(self) -> bool:
        """Whether a forecast or a candidate's own facts rest on the input, not only a limit it is compared with."""
        strategies = {candidate.strategy.id for candidate in self._candidates}
        return any(not self.moves.isdisjoint(self.nearby.made_from(strategy)) for strategy in strategies)

    def _turns(self, low: int, high: int) -> set[int]:
        """Return the places between two where a test on what moves turns out otherwise."""
        tests = {test: None for name in self.moves for test in self.nearby.base.tests.get(name, ())}
        direct = {place for test in tests for limit in self._limits(test) for place in self.steps.around(limit)}
        samples = sorted({low, high, *(place for place in direct if low < place < high)})
        bent = [test for test in tests if not self.moves.isdisjoint(test.names - {self.name})]
        return direct | {place for test in bent for place in self._bends(test, samples)}

    def _limits(self, test: Test) -> Iterator[float]:
        """Yield what the input itself is compared with, where that does not move."""
        others = test.names - {self.name}
        if self.name not in test.names or not self.moves.isdisjoint(others):
            return
        limits: set[Value] = {test.value}
        for other in others:
            fact, known = FACTS.get(other), self.nearby.facts.values
            limits |= {self.nearby.base.limits.get(other), known.get(other)}
            if fact and fact.about == "candidate":
                limits |= {candidate.facts.get(other) for candidate in self._candidates}
        for limit in limits:
            if isinstance(limit, int | float):
                yield float(limit)

    def _bends(self, test: Test, samples: list[int]) -> Iterator[int]:
        """Yield where a test on what follows from the input turns, by bisection between samples."""

        def held(place: int) -> bool | None:
            return test.evaluate(self._at(place).values, self.nearby.base.limits)

        for near, far in pairwise(samples):
            if held(near) != held(far):
                yield first_other(held, near, far)

    def _at(self, place: int) -> Facts:
        if place not in self._facts:
            self._facts[place] = self.nearby.facts_with(self.name, self.steps[place])
        return self._facts[place]
