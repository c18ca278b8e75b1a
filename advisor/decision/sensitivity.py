"""How firm a verdict is: the nearest changes that flip it, the answers that could still, and its stability."""

import random
from collections.abc import Callable, Iterable
from itertools import takewhile
from math import ceil, exp, floor, log
from typing import NamedTuple

from advisor.decision.candidates import Candidate
from advisor.decision.decide import Decision, decide_answers
from advisor.decision.facts import Answers, project_facts
from advisor.errors import AdvisorError
from advisor.knowledge.conditions import Test
from advisor.knowledge.rulebase import Rule, RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import INPUTS

_DRAWS = 200
_WIDE_RANGE = 4.0
_LABELS = "data.labelled"
_FARTHEST_LABELS = 20
_SCALED_BY_CLASSES = {"labels_per_class"}
_BEHIND = {
    "labels_per_class": ("data.smallest_class", "data.classes"),
    "classes": ("data.classes",),
    "llm_usable": ("model.llm", "constraints.data_may_leave", "constraints.air_gapped"),
    "candidate.speaks_language": ("task.languages",),
}


class Flip(NamedTuple):
    """A change of one input that changes the verdict."""

    input: str
    before: Value
    after: Value
    strategy: str


class Question(NamedTuple):
    """An unanswered input that could change the verdict, and to what."""

    input: str
    assumed: Value
    strategies: tuple[str, ...]


def flips(decision: Decision) -> list[Flip]:
    """Return, for every actionable input and every other strategy it can lead to, the nearest change that does."""
    found: list[Flip] = []
    for name, asked in INPUTS.items():
        if not asked.actionable or decision.facts.values.get(name) is None:
            continue
        reached: set[str] = set()
        for value in _alternatives(decision, name):
            strategy = _strategy_with(decision, name, value)
            if strategy and strategy != decision.winner.strategy.id and strategy not in reached:
                reached.add(strategy)
                found.append(Flip(name, decision.facts.values[name], value, strategy))
    return found


def open_questions(decision: Decision) -> list[Question]:
    """Return the assumed or unanswered inputs for which another answer changes the verdict."""
    questions = []
    for name in INPUTS:
        answered = decision.facts.values.get(name) is not None and name not in decision.facts.assumed
        if answered or name not in FACTS:
            continue
        others = {_strategy_with(decision, name, value) for value in _alternatives(decision, name)}
        others -= {None, decision.winner.strategy.id}
        if others:
            assumed = decision.facts.values.get(name)
            questions.append(Question(name, assumed, tuple(sorted(str(other) for other in others))))
    return questions


def worth_asking(decision: Decision) -> list[str]:
    """Return the unanswered inputs that some completion of the answers could still make decisive, weightiest first.

    With nothing assumed, rows above the deciding one that recommend something else and may hold, the deciding row's own
    conditions, and the winner's requirements that cannot be checked yet each name the inputs they wait for.
    """
    base = decision.base
    bare = project_facts(decision.answers, base, assume=False).values
    above = takewhile(lambda rule: rule is not decision.rule, base.rules)
    rivals = [rule for rule in above if rule.recommend != decision.winner.strategy.id]
    own = {name: value for name, value in decision.winner.facts.items() if name.startswith(("candidate.", "need."))}
    bare |= own
    waiting: dict[str, None] = {}
    for row in (*rivals, decision.rule, *base.requirements[decision.winner.strategy.id]):
        if row.condition.evaluate(bare, base.limits) is None:
            for test in row.condition.tests():
                if test.evaluate(bare, base.limits) is None:
                    waiting |= dict.fromkeys(_inputs_behind(test))
    return [name for name in waiting if decision.answers.get(name) is None]


def _inputs_behind(test: Test) -> list[str]:
    names = [test.fact, *([test.reference] if test.reference else [])]
    return [name for fact in names for name in _BEHIND.get(fact, (fact,)) if name in INPUTS]


def stability(decision: Decision, seed: int = 0) -> float:
    """Return the share of draws of all thresholds, within their ranges, that keep the recommended strategy.

    Thresholds are drawn independently: uniformly, or log-uniformly where the range spans more than a factor of four.
    """
    generator = random.Random(seed)
    base, facts = decision.base, decision.facts.values
    feasible = {candidate.strategy.id for candidate in decision.candidates if candidate.feasible}
    rivals = [
        (rule, None if _names_threshold(rule, base) else rule.condition.evaluate(facts, base.limits))
        for rule in base.rules
        if rule.recommend in feasible
    ]
    rivals = [(rule, held) for rule, held in rivals if held is not False]
    kept = 0
    for _ in range(_DRAWS):
        limits = _draw(base, generator)
        holding = (rule for rule, held in rivals if held or rule.condition.evaluate(facts, limits))
        winner = next(holding, None)
        kept += winner is not None and winner.recommend == decision.winner.strategy.id
    return kept / _DRAWS


def _names_threshold(rule: Rule, base: RuleBase) -> bool:
    return any(test.reference in base.thresholds for test in rule.condition.tests())


def _draw(base: RuleBase, generator: random.Random) -> dict[str, float]:
    limits = {}
    for name, threshold in base.thresholds.items():
        low, high = threshold.range
        if low > 0 and high / low > _WIDE_RANGE:
            limits[name] = exp(generator.uniform(log(low), log(high)))
        else:
            limits[name] = generator.uniform(low, high)
    return limits


def _strategy_with(decision: Decision, name: str, value: Value) -> str | None:
    answers = with_answer(decision.answers, name, value)
    try:
        return decide_answers(answers, decision.base, decision.machine).winner.strategy.id
    except AdvisorError:
        return None


def with_answer(answers: Answers, name: str, value: Value) -> dict[str, Value]:
    """Return answers with one changed; more labels are taken to come in the proportions of those at hand."""
    changed = {**answers, name: value}
    labelled, smallest = answers.get(_LABELS), answers.get("data.smallest_class")
    if name == _LABELS and labelled and smallest is not None:
        changed["data.smallest_class"] = floor(float(smallest) * float(value or 0) / float(labelled))
    return changed


def _alternatives(decision: Decision, name: str) -> list[Value]:
    """Return the values worth trying for an input, nearest to the present one first."""
    fact, now = FACTS[name], decision.facts.values.get(name)
    if fact.kind == "yes-no":
        return [value for value in (True, False) if value is not now]
    if fact.kind == "word":
        return [choice for choice in fact.choices if choice != now]
    whole = INPUTS[name].kind is int
    values: set[float] = set()
    for limit in _limits(decision, name):
        values |= _beside(limit, whole)
    here = float(now) if isinstance(now, int | float) else 0.0
    if name == _LABELS and here:
        values = {value for value in values if here < value <= _FARTHEST_LABELS * here}
    others: list[Value] = [value for value in values if value >= 0 and value != now]
    return sorted(others, key=lambda value: abs(float(value or 0) - here))


def _beside(limit: float, whole: bool) -> set[float]:
    """Return the values just below, at and just above a limit, in steps a person would use."""
    if whole:
        return {floor(limit) - 1, floor(limit), ceil(limit), ceil(limit) + 1}
    digits = 10 ** (floor(log(limit, 10)) - 1) if limit > 0 else 0.1
    return {
        limit,
        floor(limit / digits) * digits,
        ceil(limit / digits) * digits,
        (ceil(limit / digits) + 1) * digits,
    }


def _limits(decision: Decision, name: str) -> Iterable[float]:
    """Yield the numbers at which a test on this input, or on what follows from it, changes."""
    base, facts = decision.base, decision.facts.values
    for test in _tests(base, lambda test: test.fact == name):
        limit = test.limit(facts, base.limits)
        if isinstance(limit, int | float):
            yield float(limit)
    if name == _LABELS:
        yield from _label_limits(decision)
    for candidate in decision.candidates:
        yield from _need_limits(candidate, base, name)


def _label_limits(decision: Decision) -> Iterable[float]:
    """Yield the label totals at which the labels per class reach a threshold."""
    base, facts = decision.base, decision.facts.values
    per_class, labelled = facts["labels_per_class"], facts[_LABELS]
    if not per_class or not labelled:
        return
    for test in _tests(base, lambda test: test.fact in _SCALED_BY_CLASSES):
        limit = test.limit(facts, base.limits)
        if isinstance(limit, int | float):
            yield float(limit) * float(labelled) / float(per_class)


def _need_limits(candidate: Candidate, base: RuleBase, name: str) -> Iterable[float]:
    """Yield what a candidate needs of an input that a requirement limits it by."""
    for requirement in base.requirements[candidate.strategy.id]:
        for test in requirement.condition.tests():
            need = candidate.facts.get(test.fact)
            if test.reference == name and isinstance(need, int | float):
                yield float(need)


def _tests(base: RuleBase, wanted: Callable[[Test], bool]) -> Iterable[Test]:
    for row in (*base.rules, *(row for rows in base.requirements.values() for row in rows)):
        for test in row.condition.tests():
            if wanted(test):
                yield test
