"""A project with every answer open: its facts as z3 terms, tied to each other as `project_facts` derives them.

Exact, with three things to know. The size of the rarest class is one of the values at which some test on it changes, so
that its product with the number of classes stays linear; this loses nothing as long as it and the labels per class are
compared with numbers, not with other facts. Profiles that cannot be are left out: where a text has one label, the
rarest class has at most its share of them. A derived fact that `TIES` does not name is free and may be unknown;
running the decision on a witness shows whether it rests on such a fact rightly.
"""

from collections.abc import Collection
from fractions import Fraction
from math import ceil, floor

import z3

from advisor.decision.decide import INDISPENSABLE
from advisor.decision.derived import NEEDING_A_GENERATOR
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import FACTS
from advisor.profile import INPUTS
from advisor.profile.profile import SECTIONS
from advisor.strategies import STRATEGIES
from advisor.verification.terms import ALWAYS, Cases, Number, Quantity, Word, YesNo, rational
from advisor.verification.ties import TIES
from advisor.verification.upkeep import every_row

OTHER, OTHER_LANGUAGE = "elsewhere/other", "xx"
_LABELS, _SMALLEST, _CLASSES = "data.labelled", "data.smallest_class", "data.classes"
_ONE_LABEL_A_TEXT = ("text-classification", "pair-classification")
_FEWEST_CLASSES = 2


class Project:
    """All that may be answered about a project.

    Two projects over one rule base share every term but those in ``changed``, which bear ``mark``.

    Attributes:
        answered: by input, whether the profile answers it; without an answer it takes the base's assumption.
        inputs: by input, the value the decision sees.
    """

    def __init__(self, base: RuleBase, changed: Collection[str] = (), mark: str = "") -> None:
        self.base, self.changed, self.mark = base, changed, mark
        self.answered: dict[str, z3.BoolRef] = {}
        self.inputs: dict[str, Quantity] = {}
        self._derived: dict[str, Quantity] = {}
        self._needs: dict[tuple[str, str], Quantity] = {}
        self._laws: list[z3.BoolRef] = []
        self._tests = [test for row in every_row(base) for test in row.condition.tests()]
        spoken_of = {name for test in self._tests for name in (test.fact, test.reference)} | {*INDISPENSABLE, _SMALLEST}
        for name in FACTS:
            if name in spoken_of and FACTS[name].about == "project":
                self.fact(name)
        self._laws += [self.input(name).known for name in INDISPENSABLE]

    def fact(self, name: str) -> Quantity:
        """Return a fact about the project."""
        if name in self.inputs or name in INPUTS:
            return self.input(name)
        if name not in self._derived:
            tie = TIES.get(name)
            self._derived[name] = tie(self) if tie else self.free(name)
        return self._derived[name]

    def input(self, name: str) -> Quantity:
        """Return an input as the decision sees it: answered, assumed or unknown."""
        if name not in self.inputs:
            self._declare(name)
        return self.inputs[name]

    def most(self, name: str) -> z3.BoolRef:
        """Return that a number input is the greatest that its question takes."""
        limits = dict(_declared(name))
        return self.input(name).test("is", limits["at most"])

    def laws(self) -> list[z3.BoolRef]:
        """Return what holds of every project, as far as its terms have been used."""
        return [*self._laws, *self._shares()]

    def free(self, name: str, of: str = "") -> Quantity:
        """Return a fact that may have any value or none; a number is not negative."""
        label = f"{name} {of}".strip()
        quantity = _quantity(name, label, z3.Bool(f"known {label}"), self._words(name))
        if isinstance(quantity, Number):
            self._laws.append(quantity.test("at least", 0))
        elif isinstance(quantity, Word):
            self._laws += _bounds(name, quantity)
        return quantity

    def language_model(self) -> tuple[z3.BoolRef, z3.BoolRef]:
        """Return whether the project has a local language model and whether it has one by API."""
        llm = self.input("model.llm")
        assert isinstance(llm, Word)
        return llm.among(["local"]), llm.among(["api"])

    def within_limits(self) -> z3.BoolRef:
        """Return whether the project's language model answers, at best, within the limits of latency and price."""
        shown = self.input(_LABELS).test("at least", 1)
        within = []
        for engine, own in zip(("llm-local", "llm-api"), self.language_model(), strict=True):
            latency = self.need("need.latency_ms", "few-shot", engine)
            few, zero = (self.need("need.usd_per_1000", strategy, engine) for strategy in ("few-shot", "zero-shot"))
            self._laws += [few.known == zero.known, few.term >= zero.term]
            needs = {"serving.latency_ms_p95": latency, "serving.usd_per_1000": Cases(shown, few, zero)}
            over = [self._exceeds(need, limit) for limit, need in needs.items()]
            within.append(z3.Or(z3.Not(own), z3.Not(z3.Or(over))))
        return z3.And(within)

    def need(self, name: str, strategy: str, engine: str) -> Quantity:
        """Return what a strategy needs on an engine: any number from 0, or unknown.

        An answer takes as long whatever an encoder was trained for and whatever a language model is prompted with; only
        one by API costs anything.
        """
        alike = name == "need.latency_ms" and (engine == "encoder" or STRATEGIES[strategy].family == "prompting")
        of = f"of {'any answer' if alike else strategy} on {engine}"
        if (name, of) not in self._needs:
            need = self.free(name, of)
            own = name == "need.usd_per_1000" and engine != "llm-api"
            self._needs[name, of] = Number(need.known, rational(Fraction(0))) if own else need
        return self._needs[name, of]

    def _exceeds(self, need: Quantity, limit: str) -> z3.BoolRef:
        most = self.input(limit)
        return z3.And(need.known, most.known, need.term > most.term)

    def _declare(self, name: str) -> None:
        answered = self.answered[name] = z3.Bool(f"answered {name}")
        assumption = self.base.assumptions.get(name)
        known = ALWAYS if assumption else answered
        mark = f" {self.mark}" if name in self.changed else ""
        quantity = self.inputs[name] = _quantity(name, f"{name}{mark}", known, self._words(name))
        self._laws += _bounds(name, quantity)
        if name == "model.llm":
            self._declare_language_model()
        elif assumption:
            self._laws.append(z3.Or(answered, quantity.test("is", assumption.value)))

    def _declare_language_model(self) -> None:
        """Where nothing is said, access by API alone means a language model by API, and writing takes a local one."""
        llm, assumption = self.inputs["model.llm"], self.base.assumptions.get("model.llm")
        answered, by_api, task = self.answered["model.llm"], self._api_only(), self.input("task.type")
        assert isinstance(task, Word)
        local = z3.And(z3.Not(by_api), task.among(NEEDING_A_GENERATOR))
        self._laws += [
            z3.Or(answered, z3.Not(by_api), llm.test("is", "api")),
            z3.Or(answered, z3.Not(local), llm.test("is", "local")),
        ]
        if assumption:
            self._laws.append(z3.Or(answered, by_api, local, llm.test("is", assumption.value)))
        elif isinstance(llm, Word):
            self.inputs["model.llm"] = Word(z3.Or(answered, by_api, local), llm.term, llm.words)

    def _api_only(self) -> z3.BoolRef:
        access = self.input("constraints.model_access")
        return z3.And(self.answered["constraints.model_access"], access.test("is", "api-only"))

    def _words(self, name: str) -> tuple[str, ...]:
        """Return the words a fact can be: its choices, or for free text the words that matter and one that does not."""
        models = load_catalogue().models
        if name == "task.languages":
            spoken = {language for model in models.values() for language in model.languages}
            return (*sorted(language for language in spoken if len(language) == 2), OTHER_LANGUAGE)
        if FACTS[name].kind != "word" or FACTS[name].choices:
            return FACTS[name].choices
        tested = [str(test.value) for test in self._tests if test.fact == name]
        return tuple(dict.fromkeys([*(["auto", *models] if name == "model.base" else []), *tested, OTHER]))

    def _shares(self) -> list[z3.BoolRef]:
        """Return that the rarest class has at most its share, over the values of it at which some test changes."""
        labelled, smallest, classes = (self.input(name) for name in (_LABELS, _SMALLEST, _CLASSES))
        task = self.input("task.type")
        assert isinstance(task, Word)
        known = z3.And(smallest.known, task.among(_ONE_LABEL_A_TEXT))
        told = z3.And(known, self.answered[_CLASSES])
        laws = [
            z3.Or([smallest.term == value for value in self._telling()]),
            z3.Implies(smallest.known, smallest.term <= labelled.term),
            z3.Implies(known, _FEWEST_CLASSES * smallest.term <= labelled.term),
        ]
        for value in self._telling():
            laws.append(z3.Implies(z3.And(told, smallest.term == value), value * classes.term <= labelled.term))
        return laws

    def _telling(self) -> list[int]:
        """Return one size of the rarest class for every way in which the tests on it can come out."""
        values = {0}
        for test in self._tests:
            limit = test.limit({}, self.base.limits)
            if test.fact in ("labels_per_class", "mean_per_class", _SMALLEST) and isinstance(limit, int | float):
                values |= {ceil(limit), floor(limit) + 1}
        return sorted(value for value in values if value >= 0)


def _quantity(name: str, label: str, known: z3.BoolRef, words: tuple[str, ...]) -> Quantity:
    kind = FACTS[name].kind if name in FACTS else "word"
    if kind == "yes-no":
        return YesNo(known, z3.Bool(label))
    if kind == "word":
        return Word(known, z3.Int(label), words)
    whole = name in INPUTS and INPUTS[name].kind is int
    return Number(known, z3.Int(label) if whole else z3.Real(label))


def _bounds(name: str, quantity: Quantity) -> list[z3.BoolRef]:
    """Return the bounds of a word's place and those that the questions declare for a number."""
    if isinstance(quantity, Word):
        return [quantity.term >= 0, quantity.term < len(quantity.words)]
    return [quantity.test(relation, limit) for relation, limit in _declared(name)]


def _declared(name: str) -> list[tuple[str, float]]:
    section, field = name.split(".")
    relations = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return [
        (relation, getattr(bound, attribute))
        for bound in SECTIONS[section].model_fields[field].metadata
        for attribute, relation in relations.items()
        if getattr(bound, attribute, None) is not None
    ]
