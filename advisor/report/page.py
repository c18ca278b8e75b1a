"""The page: everything a written report says about a plan, in words, before any layout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.plan.plan import Plan, PlannedModel, PlannedPrompting
from advisor.report.charts import Plot
from advisor.report.choices import Choice, choices, choices_plot, undrawn
from advisor.report.evidence import Evidence, Finding, cited_evidence
from advisor.report.explanation import Explanation, explanation
from advisor.report.figures import (
    Figure,
    Forecasted,
    figures,
    forecast_rows,
    forecast_terms,
)
from advisor.report.map_layout import Map, lay_out_map
from advisor.report.measured import Measured, measured_page
from advisor.report.names import short, title_of
from advisor.report.past import adjusted_line
from advisor.report.pilot_words import PilotWords, pilot_on_record
from advisor.report.recipe import recipe_template
from advisor.report.task_words import (
    choices_of,
    columns_of,
    forecast_measure,
    has_classes,
    long_inputs,
    named_answers,
    reads_pairs,
    task_title,
    unit_of,
)
from advisor.report.units import spoken, value_of
from advisor.report.usage import command
from advisor.run.result import Result
from advisor.strategies import EXECUTABLE, STRATEGIES

_JOINED = {"prompting": "with", "freezing": "of", "fine-tuning": "of"}


@dataclass(frozen=True)
class Side:
    """One side of a contested verdict: what it is for, and the findings on it."""

    title: str
    findings: list[Finding]


@dataclass(frozen=True)
class Page:
    """A report's content; what is not known is None or empty.

    Attributes:
        sentence: what the plan does.
        advised: the strategy that was advised; the plan ``departs`` where it is another.
        task: the task in words, with how many classes, labels or types of entity there are.
        metric: the measure that the plan is judged by.
        quality: the measure that a forecast of quality is of.
        unit: what a row of the data is called, in the plural.
        columns: of the data, those that the model reads.
        named: classes, labels or types of entity with what is known of each.
        long_inputs: what happens to inputs beyond the model's limit.
        command: what asks the model of the run.
        why: what the advice says for and against itself.
        pilot: what a pilot measured, where the advice follows one or knows of one.
        sides: of a contested verdict, its own first.
        undrawn: options that the plot lacks for want of a forecast quality.
        adjusted: a sentence on what past runs have adjusted in the forecast, empty where they have nothing.
        challenger: the strategy whose run could prove the advice wrong, where no experiment is on record.
        notes: what a reader must know about the choice, beyond that the plan departs from the advice.
        recipe: whether a stand-alone script does the same.
        prompts: who is asked on which terms, where a language model is prompted.
        measured: what the run found, where the plan ran.
    """

    plan: Plan
    sentence: str
    advised: str
    departs: bool
    task: str
    metric: str
    quality: str
    unit: str
    columns: list[str]
    long_inputs: str
    named: dict[str, str | None]
    command: str
    facts: list[str]
    figures: list[Figure]
    why: Explanation
    pilot: PilotWords | None
    sides: list[Side]
    map: Map | None
    plot: Plot | None
    undrawn: list[str]
    choices: list[Choice]
    forecast: list[Forecasted]
    terms: list[str]
    adjusted: str
    challenger: str | None
    notes: list[str]
    risks: list[str]
    evidence: Evidence
    inputs: list[dict[str, str]]
    recipe: bool
    prompts: list[tuple[str, PlannedPrompting]]
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
    why = explanation(record, plan.advice.because)
    evidence = cited_evidence({*plan.advice.evidence, *why.cited}, record, plan.advice.rules_sha256)
    departs = plan.strategy != plan.advice.strategy
    return Page(
        plan=plan,
        sentence=_sentence(plan),
        advised=title_of(plan.advice.strategy),
        departs=departs,
        task=task_title(plan),
        metric=plan.measure.title,
        quality=forecast_measure(plan).title,
        unit=unit_of(plan),
        columns=columns_of(plan),
        long_inputs=long_inputs(plan),
        named=named_answers(plan),
        command=command(plan.task, ".", pairs=reads_pairs(plan)),
        facts=_facts(plan, record),
        figures=figures(plan, result),
        why=why,
        pilot=pilot_on_record(record),
        sides=_sides(why, evidence),
        map=_map(record.get("map")),
        plot=choices_plot(plan, record, result),
        undrawn=undrawn(plan, record),
        choices=choices(plan, record),
        forecast=forecast_rows(plan),
        terms=forecast_terms(plan),
        adjusted=adjusted_line(plan.premises.runs) if plan.premises else "",
        challenger=None if why.experiment else _challenger(plan, record),
        notes=plan.notes[1:] if departs else plan.notes,
        risks=_risks(plan, why, evidence),
        evidence=evidence,
        inputs=[{**row, "value": spoken(row["input"], row["value"])} for row in record.get("inputs", ())],
        recipe=recipe_template(plan) is not None,
        prompts=_prompts(plan),
        measured=measured_page(plan, result, errors) if result else None,
    )


def _sides(why: Explanation, evidence: Evidence) -> list[Side]:
    rows = [*why.reasons, *why.objections] if why.objections else []
    return [
        Side(title, evidence.of(name for row in rows if row.title == title for name in row.evidence))
        for title in dict.fromkeys(row.title for row in rows)
    ]


def _sentence(plan: Plan) -> str:
    known = STRATEGIES[plan.strategy]
    return f"{known.verb}: {known.title} {_JOINED.get(plan.family, 'of')} {short(plan.model.id)}"


def _prompts(plan: Plan) -> list[tuple[str, PlannedPrompting]]:
    asked = [(plan.model, plan.prompting), *([(plan.teacher.model, plan.teacher.prompting)] if plan.teacher else [])]
    return [(_asked(model, terms), terms) for model, terms in asked if terms]


def _asked(model: PlannedModel, terms: PlannedPrompting) -> str:
    """Say where a language model answers, and what that may cost."""
    if terms.url is None:
        return f"{short(model.id)} answers in this process."
    key = f"; the key is read from the environment variable {terms.key_variable}"
    cap = "no spending limit is set" if terms.max_usd is None else f"at most {value_of('usd', terms.max_usd)} is spent"
    return f"{model.id} answers at {terms.url}{key}; {cap}."


def _facts(plan: Plan, record: dict[str, Any]) -> list[str]:
    answers = {
        **record.get("assumed", {}),
        **{row["input"]: row["value"] for row in record.get("inputs", ())},
    }
    smallest, device, data = answers.get("data.smallest_class"), answers.get("compute.device"), plan.data
    measured = {
        "test-file": f"measured on {data.test.rows:,} held-out {unit_of(plan)}" if data.test else "",
        "held-out": f"measured on {data.split.share or 0:.0%} held out",
        "cross-validation": f"measured by {data.split.folds}-fold cross-validation",
    }
    facts = [
        choices_of(plan),
        f"{data.train.rows:,} labelled {unit_of(plan)}",
        f"rarest class {smallest:,}" if isinstance(smallest, int) and has_classes(plan) else "",
        f"trained on a {'GPU' if device == 'gpu' else 'processor'}" if device else "",
        measured[data.split.kind],
    ]
    return [fact for fact in facts if fact]


def _map(found: dict[str, Any] | None) -> Map | None:
    if not found or len({strategy for row in found["rows"] for strategy in row}) < 2:
        return None
    return lay_out_map(found)


def _challenger(plan: Plan, record: Mapping[str, Any]) -> str | None:
    """Return what this version can run: the advice where the plan departs from it, else the next best."""
    following = [row["strategy"] for row in record.get("alternatives", ()) if row["engine"] == plan.engine]
    for strategy in (plan.advice.strategy, *following):
        if strategy != plan.strategy and strategy in EXECUTABLE:
            return str(strategy)
    return None


def _risks(plan: Plan, why: Explanation, evidence: Evidence) -> list[str]:
    risks = []
    if plan.forecast.get("quality") is None:
        risks.append("No quality could be forecast: nothing comparable has been measured yet.")
    if why.questions:
        risks.append(f"Assumed answers could turn the verdict: {', '.join(q.input for q in why.questions)}.")
    doubts = [finding for finding in evidence.findings if finding.rated_down]
    return risks + [f"{finding.id} counts less than it might: {finding.rated_down}." for finding in doubts]
