"""A sound rule base of four rows, to plant faults in."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import yaml

from advisor.knowledge.rulebase import read_rulebase
from advisor.strategies import STRATEGIES
from advisor.verification import Report, verify

Edit = Callable[[str, str, str], Path]
TODAY = date(2026, 11, 23)
USED = ("zero-shot", "few-shot", "linear-probe", "full-fine-tuning")

ROW = "  - {{id: {}, priority: {}, when: {{{}}}, recommend: {},\n{}}}\n"
REST = "     strength: strong, certainty: high, because: of that, evidence: [E1]"


def row(name: str, priority: int, when: str, recommend: str) -> str:
    """Return a row of a decision table as YAML."""
    return ROW.format(name, priority, when, recommend, REST)


MANY, SOME, FEW, NONE = (
    row("many", 50, "data.labelled: at least many, labels_per_class: at least 2", "full-fine-tuning"),
    row("some", 40, "labels_per_class: at least 2", "linear-probe"),
    row("few", 30, "data.labelled: at least 1", "few-shot"),
    row("none", 20, "", "zero-shot"),
)
MODELS = """\
models:
  - {id: small, kind: encoder, choose: embedded/all-MiniLM-L6-v2, when: {}, because: at hand, evidence: [E1]}
  - {id: writer, kind: generator, choose: Qwen/Qwen3-1.7B, when: {}, because: at hand, evidence: [E1]}
"""
DECISION = f"version: 2026-11-23\nrules:\n{MANY}{SOME}{FEW}{NONE}objections: []\n{MODELS}"
REQUIRES = """\
zero-shot: []
few-shot:
  - {id: demonstrations, needs: {data.labelled: at least 1}, because: nothing to show}
linear-probe:
  - {id: labels, needs: {labels_per_class: at least 2}, because: too few}
  - {id: latency, needs: {need.latency_ms: at most serving.latency_ms_p95}, because: too slow}
full-fine-tuning:
  - {id: labels, needs: {labels_per_class: at least 2}, because: too few}
  - {id: memory, needs: {need.train_memory_gb: at most compute.memory_gb}, because: too large}
  - {id: latency, needs: {need.latency_ms: at most serving.latency_ms_p95}, because: too slow}
"""
THRESHOLDS = "many: {value: 1000, range: [500, 2000], unit: examples, source: made up, measured: 2026-11-23}\n"
EVIDENCE = """\
E1:
  {claim: made up, conditions: none, design: case study, certainty: low, source: none, read: abstract,
   review_by: 2027-11-01}
"""


def requirements(*shared: str) -> str:
    """Return requirements, some of them of every strategy; strategies beyond the four are never feasible."""
    never = "  - {id: unused, needs: {data.labelled: below 0}, because: not here}"
    unused = "".join(f"{strategy}:\n{never}\n" for strategy in STRATEGIES if strategy not in USED)
    every = {"every-strategy": [yaml.safe_load(line) for line in shared]}
    return yaml.safe_dump(every) + REQUIRES + unused


def check(folder: Path, today: date = TODAY) -> Report:
    return verify(read_rulebase(folder), today)
