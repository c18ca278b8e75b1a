"""Recording plans and runs in the user's ledger."""

import hashlib
import time
from math import isfinite
from typing import Any, NamedTuple

from advisor import __version__
from advisor.ledger.book import VARIABLE, open_book
from advisor.ledger.entry import Entry
from advisor.plan.plan import Plan
from advisor.run.result import Result

_DIGITS = 12
_DEVICES = {"cuda": "gpu"}


class Learnt(NamedTuple):
    """What the fits that quality was measured on learnt from: rows, and those of the rarest class if there is one."""

    rows: float
    rarest: float | None


def record_plan(plan: Plan) -> str | None:
    """Write a plan's forecast down; return a sentence on why it could not be, None where all is well."""
    return _append(plan, kind="plan", id=_digest("plan", plan.identity()))


def record_run(plan: Plan, result: Result, learnt: Learnt, begun: float) -> str | None:
    """Write down what a run measured beside what had been forecast, once however often it is asked for.

    Args:
        plan: the plan, with the forecast that the run began with.
        result: of the run.
        learnt: what the measured fits learnt from.
        begun: when the run began, in seconds since 1970; it tells runs of one plan apart.

    Returns:
        a sentence on why it could not be written, None where all is well.
    """
    return _append(
        plan,
        kind="run",
        id=_digest("run", plan.identity(), str(begun)),
        rows=learnt.rows,
        rarest=learnt.rarest,
        judged=result.data["measured_rows"],
        ran_on=_DEVICES.get(result.device["kind"], result.device["kind"]),
        precision=result.device["precision"],
        measured={name: value for name, value in result.measured.items() if name != "quality"},
        quality={name: found["value"] for name, found in result.metrics.items() if isfinite(found["value"])},
        resumed=result.resumed,
    )


def _append(plan: Plan, **more: Any) -> str | None:
    book, premises = open_book(), plan.premises
    if book is None or premises is None:
        return None
    entry = Entry(
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        plan=plan.identity()[:_DIGITS],
        advisor=__version__,
        project=plan.project,
        task=plan.task,
        metric=plan.metric,
        classes=len(plan.labels) or None,
        languages=premises.languages,
        tokens_median=premises.tokens_median,
        tokens_p95=premises.tokens_p95,
        data=plan.data.train.sha256[:_DIGITS],
        labelled=plan.data.train.rows,
        strategy=plan.strategy,
        family=plan.family,
        engine=plan.engine,
        model=premises.model,
        modifiers=list(plan.modifiers),
        work=premises.work,
        machine=premises.machine,
        device=premises.device,
        serving_device=premises.serving_device,
        basis=premises.basis,
        forecast=plan.forecast,
        unadjusted=premises.unadjusted,
        **more,
    )
    try:
        book.append(entry)
    except OSError as failure:
        return f"{book.path}: the ledger cannot be written ({failure.strerror}); mend that, or set {VARIABLE}=off"
    return None


def _digest(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:_DIGITS]
