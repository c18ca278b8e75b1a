"""The model card's front matter: what the model hub reads, with measured values."""

import re
from typing import Any

import yaml

from advisor.knowledge.catalogue import EMBEDDED_PREFIX, load_catalogue
from advisor.plan.plan import Plan
from advisor.report.escaping import Markdown, one_line
from advisor.run.result import Result
from advisor.tasks import TASKS, Measure

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")
_EMBEDDED_OWNER = "sentence-transformers/"


def front_matter(plan: Plan, result: Result, record: dict[str, Any] | None) -> Markdown:
    """Return the YAML between two lines of dashes, in the hub's terms.

    License and language are the base model's where nothing closer is known; a local folder is not named.
    """
    facts = load_catalogue().models.get(plan.model.id)
    languages = _languages(record) or (list(facts.languages) if facts else [])
    name = one_line(plan.project) or "project"
    task = TASKS[plan.task]
    measured = [measure for measure in dict.fromkeys((plan.measure, *task.measures)) if measure.key in result.metrics]
    fields: dict[str, Any] = {
        "license": facts.licence if facts else "unknown",
        "language": [language for language in languages if language != "unknown"],
        "base_model": hub_id(plan.model.id),
        "pipeline_tag": task.pipeline,
        "library_name": None if plan.prompting else "transformers",
        "tags": [plan.family, plan.strategy],
        "metrics": list(dict.fromkeys(measure.hub for measure in measured if measure.hub)),
        "model-index": [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": task.pipeline, "name": task.title},
                        "dataset": {"name": name, "type": "private", "revision": _data_hash(plan)},
                        "metrics": [_metric(measure, result) for measure in measured],
                    }
                ],
            }
        ],
    }
    known = {key: value for key, value in fields.items() if value not in (None, [])}
    return Markdown(f"---\n{yaml.safe_dump(known, allow_unicode=True, sort_keys=False)}---")


def _metric(measure: Measure, result: Result) -> dict[str, Any]:
    value = round(result.metrics[measure.key]["value"], 4)
    return {"type": measure.hub or measure.key, "name": measure.title, "value": value}


def hub_id(model: str) -> str | None:
    """Return a model's id on the hub; the embedded models stand there under the name of their maker."""
    if model.startswith(EMBEDDED_PREFIX):
        return _EMBEDDED_OWNER + model.removeprefix(EMBEDDED_PREFIX)
    return model if _HUB_ID.match(model) and not model.startswith(".") else None


def _languages(record: dict[str, Any] | None) -> list[str]:
    answers = {row["input"]: row["value"] for row in (record or {}).get("inputs", ())}
    return [str(language) for language in answers.get("task.languages") or ()]


def _data_hash(plan: Plan) -> str:
    return (plan.data.test or plan.data.train).sha256
