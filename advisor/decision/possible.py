"""What is possible: the values that facts can still take while questions are open, and which conditions are settled."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from itertools import product
from math import prod

from advisor.decision.derived import IMPLIED, Answers, derivations
from advisor.decision.facts import Facts, Reads, project_facts
from advisor.knowledge.conditions import Condition, Group, Test, Values
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import INPUTS
from advisor.settings import load_settings

Completion = tuple[tuple[str, Value], ...]
_EXACT = {"is", "not"}


class Open:
    """A fact that is not settled: its possible values, of numbers the extremes, None where nothing is known of them.

    Attributes:
        behind: the open inputs that it rests on.
    """

    def __init__(self, values: frozenset[Value] | None, behind: Iterable[str]) -> None:
        self.values, self.behind = values, frozenset(behind)


class Possible:
    """Facts under every answer that open inputs may be given, or be left without.

    What is derived from numbers is taken to rise or fall throughout with each of them, so that its extremes lie where
    they have theirs.

    Attributes:
        facts: as they are while the open inputs stay unanswered.
        open: the facts of the project that are not settled, by name.
    """

    def __init__(self, answers: Answers, base: RuleBase, inputs: Collection[str]) -> None:
        self.answers, self.base = answers, base
        self.facts = project_facts(answers, base)
        self.open = {name: Open(self._domain(name), [name]) for name in inputs}
        self._most = int(load_settings("explanation.yaml")["completions_tried"])
        for name, derive in (IMPLIED | derivations(base)).items():
            if answers.get(name) is None and name not in self.open:
                found, behind = self.of(partial(_derived, name, derive))
                self.open |= {name: Open(None, behind)} if found is None else found

    def of(self, compute: Callable[[Facts], Mapping[str, Value]]) -> tuple[dict[str, Open] | None, list[str]]:
        """Return which of the values that are computed from facts are not settled, and the open inputs asked for.

        Args:
            compute: returns values by name; a name that is missing for some answers counts as None there.

        Returns:
            None instead of the values where the inputs cannot be gone through.
        """
        behind: list[str] = []
        while True:
            domains = [self.open[name].values for name in behind]
            listed = None not in domains and prod(len(values or ()) for values in domains) <= self._most
            completions = self._all(behind) if listed else self._singly(behind)
            found, read = {}, set[str]()
            for completion in completions:
                facts = self._completed(dict(completion))
                reads = Reads(facts.values)
                found[completion] = compute(Facts(reads, facts.assumed))
                read |= reads.names
            wanted = {name for fact in read if fact in self.open for name in self.open[fact].behind}
            if wanted <= set(behind):
                return (_varying(found, behind) if listed else None), behind
            behind = sorted(wanted.union(behind))

    def _all(self, behind: list[str]) -> Iterable[Completion]:
        """Return every way of answering open inputs."""
        values = (sorted(self.open[name].values or (), key=_order) for name in behind)
        return (tuple(zip(behind, completion, strict=True)) for completion in product(*values))

    def _singly(self, behind: list[str]) -> Iterable[Completion]:
        """Return ways of answering that differ in one open input, the others unanswered or as great as can be."""
        values = {name: sorted(self.open[name].values or (), key=_order) for name in behind if self.open[name].values}
        for others in ({}, {name: listed[-1] for name, listed in values.items()}):
            yield tuple(others.items())
            yield from (tuple({**others, name: value}.items()) for name in values for value in values[name])

    def outcome(
        self, condition: Condition, open_facts: Mapping[str, Open], values: Values, *, unknown: bool
    ) -> bool | None:
        """Return whether a condition holds whatever the open answers, never holds, or None where they decide.

        Args:
            condition: of a row or a requirement.
            open_facts: what is not settled of the facts it mentions.
            values: what is.
            unknown: how a test counts whose value stays unknown: a row must hold, a requirement must not fail.
        """
        if isinstance(condition, Test):
            return self._tested(condition, open_facts, values, unknown=unknown)
        outcomes = [self.outcome(member, open_facts, values, unknown=unknown) for member in condition.members]
        decisive = condition.kind == "any"
        if decisive in outcomes:
            return decisive
        return None if None in outcomes else not decisive

    def waited_for(
        self, condition: Condition, open_facts: Mapping[str, Open], values: Values, *, unknown: bool
    ) -> set[str]:
        """Return the open inputs behind the tests of a condition that are not settled."""
        if isinstance(condition, Group):
            members = (m for m in condition.members if self.outcome(m, open_facts, values, unknown=unknown) is None)
            return {n for m in members for n in self.waited_for(m, open_facts, values, unknown=unknown)}
        return {name for fact in condition.names if fact in open_facts for name in open_facts[fact].behind}

    def _tested(self, test: Test, open_facts: Mapping[str, Open], values: Values, *, unknown: bool) -> bool | None:
        compared = [name for name in test.names if name not in self.base.limits]
        if any(name not in open_facts and values.get(name) is None for name in compared):
            return unknown
        sides = [open_facts[name].values if name in open_facts else frozenset([values[name]]) for name in compared]
        if None in sides or (
            test.relation in _EXACT and test.fact in open_facts and _is_range(sides[0] or frozenset())
        ):
            return None
        held = {
            test.evaluate(dict(zip(compared, pair, strict=True)), self.base.limits)
            for pair in product(*(side or () for side in sides))
        }
        outcomes = {unknown if outcome is None else outcome for outcome in held}
        return outcomes.pop() if len(outcomes) == 1 else None

    def _completed(self, completion: Mapping[str, Value]) -> Facts:
        return project_facts({**self.answers, **completion}, self.base) if completion else self.facts

    def _domain(self, name: str) -> frozenset[Value] | None:
        """Return an input's possible values; None among them where nothing is assumed for it."""
        asked, fact = INPUTS[name], FACTS.get(name)
        if fact is None or (fact.kind == "word" and not fact.choices):
            return None
        values: set[Value] = {True, False} if fact.kind == "yes-no" else set(fact.choices)
        if fact.kind == "number":
            labelled = self.answers.get("data.labelled")
            whole = name == "data.smallest_class" and isinstance(labelled, int)
            values = {asked.low, labelled if whole else asked.high}
        return frozenset(values if name in self.base.assumptions else values | {None})


def _derived(name: str, derive: Callable[[Values], Value], facts: Facts) -> dict[str, Value]:
    """Return a fact by name, having asked for what it is derived from or implied by."""
    derive(facts.values)
    return {name: facts.values[name]}


def _varying(found: Mapping[Completion, Mapping[str, Value]], behind: list[str]) -> dict[str, Open]:
    """Return the values that differ between completions, and the inputs that alone make a difference."""
    varying = {}
    for name in dict.fromkeys(name for values in found.values() for name in values):
        values = {completion: computed.get(name) for completion, computed in found.items()}
        if len(set(values.values())) > 1:
            makes = [behind[place] for place in range(len(behind)) if _matters(values, place)]
            varying[name] = Open(frozenset(values.values()), makes)
    return varying


def _matters(values: Mapping[Completion, Value], place: int) -> bool:
    """Return whether completions that differ in one place only have different values."""
    seen: dict[Completion, Value] = {}
    return any(seen.setdefault((*c[:place], *c[place + 1 :]), value) != value for c, value in values.items())


def _order(value: Value) -> tuple[bool, float, str]:
    """Return what puts possible values in order, the lack of an answer first."""
    return value is not None, float(value) if isinstance(value, int | float) else 0.0, str(value)


def _is_range(values: frozenset[Value]) -> bool:
    """Return whether values are the extremes of a range of numbers."""
    return sum(isinstance(value, int | float) and not isinstance(value, bool) for value in values) > 1
