"""How long a decision, an explanation and the next question take on random profiles, in milliseconds.

``--rows`` and ``--strategies`` let the rule base grow by copies: of trained strategies, and of rows for the copies or
again for the same strategy, each placed just below its original.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

from advisor.decision.decide import Decision, decide_answers
from advisor.decision.flips import flips
from advisor.decision.nearby import Nearby
from advisor.decision.questions import open_questions
from advisor.decision.stability import stability
from advisor.decision.waiting import worth_asking
from advisor.errors import AdvisorError
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase, load_rulebase
from advisor.knowledge.vocabulary import FACTS
from advisor.machine import Machine
from advisor.profile import INPUTS
from advisor.strategies import STRATEGIES

MACHINE = Machine(cores=4, memory_bytes=16_000_000_000, units="avx2", gpu=False)


def random_answers(generator: random.Random) -> dict[str, Any]:
    """Return task and labels, and every other input with a chance of one half."""
    answers: dict[str, Any] = {}
    for name, fact in FACTS.items():
        if name not in INPUTS or (fact.kind == "word" and not fact.choices):
            continue
        if name in ("task.type", "data.labelled") or generator.random() < 0.5:
            asked = INPUTS[name]
            drawn = min(max(10 ** generator.uniform(0, 4), asked.low), asked.high)
            number = int(drawn) if asked.kind is int else drawn
            choices = (True, False) if fact.kind == "yes-no" else fact.choices
            answers[name] = number if fact.kind == "number" else generator.choice(choices)
    return answers


def grown(base: RuleBase, rows: int, strategies: int) -> RuleBase:
    """Return a rule base with copies of strategies and rows, up to the numbers wanted."""
    trained = [strategy for strategy in STRATEGIES.values() if strategy.family != "prompting"]
    requirements = dict(base.requirements)
    copies: dict[str, list[str]] = {strategy.id: [] for strategy in trained}
    for number, original in enumerate(islice(cycle(trained), max(0, strategies - len(STRATEGIES)))):
        name = f"{original.id}-{number}"
        settings_of = original.settings_of or (original.id,)
        STRATEGIES[name] = type(name, (type(original),), {"id": name, "settings_of": settings_of})()
        requirements[name] = base.requirements[original.id]
        copies[original.id].append(name)
    rules: list[Rule] = []
    extra = cycle(range(len(base.rules)))
    again = [0] * len(base.rules)
    for _ in range(max(0, rows - len(base.rules))):
        again[next(extra)] += 1
    for rule, times in zip(base.rules, again, strict=True):
        rules.append(rule)
        for name in islice(cycle(copies.get(rule.recommend) or [rule.recommend]), times):
            copy = rule.model_copy(update={"recommend": name})
            copy._condition = rule.condition
            rules.append(copy)
    return replace(base, rules=tuple(rules), requirements=requirements)


def decisions(base: RuleBase, count: int) -> Iterator[Decision]:
    """Yield the first decisions on random profiles that something is feasible for."""
    generator = random.Random(1)
    while count:
        try:
            yield decide_answers(random_answers(generator), base, MACHINE)
            count -= 1
        except AdvisorError:
            continue


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def main() -> None:
    """Print median and 95th percentile of every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=200)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--strategies", type=int, default=0)
    options = parser.parse_args()
    base = grown(load_rulebase(), options.rows, options.strategies)
    times: dict[str, list[float]] = {}
    most = 0
    for decision in decisions(base, options.profiles):
        answers = decision.answers
        parts: dict[str, Callable[[], object]] = {
            "decision": lambda answers=answers: decide_answers(answers, base, MACHINE),  # type: ignore[misc]
            "flips": lambda d=decision: flips(d, Nearby(d.answers, base, MACHINE)),  # type: ignore[misc]
            "open questions": lambda d=decision: open_questions(d, Nearby(d.answers, base, MACHINE)),  # type: ignore[misc]
            "stability": lambda d=decision: stability(d),  # type: ignore[misc]
        }
        taken = {name: milliseconds(call) for name, call in parts.items()}
        taken["explanation"] = taken["flips"] + taken["open questions"] + taken["stability"]
        taken["next question"] = milliseconds(lambda answers=answers: worth_asking(answers, base, MACHINE))  # type: ignore[misc]
        for name, value in taken.items():
            times.setdefault(name, []).append(value)
        most = max(most, len(decision.candidates))
    print(
        f"{len(base.rules)} rows, {len(base.requirements)} strategies, up to {most} candidates, "
        f"{options.profiles} profiles"
    )
    for name, values in times.items():
        print(f"{name:16} {statistics.median(values):8.2f} ms   95 %: {statistics.quantiles(values, n=20)[-1]:8.2f} ms")


if __name__ == "__main__":
    main()
