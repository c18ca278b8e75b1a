"""What the recipe of a prompted language model needs to know of a plan, beside what every recipe does."""

from typing import Any

from advisor.backend.prompted.label_words import label_words
from advisor.plan.plan import Plan
from advisor.report.recipe_code import Code
from advisor.tasks import TASKS

PROMPTED = "recipe/llm-local/script.py.j2"


def has_prompted_recipe(plan: Plan) -> bool:
    """Whether there is a recipe for what a plan prompts: models in process that are asked for one class."""
    return plan.engine == "llm-local" and plan.prompting is not None and TASKS[plan.task].predicts == "class"


def prompted_facts(plan: Plan) -> dict[str, Any]:
    """Return the names that the template uses beside those of `advisor.report.recipe_facts`."""
    assert plan.prompting is not None
    descriptions = {label: said or "" for label, said in plan.labels.items()}
    words = label_words(list(plan.labels), descriptions)
    shows = plan.strategy == "few-shot"
    return {
        "title": Code("Few-shot prompting" if shows else "Zero-shot prompting"),
        "shows": shows,
        "words": {label: word._asdict() for label, word in zip(plan.labels, words, strict=True)},
        "template_lines": plan.prompting.template.split("\n"),
    }
