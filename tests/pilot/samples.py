"""Rows of made-up texts, and contenders of a decision on them."""

import numpy as np

from advisor.backend.rows import Rows
from advisor.decision.decide import decide_answers
from advisor.knowledge.rulebase import load_rulebase
from advisor.machine import Machine
from advisor.pilot.contenders import Contender, contenders

MACHINE = Machine(cores=2, memory_bytes=16_000_000_000, units="avx2", gpu=False)


def rows_of(*counts: int) -> Rows:
    """So many rows of every class."""
    targets = np.repeat(np.arange(len(counts)), counts)
    return Rows([f"text {row}" for row in range(len(targets))], targets, list(range(1, len(targets) + 1)))


def racing(labelled: int = 60, classes: int = 3) -> dict[str, Contender]:
    """Contenders on the embedded encoder, by id."""
    answers = {
        "task.type": "text-classification",
        "data.labelled": labelled,
        "data.classes": classes,
        "data.tokens_median": 20,
        "data.tokens_p95": 40,
        "compute.hours": 100.0,
        "compute.memory_gb": 16.0,
    }
    return {one.id: one for one in contenders(decide_answers(answers, load_rulebase(), MACHINE))}
