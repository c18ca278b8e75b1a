"""Options: every strategy on every engine, with what rules it out, as z3 terms.

A candidate's own facts are constant for an engine, follow from the answers as the decision derives them, or are free:
its needs (memory, hours, money, latency) are any numbers from 0, or unknown, for each strategy and engine alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import z3

from advisor.decision.candidates import Candidate, candidates
from advisor.decision.facts import project_facts
from advisor.knowledge.rulebase import Requirement, RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.machine import Machine
from advisor.strategies import STRATEGIES, Engine, Strategy
from advisor.verification.project import Project
from advisor.verification.terms import ALWAYS, Quantity, Word, YesNo, truth
from advisor.verification.ties import writes

MACHINE = Machine(cores=8, memory_bytes=None, units="unknown", gpu=False)
_ENGINES: tuple[Engine, ...] = ("llm-api", "llm-local", "encoder")
_NEED = "need."
_ANSWERING = {"need.latency_ms", "need.usd_per_1000"}


@dataclass(frozen=True)
class Option:
    """One strategy on one engine.

    Attributes:
        available: whether the engine is at hand.
        vetoes: by requirement, where it rules the option out.
        needs: what the option needs, by fact, as far as requirements speak of it.
    """

    strategy: Strategy
    engine: Engine
    available: z3.BoolRef
    vetoes: dict[str, z3.BoolRef]
    needs: dict[str, Quantity]

    def passes(self, requirements: Iterable[str]) -> z3.BoolRef:
        """Return where the option is at hand and none of these requirements rules it out."""
        return z3.And(self.available, *(z3.Not(self.vetoes[name]) for name in requirements))


def is_resource(requirement: Requirement) -> bool:
    """Return whether a requirement speaks of what a candidate needs, which only a forecast tells."""
    names = {name for test in requirement.condition.tests() for name in (test.fact, test.reference) if name}
    return any(name.startswith(_NEED) for name in names)


class Options:
    """The options of one project.

    Attributes:
        by_strategy: in the order in which the decision prefers engines.
        model_suits: where the encoder speaks the texts' language under an accepted licence, which no row can test.
    """

    def __init__(self, project: Project) -> None:
        self.project, self.base = project, project.base
        self.by_strategy: dict[str, list[Option]] = {
            name: [
                self._option(strategy, engine, self._at_hand(strategy, engine))
                for engine in _ENGINES
                if engine in strategy.engines
            ]
            for name, strategy in STRATEGIES.items()
        }
        self.model_suits = self._model_suits()
        self.laws = list(self._kept_limits())

    def feasible(self, strategy: str, *, granted: bool = False, without: str | None = None) -> z3.BoolRef:
        """Return where a strategy is feasible.

        Args:
            strategy: its id.
            granted: whether resources are granted, so that only the other requirements count.
            without: a requirement to leave out.
        """
        kept = [
            row.id
            for row in self.base.requirements[strategy]
            if row.id != without and not (granted and is_resource(row))
        ]
        return z3.Or([option.passes(kept) for option in self.by_strategy[strategy]])

    def _at_hand(self, strategy: Strategy, engine: Engine) -> z3.BoolRef:
        """Return whether an engine is there for a strategy.

        Where requirements limit how an answer may come, the project's own language model counts as there only within
        those limits, so that rows and requirements see the same. For a task that writes a generator stands in for it.
        """
        if strategy.family != "prompting" or engine == "encoder":
            return ALWAYS
        local, api = self.project.language_model()
        within = self.project.within_limits() if self._answering(strategy) else ALWAYS
        if engine == "llm-api":
            return z3.And(api, within)
        return z3.If(local, within, writes(self.project))

    def _answering(self, strategy: Strategy) -> list[Requirement]:
        """Return the requirements on how an answer comes."""
        rows = self.base.requirements[strategy.id]
        return [row for row in rows if any(test.fact in _ANSWERING for test in row.condition.tests())]

    def _kept_limits(self) -> Iterator[z3.BoolRef]:
        """Yield that a language model of the profile which is within the limits is not ruled out by them."""
        llm = self.project.input("model.llm")
        assert isinstance(llm, Word)
        for strategy, options in self.by_strategy.items():
            for option in options:
                if option.engine == "encoder" or STRATEGIES[strategy].family != "prompting":
                    continue
                own = z3.And(llm.among([option.engine.removeprefix("llm-")]), self.project.within_limits())
                for row in self._answering(option.strategy):
                    yield z3.Implies(own, z3.Not(option.vetoes[row.id]))

    def _model_suits(self) -> z3.BoolRef:
        language = self._of_model("encoder", "candidate.speaks_language")
        licence = self._of_model("encoder", "candidate.licence_fits")
        return z3.And(z3.Or(z3.Not(language.known), language.term), licence.term)

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
        if name == "need.latency_ms" and engine == "encoder":
            return self.project.free(name, "of the encoder")
        if name in ("candidate.leaves", "candidate.needs_weights"):
            return YesNo(ALWAYS, z3.BoolVal((engine == "llm-api") is (name == "candidate.leaves")))
        if name == "candidate.handles_task":
            task = self.project.input("task.type")
            assert isinstance(task, Word)
            return YesNo(task.known, task.among([word for word in task.words if strategy.handles(word, engine)]))
        if name in ("candidate.speaks_language", "candidate.licence_fits"):
            return self._of_model(engine, name)
        return self.project.free(name, f"of {strategy.id} on {engine}")

    def _of_model(self, engine: Engine, name: str) -> YesNo:
        """Return a fact that the base model decides; a language model is taken to suit every language and licence."""
        if engine != "encoder":
            return YesNo(ALWAYS, ALWAYS)
        if name == "candidate.licence_fits":
            licence = self.project.input("constraints.licence")
            permitted, _ = self._where("candidate.licence_fits")
            return YesNo(ALWAYS, z3.Or(z3.And(licence.known, licence.test("is", "any")), permitted))
        yes, no = self._where("candidate.speaks_language")
        return YesNo(z3.Or(yes, no), yes)

    def _where(self, name: str) -> tuple[z3.BoolRef, z3.BoolRef]:
        """Return where the named model and languages make a fact true, and where false."""
        model, languages = self.project.input("model.base"), self.project.input("task.languages")
        found: dict[bool, list[z3.BoolRef]] = {True: [], False: []}
        for (named, spoken), facts in self._encoders.items():
            value = facts[name]
            if isinstance(value, bool):
                found[value].append(z3.And(_answers(model, named), _answers(languages, spoken)))
        return z3.Or(found[True]), z3.Or(found[False])

    @cached_property
    def _encoders(self) -> dict[tuple[str | None, str | None], dict[str, Value]]:
        """The encoder's own facts by named model and language, where permissive licences alone are accepted."""
        model, languages = self.project.input("model.base"), self.project.input("task.languages")
        assert isinstance(model, Word) and isinstance(languages, Word)
        return {
            (named, spoken): _encoder(self.base, named, spoken).facts
            for named in (None, *model.words)
            for spoken in (None, *languages.words)
        }


def _answers(quantity: Quantity, word: str | None) -> z3.BoolRef:
    return z3.Not(quantity.known) if word is None else z3.And(quantity.known, quantity.test("is", word))


def _encoder(base: RuleBase, model: str | None, language: str | None) -> Candidate:
    answers: dict[str, Value] = {
        "task.type": "text-classification",
        "data.labelled": 100,
        "model.base": model,
        "task.languages": language,
        "constraints.licence": "permissive",
    }
    found = candidates(project_facts(answers, base), base, MACHINE)
    return next(candidate for candidate in found if candidate.engine == "encoder")
