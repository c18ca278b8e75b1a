"""Expert cases: projects with the verdict their evidence supports, read from YAML and held against the advice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from advisor.decision.advice import Advice, recommend
from advisor.documents import Document, Location, read_document, suggest
from advisor.errors import InputError, NoFeasibleStrategy, Undecided
from advisor.knowledge.rulebase import RuleBase
from advisor.machine import Machine
from advisor.profile import INPUTS, Profile
from advisor.strategies import STRATEGIES, Family

# A case must come out alike everywhere, so its costs are forecast for one ordinary machine.
REFERENCE = Machine(cores=4, memory_bytes=16_000_000_000, units="avx2", gpu=False)
EXACT, ACCEPTED = 1.0, 0.5
_FAMILIES: tuple[str, ...] = get_args(Family)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedFlip(_Part):
    """A change of one input that must be offered; ``to`` narrows it to a strategy or a family."""

    input: str
    to: str | None = None


class Expectation(_Part):
    """What is expected of the advice on some answers; ``accept`` and ``never`` hold families or strategies."""

    answers: dict[str, Any] = Field(description="The project: values by dotted name.")
    family: Family | None = Field(default=None, description="The family to recommend.")
    strategy: str | None = Field(default=None, description="The strategy to recommend, where only one is right.")
    accept: list[str] = Field(default=[], description="Families or strategies that are also right, for half a point.")
    never: list[str] = Field(default=[], description="Families or strategies that fail the case.")
    contested: bool | None = Field(default=None, description="Whether the verdict must be contested.")
    must_cite: list[str] = Field(default=[], description="Findings, one of which the reasons must cite.")
    must_flip: list[Annotated[ExpectedFlip, BeforeValidator(lambda v: {"input": v} if isinstance(v, str) else v)]] = (
        Field(default=[], description="Inputs whose change must be offered; {input: X, to: STRATEGY} says to what.")
    )
    modifiers: list[str] = Field(default=[], description="Modifiers the verdict must carry.")
    infeasible: bool = Field(default=False, description="That no strategy is feasible.")
    blames: str | None = Field(default=None, description="The requirement named as the one to relax.")
    undecided: bool = Field(default=False, description="That too little is answered for any verdict.")
    asks: list[str] = Field(default=[], description="Inputs that must be asked for.")
    why: str | None = Field(default=None, description="What the expectation rests on.")


@dataclass(frozen=True)
class Case:
    """An expectation with its name and ``file:line``."""

    name: str
    place: str
    profile: Profile
    expected: Expectation


@dataclass(frozen=True)
class Outcome:
    """How the advice fared: what came, what was wrong about it, and the points."""

    case: Case
    came: str
    wrong: tuple[str, ...]
    points: float

    @property
    def holds(self) -> bool:
        """Whether nothing was wrong."""
        return not self.wrong

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return {
            "case": self.case.name,
            "place": self.case.place,
            "holds": self.holds,
            "points": self.points,
            "came": self.came,
            "wrong": list(self.wrong),
            "why": self.case.expected.why,
        }


def read_cases(path: Path, base: RuleBase) -> list[Case]:
    """Read the cases of a file, or of every ``*.yaml`` file of a folder and the folders in it.

    Args:
        path: the file or folder.
        base: what cited findings and blamed requirements are looked up in.

    Raises:
        InputError: there is no such file, or no case.
        DocumentError: a case breaks its schema or names what is not there, with its place and a suggestion.
    """
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    cases = [case for file in files for case in _read_file(file, base)]
    if not cases:
        raise InputError(f"{path}: no cases there; a case file holds names, each with answers and what is expected")
    return cases


def judge(case: Case, base: RuleBase, machine: Machine = REFERENCE) -> Outcome:
    """Hold the advice on a case's answers against what is expected of it.

    Points: 1 for the expected family or strategy, 0.5 for an accepted one, 0 where anything is wrong.
    """
    try:
        advice = recommend(case.profile, base=base, machine=machine)
    except (NoFeasibleStrategy, Undecided) as ended:
        wrong, points = tuple(_wrong_end(case.expected, ended)), EXACT
        came = "no strategy is feasible" if isinstance(ended, NoFeasibleStrategy) else "undecided"
    else:
        verdict = advice.as_dict()["verdict"]
        points = _points(case.expected, {verdict["strategy"], verdict["family"]})
        wrong = tuple(_wrong_verdict(case.expected, advice, points))
        came = f"{verdict['strategy']} by row {advice.decision.rule.id}"
    return Outcome(case, came, wrong, 0.0 if wrong else points)


def _points(expected: Expectation, came: set[str]) -> float:
    wanted = expected.strategy or expected.family
    if wanted is None or wanted in came:
        return EXACT
    return ACCEPTED if came & set(expected.accept) else 0.0


def _wrong_verdict(expected: Expectation, advice: Advice, points: float) -> Iterator[str]:
    found = advice.as_dict()
    verdict, cited = found["verdict"], {name for reason in found["reasons"] for name in reason["evidence"]}
    if expected.infeasible or expected.undecided:
        yield f"expected {'that nothing is feasible' if expected.infeasible else 'no verdict yet'}"
    if not points:
        also = f" (or {', '.join(expected.accept)})" if expected.accept else ""
        yield f"expected {expected.strategy or expected.family}{also}"
    for name in {verdict["strategy"], verdict["family"]} & set(expected.never):
        yield f"{name} must never come"
    if expected.contested is not None and verdict["contested"] is not expected.contested:
        yield f"expected it {'' if expected.contested else 'un'}contested"
    if expected.must_cite and not cited & set(expected.must_cite):
        yield f"cites none of {', '.join(expected.must_cite)}"
    offered = [(flip["input"], flip["strategy"]) for flip in found["flips"]]
    for flip in expected.must_flip:
        if not any(name == flip.input and _is(strategy, flip.to) for name, strategy in offered):
            yield f"offers no change of {flip.input}{f' to {flip.to}' if flip.to else ''}"
    yield from _lacking("modifier", expected.modifiers, verdict.get("modifiers", ()))
    yield from _lacking("question", expected.asks, [question["input"] for question in found["questions"]])


def _wrong_end(expected: Expectation, ended: NoFeasibleStrategy | Undecided) -> Iterator[str]:
    wanted = expected.infeasible if isinstance(ended, NoFeasibleStrategy) else expected.undecided
    if not wanted:
        kind = "no verdict yet" if expected.undecided else "that nothing is feasible"
        verdict = expected.strategy or expected.family or "a verdict"
        yield f"expected {kind if expected.infeasible or expected.undecided else verdict}: {ended}"
    elif isinstance(ended, NoFeasibleStrategy):
        if expected.blames and ended.requirement != expected.blames:
            yield f"blames {ended.requirement}, not {expected.blames}"
    else:
        yield from _lacking("question", expected.asks, ended.missing)


def _is(strategy: str, wanted: str | None) -> bool:
    return wanted is None or wanted in {strategy, STRATEGIES[strategy].family}


def _lacking(kind: str, wanted: Iterable[str], there: Iterable[str]) -> Iterator[str]:
    for name in wanted:
        if name not in there:
            yield f"lacks the {kind} {name}"


def _read_file(path: Path, base: RuleBase) -> list[Case]:
    document = read_document(path)
    if not isinstance(document.data, dict):
        raise document.error("expected names of cases, each with its answers and what is expected")
    return [_read_case(document, name, base) for name in document.data]


def _read_case(document: Document, name: str, base: RuleBase) -> Case:
    expected = document.validate(Expectation, at=(name,))
    either = {*_FAMILIES, *STRATEGIES}
    requirements = {row.id for rows in base.requirements.values() for row in rows}
    for key, kind, known in (
        ("strategy", "strategy", STRATEGIES),
        ("accept", "family or strategy", either),
        ("never", "family or strategy", either),
        ("must_cite", "finding", base.evidence),
        ("blames", "requirement", requirements),
        ("asks", "input", INPUTS),
    ):
        _check(document, (name, key), getattr(expected, key), kind, known)
    for index, flip in enumerate(expected.must_flip):
        at: Location = (name, "must_flip", index)
        _check(document, (*at, "input"), flip.input, "input", INPUTS)
        _check(document, (*at, "to"), flip.to, "family or strategy", either)
    if not expected.model_fields_set - {"answers", "accept", "why"}:
        raise document.error("nothing is expected here; give a family or a strategy", (name,), key=True)
    line, _ = document.keys[(name,)]
    return Case(name, f"{document.path}:{line}", _profile(document, (name, "answers"), expected.answers), expected)


def _check(document: Document, at: Location, value: str | list[str] | None, kind: str, known: Iterable[str]) -> None:
    known = list(known)
    several = isinstance(value, list)
    for index, word in enumerate(value if isinstance(value, list) else [value] if value else []):
        if word not in known:
            raise document.error(f"there is no {kind} '{word}'{suggest(word, known)}", (*at, index) if several else at)


def _profile(document: Document, at: Location, answers: dict[str, Any]) -> Profile:
    for name in answers:
        if name not in INPUTS:
            raise document.error(f"there is no input '{name}'{suggest(name, INPUTS)}", (*at, name), key=True)
    try:
        return Profile().with_answers(answers, "file")
    except InputError as failure:
        for name, value in answers.items():
            try:
                Profile().with_answers({name: value}, "file")
            except InputError as wrong:
                raise document.error(str(wrong), (*at, name)) from None
        raise document.error(str(failure), at) from None
