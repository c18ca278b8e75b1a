"""Findings that a plan cites, with their sources in pieces, so that a page can lead to the papers."""

import re
from dataclasses import dataclass

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


def cited_evidence(plan: Plan) -> Evidence:
    """Look the plan's citations up in the shipped rule base; a finding no longer there is left out."""
    base = load_rulebase()
    findings = []
    for name in plan.advice.evidence:
        found = base.evidence.get(name)
        if found:
            cited, doubt = citations(found.source), found.rated_down
            findings.append(Finding(name, found.claim, found.conditions, found.certainty, doubt, cited, found.read))
    return Evidence(findings, base.digest != plan.advice.rules_sha256)


def citations(source: str) -> list[tuple[str, str | None]]:
    """Cut a source into text and arXiv numbers, the numbers with their addresses."""
    pieces: list[tuple[str, str | None]] = []
    end = 0
    for match in _CITED.finditer(source):
        pieces.append((source[end : match.start()], None))
        pieces.append((match[0], _PAPERS + (match[1] or match[2])))
        end = match.end()
    return [piece for piece in [*pieces, (source[end:], None)] if piece[0]]
