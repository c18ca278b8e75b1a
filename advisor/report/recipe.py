"""The recipe: a plan as a stand-alone script that needs no advisor, with its requirements."""

import re
import sys
from functools import cache

import jinja2

from advisor.assets import asset
from advisor.plan.plan import Plan
from advisor.report.recipe_code import written
from advisor.report.recipe_facts import prompted_recipe_facts, recipe_facts
from advisor.report.recipe_imports import imports_of
from advisor.report.recipe_prompts import prompted_template
from advisor.report.recipe_writing import TEMPLATE, tunes_generator, writing_facts

_IMPORTS = "\nIMPORTS\n"
_ALWAYS = ("torch", "transformers", "tokenizers", "scikit-learn", "numpy", "safetensors")


def recipe_template(plan: Plan) -> str | None:
    """Return the template of a plan's recipe; None where there is none for its strategy or for what it prompts."""
    if tunes_generator(plan):
        return TEMPLATE
    if plan.engine != "encoder":
        return prompted_template(plan)
    own = f"recipe/{plan.strategy}.py.j2"
    return own if asset("templates", *own.split("/")).exists() else None


def recipe_documents(plan: Plan) -> dict[str, str]:
    """Return ``recipe.py`` and ``requirements.txt`` by name, nothing where there is no recipe.

    The same plan gives the same text.
    """
    template = recipe_template(plan)
    if template is None:
        return {}
    facts = writing_facts if tunes_generator(plan) else prompted_recipe_facts if plan.prompting else recipe_facts
    recipe = _environment(literals=True).get_template(template).render(facts(plan))
    opening, _, rest = recipe.partition(_IMPORTS)
    imports = imports_of(rest)
    requirements = _environment(literals=False).get_template("requirements.txt.j2")
    return {
        "recipe.py": f"{opening}\n{imports}\n{rest}",
        "requirements.txt": requirements.render(requirements=_requirements(plan, imports)),
    }


@cache
def _environment(*, literals: bool) -> jinja2.Environment:
    """Return the templates; with ``literals`` every value of a plan is written as a literal, so never as code."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset("templates"), encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        finalize=written if literals else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _requirements(plan: Plan, imports: str) -> list[str]:
    """Return one requirement a line for the modules that a recipe imports, pinned where the plan knows the version."""
    modules = re.findall(r"^(?:from|import) (\w+)", imports, re.MULTILINE)
    found = {name.replace("_", "-") for name in modules if name not in sys.stdlib_module_names}
    found = {"scikit-learn" if name == "sklearn" else name for name in found}
    served = plan.prompting is not None and plan.prompting.url is not None
    always = () if served else _ALWAYS
    names = [*always, *sorted(found - {*always})]
    return [f"{name}=={_public(plan.versions[name])}" if name in plan.versions else name for name in names]


def _public(version: str) -> str:
    """Return a version as the package index knows it, without a local part such as ``+cpu``."""
    return version.split("+")[0]
