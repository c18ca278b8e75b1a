"""Findings that an advice cites, with their sources in pieces, so that a page can lead to the papers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.knowledge.rulebase import load_rulebase

_CITED = re.compile(r"arXiv (\d{4}\.\d{4,5})|(?<=, )(\d{4}\.\d{4,5})(?=,|$)")
_NUMBER = re.compile(r"(\D*)(\d*)(.*)")
_PAPERS = "https://arxiv.org/abs/"


@dataclass(frozen=True)
class Finding:
    """A cited finding; ``cited`` is its source in pieces, each with the address of the paper or None."""

    id: str
    claim: str
    conditions: str
    certainty: str
    rated_down: str | None
    cited: list[tuple[str, str | None]]
    read: str


@dataclass(frozen=True)
class Evidence:
    """The findings that an advice cites; ``changed`` where some are read from other rules than it was made with."""

    findings: list[Finding]
    changed: bool

    def of(self, names: Iterable[str]) -> list[Finding]:
        """Return those of some names."""
        wanted = set(names)
        return [finding for finding in self.findings if finding.id in wanted]


def cited_evidence(names: Iterable[str], record: Mapping[str, Any], rules_sha256: str) -> Evidence:
    """Look citations up in the record of an advice, else in the shipped rule base, or leave them out.

    Args:
        names: ids of findings.
        record: what `Advice.as_dict` returns; it may be empty.
        rules_sha256: digest of the rules that the advice was made with.
    """
    recorded = record.get("audit", {}).get("findings", {})
    wanted = sorted(set(names), key=_order)
    if recorded.keys() >= set(wanted):
        return Evidence([_finding(name, recorded[name]) for name in wanted], changed=False)
    base = load_rulebase()
    known = {name: found.model_dump() for name, found in base.evidence.items()} | recorded
    return Evidence([_finding(name, known[name]) for name in wanted if name in known], base.digest != rules_sha256)


def _order(name: str) -> tuple[str, int, str]:
    """Sort E9 before E10."""
    match = _NUMBER.fullmatch(name)
    assert match
    return match[1], int(match[2] or 0), match[3]


def _finding(name: str, found: dict[str, Any]) -> Finding:
    return Finding(
        id=name,
        claim=found["claim"],
        conditions=found["conditions"],
        certainty=found["certainty"],
        rated_down=found["rated_down"],
        cited=citations(found["source"]),
        read=found["read"],
    )


def citations(source: str) -> list[tuple[str, str | None]]:
    """Cut a source into text and arXiv numbers, the numbers with their addresses."""
    pieces: list[tuple[str, str | None]] = []
    end = 0
    for match in _CITED.finditer(source):
        pieces.append((source[end : match.start()], None))
        pieces.append((match[0], _PAPERS + (match[1] or match[2])))
        end = match.end()
    return [piece for piece in [*pieces, (source[end:], None)] if piece[0]]
