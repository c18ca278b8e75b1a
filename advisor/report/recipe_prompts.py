"""What the recipe of a prompted language model needs to know of a plan, beside what every recipe does."""

from typing import Any

from advisor.backend.prompted.label_words import label_words
from advisor.plan.plan import Plan
from advisor.report.recipe_code import Code
from advisor.tasks import TASKS

_IN_PROCESS, _SERVED = "recipe/llm-local/script.py.j2", "recipe/llm-api/script.py.j2"


def prompted_template(plan: Plan) -> str | None:
    """Return the template for what a plan prompts, None where there is none: models are asked for one class."""
    if plan.prompting is None or TASKS[plan.task].predicts != "class":
        return None
    return _IN_PROCESS if plan.prompting.url is None else _SERVED


def prompted_facts(plan: Plan) -> dict[str, Any]:
    """Return the names that the template uses beside those of `advisor.report.recipe_facts`."""
    assert plan.prompting is not None
    descriptions = {label: said or "" for label, said in plan.labels.items()}
    words = label_words(list(plan.labels), descriptions)
    shows = plan.strategy == "few-shot"
    return {
        "title": Code("Few-shot prompting" if shows else "Zero-shot prompting"),
        "shows": shows,
        "served": plan.prompting.url is not None,
        "with_model": Code("" if plan.prompting.url else ", model, tokenizer"),
        "by": Code(" by a server" if plan.prompting.url else ""),
        "terms": plan.prompting,
        "words": {label: word._asdict() for label, word in zip(plan.labels, words, strict=True)},
        "template_lines": plan.prompting.template.split("\n"),
    }
