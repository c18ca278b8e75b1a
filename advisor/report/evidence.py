"""Findings that a plan cites, with their sources in pieces, so that a page can lead to the papers."""

import re
from dataclasses import dataclass
from typing import Any

from advisor.knowledge.rulebase import load_rulebase
from advisor.plan.plan import Plan

_CITED = re.compile(r"arXiv (\d{4}\.\d{4,5})|(?<=, )(\d{4}\.\d{4,5})(?=,|$)")
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
    """The findings that a plan cites; ``changed`` where the rules are not those the plan was made with."""

    findings: list[Finding]
    changed: bool


def cited_evidence(plan: Plan, record: dict[str, Any]) -> Evidence:
    """Look the plan's citations up in the record of its advice, else in the shipped rule base, or leave them out."""
    recorded = record.get("audit", {}).get("findings", {})
    if set(plan.advice.evidence) <= recorded.keys():
        return Evidence([_finding(name, recorded[name]) for name in plan.advice.evidence], changed=False)
    base = load_rulebase()
    there = [name for name in plan.advice.evidence if name in base.evidence]
    findings = [_finding(name, base.evidence[name].model_dump()) for name in there]
    return Evidence(findings, base.digest != plan.advice.rules_sha256)


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
