"""The recipe: a plan as a stand-alone script that needs no advisor, with its requirements."""

import math
import re
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import jinja2

from advisor.assets import asset
from advisor.backend.settings import ZeroShotSettings
from advisor.backend.wording import describe
from advisor.data.formats import SUFFIXES
from advisor.knowledge.catalogue import load_catalogue
from advisor.plan.plan import Plan, PlannedFile
from advisor.strategies import STRATEGIES

_WIDTH = 100
_HUB_SPLIT = re.compile(r"(?P<dataset>\S+) \((?P<split>[^()]+)\)")
_READERS = {"csv": "csv", "tsv": "csv", "json": "json", "jsonl": "json", "parquet": "parquet"}
_ALWAYS = ("torch", "transformers", "tokenizers", "scikit-learn", "numpy", "safetensors")


def recipe_documents(plan: Plan) -> dict[str, str]:
    """Return ``recipe.py`` and ``requirements.txt`` by name; the same plan gives the same text."""
    facts = _facts(plan)
    recipe = _environment(literals=True).get_template(f"recipe/{plan.strategy}.py.j2")
    requirements = _environment(literals=False).get_template("requirements.txt.j2")
    return {
        "recipe.py": recipe.render(facts),
        "requirements.txt": requirements.render(requirements=_requirements(plan, facts)),
    }


def literal(value: Any, indent: int = 0) -> str:
    """Return plain data as a Python literal, lists and mappings over several lines where one is too long.

    Raises:
        TypeError: something else than None, a truth value, a number, text, a list, a tuple or a mapping.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, dict):
        items = [f"{literal(key)}: {literal(item, indent + 4)}" for key, item in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list | tuple):
        items, opening, closing = [literal(item, indent + 4) for item in value], "[", "]"
    else:
        raise TypeError(f"no literal for {type(value).__name__}")
    line = opening + ", ".join(items) + closing
    if indent + len(line) <= _WIDTH and "\n" not in line:
        return line
    space = " " * indent
    return f"{opening}\n" + "".join(f"{space}    {item},\n" for item in items) + space + closing


def _text(value: str) -> str:
    """Return a text's literal, in double quotes where nothing needs escaping for them."""
    found = repr(value)
    return f'"{found[1:-1]}"' if found[0] == "'" and '"' not in found else found


@cache
def _environment(*, literals: bool) -> jinja2.Environment:
    """Return the templates; with ``literals`` every expression is written as a literal, so never as code."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset("templates"), encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        finalize=literal if literals else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _facts(plan: Plan) -> dict[str, Any]:
    """Return what the templates need to know of a plan."""
    data, labels = plan.data, list(plan.labels)
    settings, kind = plan.hyperparameters, data.split.kind
    needs_training = plan.strategy != "zero-shot" or kind != "test-file" or bool(settings["centring"])
    parts = {"train": data.train if needs_training else None, "test": data.test}
    formats = {name: _format(part) for name, part in parts.items() if part is not None}
    files = [part for name, part in parts.items() if part is not None and formats[name] != "hub"]
    suffixes = {PurePosixPath(file.path).suffix.lower(): _format(file) for file in files}
    splits = {name: _HUB_SPLIT.fullmatch(part.path) for name, part in parts.items() if part is not None}
    return {
        "plan": plan,
        "tuned": STRATEGIES[plan.strategy].whole_model,
        "labels": labels,
        "prompts": _prompts(plan),
        "reads_training": needs_training,
        "formats": sorted(set(formats.values())),
        "file_formats": sorted(set(formats.values()) - {"hub"}),
        "suffixes": suffixes,
        "separators": "\t,;" if set(suffixes) & {".tsv", ".tab"} else ",\t;",
        "typed": bool(set(formats.values()) - {"csv"}),
        "dataset": next((found["dataset"] for found in splits.values() if found), None),
        **{f"{name}_format": formats.get(name) for name in parts},
        **{f"{name}_split": found["split"] if (found := splits.get(name)) else None for name in parts},
        "whole_labels": all(re.fullmatch("[-+]?[0-9]+", label) for label in labels),
        "truth_labels": set(labels) <= {"true", "false"},
        "split_warns": plan.strategy == "linear-probe" or (kind == "cross-validation" and plan.strategy != "zero-shot"),
        "balanced": plan.class_weights == "balanced",
        "model_source": _model_source(plan),
    }


def _format(file: PlannedFile) -> str:
    """Return which reader a file needs, ``hub`` for a data set of the hub."""
    return _READERS.get(SUFFIXES.get(PurePosixPath(file.path).suffix.lower(), ""), "hub")


def _model_source(plan: Plan) -> str:
    """Return where the model comes from: a ``package``, a ``folder`` or the ``hub``."""
    known = load_catalogue().models.get(plan.model.id)
    if known and known.package:
        return "package"
    return "hub" if plan.model.revision else "folder"


def _prompts(plan: Plan) -> dict[str, list[str]] | None:
    """Return the texts that stand for each label, where the strategy prompts."""
    if STRATEGIES[plan.strategy].family != "prompting":
        return None
    fields = ZeroShotSettings.model_fields
    settings = ZeroShotSettings.model_validate(
        {name: value for name, value in plan.hyperparameters.items() if name in fields}
    )
    return {label: describe(label, description or "", settings) for label, description in plan.labels.items()}


def _requirements(plan: Plan, facts: dict[str, Any]) -> list[str]:
    """Return one requirement a line, pinned where the plan knows the version."""
    names = [*_ALWAYS]
    if "parquet" in facts["formats"]:
        names.append("pyarrow")
    if "hub" in facts["formats"]:
        names.append("datasets")
    if facts["model_source"] == "package":
        names.append(str(load_catalogue().models[plan.model.id].package).replace("_", "-"))
    return [f"{name}=={_public(plan.versions[name])}" if name in plan.versions else name for name in names]


def _public(version: str) -> str:
    """Return a version as the package index knows it, without a local part such as ``+cpu``."""
    return version.split("+")[0]
