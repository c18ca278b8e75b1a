"""Options: every strategy on every engine, with what rules it out, as z3 terms.

A candidate's own facts are constant for an engine, follow from the answers as the decision derives them, or are free:
its needs (memory, hours, money, latency) are any numbers from 0, or unknown; see `Project.need`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import z3

from advisor.knowledge.rows import Requirement
from advisor.knowledge.vocabulary import FACTS
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy
from advisor.verification.project import Project
from advisor.verification.suits import suits_of
from advisor.verification.terms import ALWAYS, NEVER, Quantity, Word, YesNo, truth
from advisor.verification.ties import writes

MACHINE = Machine(cores=8, memory_bytes=None, units="unknown", gpu=False)
_ENGINES: tuple[Engine, ...] = ("llm-api", "llm-local", "encoder")
_NEED = "need."
_ANSWERING = {"need.latency_ms", "need.usd_per_1000"}


@dataclass(frozen=True)
class Option:
    """One strategy on one engine.

    Attributes:
        available: whether the decision has it as a candidate.
        vetoes: by requirement, where it rules the option out.
        needs: what the option needs, by fact, as far as requirements speak of it.
    """

    strategy: Strategy
    engine: Engine
    available: z3.BoolRef
    vetoes: dict[str, z3.BoolRef]
    needs: dict[str, Quantity]

    def passes(self, requirements: Iterable[str]) -> z3.BoolRef:
        """Return where the option is a candidate and none of these requirements rules it out."""
        return z3.And(self.available, *(z3.Not(self.vetoes[name]) for name in requirements))


def is_resource(requirement: Requirement) -> bool:
    """Return whether a requirement speaks of what a candidate needs, which only a forecast tells."""
    names = {name for test in requirement.condition.tests() for name in (test.fact, test.reference) if name}
    return any(name.startswith(_NEED) for name in names)


def is_about_answers(requirement: Requirement) -> bool:
    """Return whether a requirement speaks of what an answer takes."""
    return any(test.fact in _ANSWERING for test in requirement.condition.tests())


class Options:
    """The options of one project.

    Attributes:
        by_strategy: in the order in which the decision prefers engines.
        model_suits: where the base model speaks the texts' language under an accepted licence, and can write where it
            has to; no row can test that.
    """

    def __init__(self, project: Project) -> None:
        self.project, self.base = project, project.base
        self._suits = {kind: suits_of(project, kind) for kind in ("encoder", "generator")}
        self._within = project.within_limits()
        self.by_strategy = {name: list(self._options(strategy)) for name, strategy in STRATEGIES.items()}
        self.model_suits = self._model_suits()

    def feasible(self, strategy: str, *, granted: bool = False, without: str | None = None) -> z3.BoolRef:
        """Return where a strategy is feasible.

        Args:
            strategy: its id.
            granted: whether resources are granted, so that only the other requirements count. Where requirements limit
                what an answer takes, the project's own language model still has to be ``llm_usable``, which rows see.
            without: a requirement to leave out.
        """
        rows = self.base.requirements[strategy]
        kept = [row.id for row in rows if row.id != without and not (granted and is_resource(row))]
        limited = granted and any(map(is_about_answers, rows))
        ways = []
        for option in self.by_strategy[strategy]:
            beyond = z3.And(self._own_model(option.strategy, option.engine), z3.Not(self._within))
            ways.append(z3.And(option.passes(kept), z3.Not(beyond) if limited else ALWAYS))
        return z3.Or(ways)

    def _options(self, strategy: Strategy) -> Iterator[Option]:
        """Yield a strategy on every engine at hand that it applies on, or on the first where it applies on none."""
        engines = [engine for engine in _ENGINES if engine in strategy.engines]
        at_hand = [self._at_hand(strategy, engine) for engine in engines]
        able = [z3.And(here, self._applies(strategy, engine)) for here, engine in zip(at_hand, engines, strict=True)]
        for number, engine in enumerate(engines):
            only = z3.And(at_hand[number], z3.Not(z3.Or([*at_hand[:number], *able])))
            yield self._option(strategy, engine, z3.Or(able[number], only))

    def _applies(self, strategy: Strategy, engine: Engine) -> z3.BoolRef:
        task = self.project.input("task.type")
        assert isinstance(task, Word)
        return task.among([word for word in task.words if strategy.handles(word, engine)])

    def _at_hand(self, strategy: Strategy, engine: Engine) -> z3.BoolRef:
        """Return whether an engine is there for a strategy; where the task is to write, a generator always is."""
        if engine == "encoder" or strategy.family != "prompting":
            return ALWAYS
        own = self._own_model(strategy, engine)
        return own if engine == "llm-api" else z3.Or(own, writes(self.project))

    def _own_model(self, strategy: Strategy, engine: Engine) -> z3.BoolRef:
        """Return whether a strategy runs on the project's own language model, of which nothing more is known."""
        if engine == "encoder" or strategy.family != "prompting":
            return NEVER
        local, api = self.project.language_model()
        return local if engine == "llm-local" else api

    def _model_suits(self) -> z3.BoolRef:
        encoder, generator = (
            z3.And(z3.Or(z3.Not(suits.speaks.known), suits.speaks.term), suits.licensed)
            for suits in (self._suits["encoder"], self._suits["generator"])
        )
        return z3.If(writes(self.project), z3.And(generator, self._suits["generator"].writes), encoder)

    def _option(self, strategy: Strategy, engine: Engine, available: z3.BoolRef) -> Option:
        used: dict[str, Quantity] = {}

        def fact(name: str) -> Quantity:
            if FACTS[name].about == "project":
                return self.project.fact(name)
            if name not in used:
                used[name] = self._own(strategy, engine, name)
            return used[name]

        vetoes: dict[str, z3.BoolRef] = {}
        for row in self.base.requirements[strategy.id]:
            false = truth(row.condition, fact, self.base.limits).false
            vetoes[row.id] = z3.Or(vetoes[row.id], false) if row.id in vetoes else false
        needs = {name: quantity for name, quantity in used.items() if name.startswith(_NEED)}
        return Option(strategy, engine, available, vetoes, needs)

    def _own(self, strategy: Strategy, engine: Engine, name: str) -> Quantity:
        """Return a fact about the candidate itself, as `advisor.decision.candidates` gives it."""
        if name == "candidate.engine":
            return Word(ALWAYS, z3.IntVal(_ENGINES.index(engine)), _ENGINES)
        if name == "candidate.trains":
            return YesNo(ALWAYS, z3.BoolVal(strategy.family != "prompting"))
        if name == "candidate.leaves":
            return YesNo(ALWAYS, z3.BoolVal(engine == "llm-api"))
        suits, own = self._suits["encoder" if engine == "encoder" else "generator"], self._own_model(strategy, engine)
        if name == "candidate.needs_weights":
            return YesNo(ALWAYS, z3.Not(own))
        if name == "candidate.handles_task":
            able = ALWAYS if engine == "encoder" else z3.Or(own, suits.writes)
            return YesNo(self.project.input("task.type").known, z3.And(self._applies(strategy, engine), able))
        if name == "candidate.speaks_language":
            return YesNo(z3.Or(own, suits.speaks.known), z3.Or(own, suits.speaks.term))
        if name == "candidate.licence_fits":
            return YesNo(ALWAYS, z3.Or(own, suits.licensed))
        return self.project.need(name, strategy.id, engine)
