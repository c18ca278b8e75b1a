"""A replay: an advice on record decided anew from its own inputs and machine, and what has changed since."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from advisor import __version__
from advisor.decision.advice import ADVICE_SCHEMA, Advice, recommend
from advisor.decision.audit import fingerprints
from advisor.documents import read_document
from advisor.errors import AdvisorError, NoFeasibleStrategy, Undecided
from advisor.knowledge.rulebase import RuleBase
from advisor.machine import Machine
from advisor.profile import Profile
from advisor.profile.profile import Source

_NOT_THE_VERDICT = {"expected", "note"}


class _Input(BaseModel):
    input: str
    value: Any
    source: Source


class _Row(BaseModel):
    row: str
    strategy: str | None = None
    thresholds: list[str]


class _Audit(BaseModel):
    machine: Machine
    deciding: _Row
    passed_over: list[_Row]
    objections: list[_Row]
    vetoes: list[_Row]
    fingerprints: dict[str, str]


class _Rules(BaseModel):
    version: str
    sha256: str


class Record(BaseModel):
    """What a replay needs of an advice as ``advisor recommend --record`` writes it; the rest is for readers."""

    schema_: Literal[1] = Field(alias="schema")
    project: str
    verdict: dict[str, Any]
    rules_verdict: dict[str, Any] | None = None
    inputs: list[_Input]
    assumed: dict[str, Any]
    rules: _Rules
    advisor: str
    audit: _Audit

    def profile(self) -> Profile:
        """Return the recorded answers as a profile.

        Raises:
            InputError: an answer is none that this advisor knows.
        """
        profile = Profile(name=self.project)
        for source in dict.fromkeys(row.source for row in self.inputs):
            profile = profile.with_answers({r.input: r.value for r in self.inputs if r.source == source}, source)
        return profile


@dataclass(frozen=True)
class Replay:
    """A recorded verdict beside today's.

    Attributes:
        advice: today's; None where it ended without a verdict, which ``ended`` tells.
        differences: by part of the verdict, what it was and what it is.
        changes: what has changed in the rule base and took part in either verdict, one sentence each.
    """

    record: Record
    base: RuleBase
    advice: Advice | None
    ended: str | None
    differences: dict[str, tuple[Any, Any]]
    changes: list[str]

    @property
    def same(self) -> bool:
        """Whether the verdict is what it was."""
        return not self.differences and self.ended is None

    def as_dict(self) -> dict[str, Any]:
        """Return the replay as plain data."""
        return {
            "schema": ADVICE_SCHEMA,
            "same": self.same,
            "then": {"verdict": self.record.verdict, "rules": self.record.rules.model_dump()},
            "now": {
                "verdict": self.advice.as_dict()["verdict"] if self.advice else None,
                "ended": self.ended,
                "rules": {"version": self.base.version, "sha256": self.base.digest},
            },
            "differences": {name: {"then": then, "now": now} for name, (then, now) in self.differences.items()},
            "changes": self.changes,
        }


def read_record(path: Path) -> Record:
    """Read what ``advisor recommend --record`` or ``--json`` wrote, or the ``advice.json`` of a plan.

    Raises:
        InputError: there is no such file.
        DocumentError: it is no record of an advice.
    """
    return read_document(path).validate(Record)


def replay(record: Record, base: RuleBase) -> Replay:
    """Decide anew, on the recorded answers and machine, with a rule base.

    Raises:
        InputError: the record holds answers that this advisor does not know.
        AdvisorError: the rules are those of the record, but the verdict is not.
    """
    advice, ended = None, None
    try:
        advice = recommend(record.profile(), base=base, machine=record.audit.machine)
    except (NoFeasibleStrategy, Undecided) as stopped:
        ended = str(stopped)
    now = advice.as_dict()["verdict"] if advice else {}
    differences = {
        name: (then, now[name])
        for name, then in (record.rules_verdict or record.verdict).items()
        if name in now and name not in _NOT_THE_VERDICT and now[name] != then
    }
    if base.digest == record.rules.sha256 and (differences or ended):
        came = ended or ", ".join(f"{name} was {then}, is {new}" for name, (then, new) in differences.items())
        raise AdvisorError(
            f"the rules are those of the record, but the verdict is not: {came}. Either the record was altered, or "
            f"the base model or the advisor has changed ({record.advisor} then, {__version__} now)"
        )
    changes = _changes(record, base, advice) if differences or ended else []
    return Replay(record, base, advice, ended, differences, changes)


def _changes(record: Record, base: RuleBase, advice: Advice | None) -> list[str]:
    """Say what has changed among the entries that took part; among all of them where none of those did."""
    then, now = record.audit.fingerprints, fingerprints(base)
    changed = {name for name in then.keys() | now.keys() if then.get(name) != now.get(name)}
    involved = {f"assumption {name}" for name in record.assumed} | set(_involved(record.audit))
    if advice:
        found = advice.as_dict()
        involved |= {f"assumption {name}" for name in found["assumed"]}
        involved |= set(_involved(_Audit.model_validate(found["audit"])))
    return [_sentence(name, then.get(name), now.get(name)) for name in sorted(changed & involved or changed)] or [
        "no row, requirement, threshold or assumption; forecasts are made from other figures"
    ]


def _involved(audit: _Audit) -> Iterator[str]:
    yield from _names("row", [audit.deciding, *audit.passed_over])
    yield from _names("objection", audit.objections)
    for veto in audit.vetoes:
        yield from _names(f"requirement {veto.strategy}", [veto], "/")


def _names(kind: str, rows: Iterable[_Row], joined: str = " ") -> Iterator[str]:
    for row in rows:
        yield f"{kind}{joined}{row.row}"
        yield from (f"threshold {name}" for name in row.thresholds)


def _sentence(name: str, then: str | None, now: str | None) -> str:
    if then is None:
        return f"{name} is new"
    if now is None:
        return f"{name} is gone"
    if name.startswith(("threshold", "assumption")):
        return f"{name} was {then}, is {now}"
    return f"{name} reads otherwise"
