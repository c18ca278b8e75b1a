"""What the base model of a project is good for, as z3 terms, whichever model it comes to be."""

from dataclasses import dataclass

import z3

from advisor.decision.candidates import PERMISSIVE
from advisor.verification.project import Project
from advisor.verification.terms import Word, YesNo
from advisor.verification.ties import base_models

_ANY_LANGUAGE = {"multilingual", "unknown"}


@dataclass(frozen=True)
class Suits:
    """What a base model is good for.

    Attributes:
        speaks: whether it was pre-trained on the texts' language.
        licensed: whether its licence is accepted.
        writes: whether it can write.
    """

    speaks: YesNo
    licensed: z3.BoolRef
    writes: z3.BoolRef


def suits_of(project: Project, kind: str) -> Suits:
    """Return what the encoder or the generator is good for; one beyond the catalogue is taken to suit."""
    languages, licence = project.input("task.languages"), project.input("constraints.licence")
    assert isinstance(languages, Word)
    found = list(base_models(project, kind))
    choosy = [(here, model) for here, model in found if not _ANY_LANGUAGE & set(model.languages)]
    open_to = z3.Or([here for here, _ in choosy])
    foreign = z3.Or([z3.And(here, z3.Not(languages.among(model.languages))) for here, model in choosy])
    strict = z3.Or([here for here, model in found if not model.licence.startswith(PERMISSIVE)])
    return Suits(
        speaks=YesNo(z3.Or(languages.known, z3.Not(open_to)), z3.Not(foreign)),
        licensed=z3.Or(z3.And(licence.known, licence.test("is", "any")), z3.Not(strict)),
        writes=z3.Not(z3.Or([here for here, model in found if not model.generates])),
    )
