"""Verification: proof that a rule base has no gap, no conflict, no idle row, and never contradicts its requirements."""

from datetime import date
from importlib.util import find_spec

from advisor.knowledge.rulebase import RuleBase
from advisor.verification.report import Finding, Report
from advisor.verification.upkeep import unused, upkeep

__all__ = ["Finding", "Report", "verify"]


def verify(base: RuleBase, today: date) -> Report:
    """Check a rule base; the proofs need z3 and are left out where it is not installed.

    Args:
        base: a rule base that loaded, so that all its names resolve.
        today: the date that evidence's ``review_by`` is held against.
    """
    findings = list(upkeep(base, today))
    proved = find_spec("z3") is not None
    if proved:
        from advisor.verification.proofs import prove

        findings += prove(base)
    return Report(tuple(findings), tuple(unused(base)), proved)
