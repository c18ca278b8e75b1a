"""Ties: how the facts derived from a project's answers hang together, as z3 terms; one entry a derived fact."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import z3

from advisor.decision.derived import CLASSIFYING_TASKS, COMPARABLE_TASKS, GENERATING_TASKS
from advisor.knowledge.catalogue import BaseModelFacts, load_catalogue
from advisor.verification.terms import AtLeast, Cases, Number, Quantity, Ratio, Word, YesNo, rational, truth

if TYPE_CHECKING:
    from advisor.verification.project import Project

_LABELS, _SMALLEST, _CLASSES = "data.labelled", "data.smallest_class", "data.classes"


def _labels_per_class(project: "Project") -> Quantity:
    labelled, smallest, classes = (project.input(name) for name in (_LABELS, _SMALLEST, _CLASSES))
    task = project.input("task.type")
    assert isinstance(labelled, Number) and isinstance(classes, Number) and isinstance(task, Word)
    mean = Ratio(labelled, classes)
    other = z3.And(task.known, z3.Not(task.among(CLASSIFYING_TASKS)))
    return Cases(other, labelled, Cases(smallest.known, smallest, mean))


def _mean_per_class(project: "Project") -> Quantity:
    labelled, smallest, classes = (project.input(name) for name in (_LABELS, _SMALLEST, _CLASSES))
    task = project.input("task.type")
    assert isinstance(labelled, Number) and isinstance(smallest, Number)
    assert isinstance(classes, Number) and isinstance(task, Word)
    other = z3.And(task.known, z3.Not(task.among(CLASSIFYING_TASKS)))
    return Cases(other, labelled, AtLeast(Ratio(labelled, classes), smallest))


def _llm_allowed(project: "Project") -> Quantity:
    llm = project.input("model.llm")
    leave, closed = project.input("constraints.data_may_leave"), project.input("constraints.air_gapped")
    assert isinstance(llm, Word) and isinstance(leave, YesNo) and isinstance(closed, YesNo)
    api = llm.among(["api"])
    kept = z3.Or(z3.And(leave.known, z3.Not(leave.term)), z3.And(closed.known, closed.term))
    usable = z3.Or(llm.among(["local"]), z3.And(api, leave.known, closed.known, z3.Not(kept)))
    unusable = z3.Or(z3.And(llm.known, llm.among(["none"])), z3.And(api, kept))
    return YesNo(z3.Or(usable, unusable), usable)


def _llm_usable(project: "Project") -> Quantity:
    allowed = project.fact("llm_allowed")
    assert isinstance(allowed, YesNo)
    return YesNo(allowed.known, z3.And(allowed.term, project.within_limits()))


def writes(project: "Project") -> z3.BoolRef:
    """Return whether the task is to write text."""
    task = project.input("task.type")
    assert isinstance(task, Word)
    return task.among(GENERATING_TASKS)


def _promptable(project: "Project") -> Quantity:
    usable, task, access = (project.fact(name) for name in ("llm_usable", "task.type", "constraints.model_access"))
    assert isinstance(usable, YesNo) and isinstance(task, Word) and isinstance(access, Word)
    prompted = z3.And(usable.known, usable.term)
    instead = z3.And(writes(project), z3.Not(project.fact("model.llm").test("is", "local")))
    encoded = z3.Or(task.among(COMPARABLE_TASKS), instead)
    compared = z3.And(encoded, z3.Not(access.among(["api-only"])))
    known = z3.Or(prompted, z3.If(compared, access.known, z3.And(usable.known, task.known)))
    return YesNo(known, z3.Or(prompted, compared))


def _english_only(project: "Project") -> Quantity:
    languages = project.input("task.languages")
    return YesNo(languages.known, languages.test("is", "en"))


def base_models(project: "Project", kind: str) -> Iterator[tuple[z3.BoolRef, BaseModelFacts]]:
    """Yield the base models that may be the encoder or the generator, each with where it is that one.

    What is named beyond the catalogue is none of them; no language model has a name.
    """
    models, named = load_catalogue().models, project.input("model.base")
    for model, facts in models.items():
        yield z3.And(named.known, named.test("is", model)), facts
    left = [z3.Or(z3.Not(named.known), named.test("is", "auto"))]
    for row in project.base.models:
        if row.kind == kind and row.choose:
            holds = truth(row.condition, project.fact, project.base.limits).true
            yield z3.And(*left, holds), models[row.choose]
            left.append(z3.Not(holds))


def _adapted(project: "Project") -> Iterator[tuple[z3.BoolRef, BaseModelFacts]]:
    """Yield the base models that tuning would change, each with where it is that one."""
    for kind, here in (("generator", writes(project)), ("encoder", z3.Not(writes(project)))):
        for chosen, facts in base_models(project, kind):
            yield z3.And(here, chosen), facts


def _objective(project: "Project") -> Quantity:
    given = project.input("model.objective")
    assert isinstance(given, Word)
    known, place = z3.BoolVal(False), z3.IntVal(0)
    for here, model in _adapted(project):
        if model.objective in given.words:
            known, place = z3.Or(known, here), z3.If(here, z3.IntVal(given.words.index(model.objective)), place)
    return Cases(given.known, given, Word(known, place, given.words))


def _parameters(project: "Project") -> Quantity:
    given = project.input("model.parameters_b")
    known, size = z3.BoolVal(False), rational(Fraction(0))
    for here, model in _adapted(project):
        known, size = z3.Or(known, here), z3.If(here, rational(Fraction(model.parameters, 10**9)), size)
    return Cases(given.known, given, Number(known, size))


TIES: dict[str, Callable[["Project"], Quantity]] = {
    "classes": lambda project: project.input(_CLASSES),
    "labels_per_class": _labels_per_class,
    "mean_per_class": _mean_per_class,
    "llm_allowed": _llm_allowed,
    "llm_usable": _llm_usable,
    "promptable": _promptable,
    "writes": lambda project: YesNo(project.input("task.type").known, writes(project)),
    "english_only": _english_only,
    "objective": _objective,
    "parameters_b": _parameters,
}
