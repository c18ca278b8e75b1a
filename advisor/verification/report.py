"""A report on a rule base: findings, each with its place and a witness, and warnings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from advisor.knowledge.vocabulary import Value
from advisor.profile import Profile

Kind = Literal["gap", "conflict", "dead", "masked", "unsound", "monotone", "expired", "threshold"]
Witness = Mapping[str, Value]


class Row(Protocol):
    """Anything in a rule file with an id and a place."""

    @property
    def id(self) -> str:
        """What it is called."""

    @property
    def place(self) -> str:
        """Where it stands: file:line:column."""


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        rows: ids of the rows, thresholds or evidence at fault, the offending one first; for a gap the strategies that
            are feasible there.
        places: file:line:column of each.
        witnesses: answers by dotted name that show the fault; two, before and after, where it takes two projects.
        replayed: whether the decision itself, run on the witnesses, shows the fault; it may not where the fault takes
            resources that forecasts never demand, or a derived fact that the proof leaves free.
    """

    kind: Kind
    sentence: str
    rows: tuple[str, ...]
    places: tuple[str, ...]
    witnesses: tuple[Witness, ...] = ()
    replayed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return {**vars(self), "witnesses": [dict(witness) for witness in self.witnesses]}


def finding(
    kind: Kind, sentence: str, rows: Iterable[Row], witnesses: Sequence[Witness] = (), replayed: bool = False
) -> Finding:
    """Return a finding about rows, the offending one first."""
    rows = list(rows)
    return Finding(
        kind, sentence, tuple(row.id for row in rows), tuple(row.place for row in rows), tuple(witnesses), replayed
    )


@dataclass(frozen=True)
class Report:
    """What checking a rule base brought.

    Attributes:
        proved: whether the proofs were run; without z3 only what needs no proof is checked.
    """

    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    proved: bool

    def profiles(self) -> dict[str, Profile]:
        """Return the witnesses as profiles that ``advisor recommend`` reads, named by kind and offending row."""
        profiles = {}
        for stem, found in self._named():
            for name, witness in zip(_stages(stem, found), found.witnesses, strict=True):
                profiles[name] = Profile(name=name).with_answers(_answers(witness), "file")
        return profiles

    def _named(self) -> Iterator[tuple[str, Finding]]:
        times = Counter[str]()
        for found in self.findings:
            stem = f"{found.kind}-{found.rows[0]}"
            times[stem] += 1
            yield stem if times[stem] == 1 else f"{stem}-{times[stem]}", found

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {**vars(self), "findings": [found.as_dict() for found in self.findings]}


def _stages(stem: str, found: Finding) -> list[str]:
    return [stem] if len(found.witnesses) == 1 else [f"{stem}-before", f"{stem}-after"][: len(found.witnesses)]


def _answers(witness: Witness) -> dict[str, Any]:
    languages = witness.get("task.languages")
    return {**witness, **({"task.languages": str(languages).split(",")} if languages else {})}
