"""Documents: the page, its Markdown twin, the decision record and the model card, filled from templates."""

from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from advisor.assets import asset
from advisor.decision.advice import Advice
from advisor.plan.plan import Plan
from advisor.profile import INPUTS
from advisor.report.card import front_matter
from advisor.report.charts import describe
from advisor.report.escaping import code_block, code_span, finalize_html, finalize_markdown
from advisor.report.map_layout import lay_out_map
from advisor.report.names import title_of
from advisor.report.page import plan_page
from advisor.report.palette import PALETTE
from advisor.report.record import advice_record
from advisor.report.task_words import cuts_off, reads_pairs
from advisor.report.units import capital
from advisor.report.usage import adapter_usage, pipeline_usage, trusting
from advisor.run.result import Result
from advisor.strategies import STRATEGIES, Family


def plan_documents(plan: Plan, advice: Advice) -> dict[str, str]:
    """Return the texts of a plan folder by file name: ``report.html``, ``report.md``, ``decision.md``."""
    page = plan_page(plan, advice_record(advice))
    return {
        "report.html": fill_html("report.html.j2", page=page),
        "report.md": fill_markdown("report.md.j2", page=page),
        "decision.md": fill_markdown("decision.md.j2", page=page),
    }


def run_documents(
    plan: Plan, result: Result, advice: dict[str, Any] | None, errors: Sequence[dict[str, Any]], usage: str
) -> dict[str, str]:
    """Return the texts of a run folder by file name: ``report.html`` and ``README.md``, the model card.

    Args:
        plan: the plan that ran.
        result: what it found.
        advice: `advice_record` or `Advice.as_dict`; its sections are left out where it is None.
        errors: rows of ``predictions.jsonl``, at least the `worst_rows`; right ones are passed over.
        usage: Python that loads a frozen encoder and its head from ``model``; whole models load with ``pipeline``.
    """
    page = plan_page(plan, advice, result, errors)
    whole = STRATEGIES[plan.strategy].whole_model
    how = adapter_usage if plan.hyperparameters.get("export") == "adapter" else pipeline_usage
    lines = how(plan.task, pairs=reads_pairs(plan)) if whole else usage
    card = fill_markdown(
        "model_card.md.j2",
        page=page,
        front_matter=front_matter(plan, result, advice),
        cut=whole and not cuts_off(plan),
        usage=trusting(lines) if plan.model.trust_remote_code else lines,
    )
    return {"report.html": fill_html("report.html.j2", page=page), "README.md": card}


def map_document(found: dict[str, Any], project: str) -> str:
    """Return what `decision_map` found as an SVG image that stands alone."""
    strategies = list(dict.fromkeys(strategy for row in found["rows"] for strategy in row if strategy))
    column, row = found["here"]
    here = None if None in (column, row) else found["rows"][row][column]
    template = _environment(html=True).get_template("map.svg.j2")
    return template.render(map=lay_out_map(found), strategies=strategies, here=here, project=project)


def _asked(name: str) -> str:
    return INPUTS[name].question if name in INPUTS else name


def fill_html(template: str, **values: Any) -> str:
    """Return a page filled in; every value is escaped."""
    return _environment(html=True).get_template(template).render(**values)


def fill_markdown(template: str, **values: Any) -> str:
    """Return a Markdown template filled in; every value is escaped unless it is `Markdown` already."""
    return _environment(html=False).get_template(template).render(**values)


@cache
def _environment(*, html: bool) -> Environment:
    """Return an environment in which everything a template writes is escaped for its kind of document."""
    environment = Environment(
        loader=FileSystemLoader(asset("templates")),
        autoescape=html,
        finalize=finalize_html if html else finalize_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"palette": PALETTE, "families": get_args(Family), "title": title_of, "asked": _asked}
    environment.filters |= {"code": code_span, "block": code_block, "describe": describe, "capital": capital}
    return environment
