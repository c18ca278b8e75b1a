"""The page: everything a written report says about a plan, in words, before any layout."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from advisor.plan.plan import Plan
from advisor.profile import INPUTS
from advisor.report.charts import Map, Option, Plot, lay_out_map, option_of, quality_cost_plot
from advisor.report.evidence import Evidence, cited_evidence
from advisor.report.figures import (
    METRIC_NAMES,
    Expected,
    Figure,
    Forecasted,
    expected,
    figures,
    forecast_rows,
    metric_key,
)
from advisor.report.measured import Measured, measured_page
from advisor.report.record import spoken
from advisor.run.result import Result
from advisor.strategies import STRATEGIES

_JOINED = {"prompting": "with", "freezing": "of", "fine-tuning": "of"}


@dataclass(frozen=True)
class Choice:
    """One option in the table: the advice first, then its alternatives."""

    strategy: str
    title: str
    model: str
    changes: str
    quality: Expected
    seconds: Expected
    latency: Expected
    usd_per_1000: Expected
    first: bool
    why_not: list[str]
    dominated_by: str | None


@dataclass(frozen=True)
class Page:
    """A report's content; what is not known is None or empty.

    Attributes:
        sentence: what the plan does.
        advised: the strategy that was advised; the plan ``departs`` where it is another.
        stability: share of draws of the rules' thresholds that keep the verdict.
        challenger: the strategy whose run could prove the advice wrong.
        notes: what a reader must know about the choice, beyond that the plan departs from the advice.
        measured: what the run found, where the plan ran.
    """

    plan: Plan
    sentence: str
    advised: str
    departs: bool
    metric: str
    facts: list[str]
    figures: list[Figure]
    note: str | None
    reasons: list[dict[str, Any]]
    objections: list[dict[str, Any]]
    flips: list[dict[str, str]]
    map: Map | None
    questions: list[dict[str, Any]]
    stability: float | None
    plot: Plot | None
    choices: list[Choice]
    excluded: list[dict[str, Any]]
    forecast: list[Forecasted]
    challenger: str | None
    notes: list[str]
    risks: list[str]
    evidence: Evidence
    inputs: list[dict[str, str]]
    assumed: list[dict[str, str]]
    measured: Measured | None


def plan_page(
    plan: Plan,
    record: dict[str, Any] | None,
    result: Result | None = None,
    errors: Iterable[dict[str, Any]] = (),
) -> Page:
    """Put a plan, the record of its advice and the result of its run into words.

    Args:
        plan: the plan.
        record: `advice_record` or `Advice.as_dict`; what only these tell is left out where it is None.
        result: of the plan's run, if it ran.
        errors: wrong predictions of that run.
    """
    record = record or {}
    reasons = record.get("reasons") or [{"because": because} for because in plan.advice.because]
    evidence = cited_evidence(plan, record)
    return Page(
        plan=plan,
        sentence=_sentence(plan),
        advised=_title(plan.advice.strategy),
        departs=plan.strategy != plan.advice.strategy,
        metric=METRIC_NAMES[metric_key(plan)],
        facts=_facts(plan, record),
        figures=figures(plan, result),
        note=record.get("verdict", {}).get("note"),
        reasons=[_reason(reason) for reason in reasons if "favours" not in reason],
        objections=[_objection(reason) for reason in reasons if "favours" in reason],
        flips=[_flip(flip) for flip in record.get("flips", ())],
        map=_map(record.get("map")),
        questions=[_question(question) for question in record.get("questions", ())],
        stability=record.get("stability"),
        plot=_plot(plan, record, result),
        choices=[_choice(first, row) for first, row in _options(plan, record)],
        excluded=[
            {**row, "title": _title(row["strategy"])}
            for key in ("excluded", "excluded_engines")
            for row in record.get(key, ())
        ],
        forecast=forecast_rows(plan),
        challenger=_challenger(plan, record),
        notes=plan.notes[1:] if plan.strategy != plan.advice.strategy else plan.notes,
        risks=_risks(plan, record, evidence),
        evidence=evidence,
        inputs=[{**row, "value": spoken(row["input"], row["value"])} for row in record.get("inputs", ())],
        assumed=[{"input": name, "value": spoken(name, value)} for name, value in record.get("assumed", {}).items()],
        measured=measured_page(plan, result, errors) if result else None,
    )


def _title(strategy: str) -> str:
    known = STRATEGIES.get(strategy)
    return known.title if known else strategy


def _asked(name: str) -> str:
    return INPUTS[name].question if name in INPUTS else name


def _short(model: str) -> str:
    return model.rstrip("/").rpartition("/")[2] or model


def _sentence(plan: Plan) -> str:
    known = STRATEGIES[plan.strategy]
    return f"{known.verb}: {known.title} {_JOINED.get(plan.family, 'of')} {_short(plan.model.id)}"


def _facts(plan: Plan, record: dict[str, Any]) -> list[str]:
    answers = {
        **record.get("assumed", {}),
        **{row["input"]: row["value"] for row in record.get("inputs", ())},
    }
    smallest, device, data = answers.get("data.smallest_class"), answers.get("compute.device"), plan.data
    measured = {
        "test-file": f"measured on {data.test.rows:,} held-out texts" if data.test else "",
        "held-out": f"measured on {data.split.share or 0:.0%} held out",
        "cross-validation": f"measured by {data.split.folds}-fold cross-validation",
    }
    facts = [
        f"{len(plan.labels)} classes",
        f"{data.train.rows:,} labelled texts",
        f"rarest class {smallest:,}" if isinstance(smallest, int) else "",
        f"trained on a {'GPU' if device == 'gpu' else 'processor'}" if device else "",
        measured[data.split.kind],
    ]
    return [fact for fact in facts if fact]


def _reason(reason: dict[str, Any]) -> dict[str, Any]:
    because = reason["because"]
    tests = [
        f"{test['test']}, here {spoken(test['test'].partition(':')[0], test['value'])}"
        for test in reason.get("tests", ())
    ]
    return {
        "because": because,
        "sentence": because[:1].upper() + because[1:],
        "rule": reason.get("rule", ""),
        "tests": tests,
        "evidence": reason.get("evidence", []),
    }


def _objection(reason: dict[str, Any]) -> dict[str, Any]:
    return {**reason, "title": _title(reason["favours"])}


def _flip(flip: dict[str, Any]) -> dict[str, str]:
    name = flip["input"]
    return {
        "input": name,
        "question": _asked(name),
        "from": spoken(name, flip["from"]),
        "to": spoken(name, flip["to"]),
        "title": _title(flip["strategy"]),
    }


def _question(question: dict[str, Any]) -> dict[str, Any]:
    return {
        **question,
        "assumed": spoken(question["input"], question["assumed"]),
        "could_become": [_title(strategy) for strategy in question["could_become"]],
    }


def _map(found: dict[str, Any] | None) -> Map | None:
    if not found or len({strategy for row in found["rows"] for strategy in row}) < 2:
        return None
    return lay_out_map(found)


def _options(plan: Plan, record: dict[str, Any]) -> list[tuple[bool, dict[str, Any]]]:
    """Return the advice and its alternatives; the planned one with the plan's own, closer forecast."""
    if not record:
        return []
    closer = {
        **plan.forecast,
        "latency_ms": plan.forecast.get("latency_ms_p95"),
        "usd": plan.forecast.get("train_usd"),
    }
    found = [(True, record["verdict"]), *((False, row) for row in record["alternatives"])]
    planned = (plan.strategy, plan.engine)
    return [
        (first, {**row, "expected": closer} if (row["strategy"], row["engine"]) == planned else row)
        for first, row in found
    ]


def _choice(first: bool, row: dict[str, Any]) -> Choice:
    known = STRATEGIES.get(row["strategy"])
    quality, seconds, latency, price = (
        expected(name, row["expected"].get(name)) for name in ("quality", "train_seconds", "latency_ms", "usd_per_1000")
    )
    return Choice(
        strategy=row["strategy"],
        title=_title(row["strategy"]),
        model=_short(row["model"]),
        changes=known.changes if known else "",
        quality=quality,
        seconds=seconds,
        latency=latency,
        usd_per_1000=price,
        first=first,
        why_not=row.get("why_not", []),
        dominated_by=row.get("dominated_by"),
    )


def _plot(plan: Plan, record: dict[str, Any], result: Result | None) -> Plot | None:
    found = [
        option_of(row["strategy"], row["engine"], row["expected"], "first" if first else "other")
        for first, row in _options(plan, record)
    ]
    options: list[Option] = [option for option in found if option]
    if result is not None and options:
        accuracy, seconds = result.metrics["accuracy"], result.measured["train_seconds"]
        value = accuracy["value"]
        quality = {"point": value, "low": accuracy.get("low", value), "high": accuracy.get("high", value)}
        time = {"low": seconds, "point": seconds, "high": seconds}
        options.append(Option(plan.strategy, plan.engine, quality, time, "measured"))
    return quality_cost_plot(options)


def _challenger(plan: Plan, record: dict[str, Any]) -> str | None:
    """Return the advice where the plan departs from it, else what evidence favours, else the next best."""
    favoured = [reason["favours"] for reason in record.get("reasons", ()) if "favours" in reason]
    following = [row["strategy"] for row in record.get("alternatives", ()) if row["engine"] == plan.engine]
    for strategy in (plan.advice.strategy, *favoured, *following):
        if strategy != plan.strategy and strategy in STRATEGIES:
            return str(strategy)
    return None


def _risks(plan: Plan, record: dict[str, Any], evidence: Evidence) -> list[str]:
    risks = []
    if plan.forecast.get("quality") is None:
        risks.append("No quality could be forecast: nothing comparable has been measured yet.")
    questions = record.get("questions", ())
    if questions:
        listed = ", ".join(question["input"] for question in questions)
        risks.append(f"Assumed answers could turn the verdict: {listed}.")
    doubts = [finding for finding in evidence.findings if finding.rated_down]
    return risks + [f"{finding.id} counts less than it might: {finding.rated_down}." for finding in doubts]
