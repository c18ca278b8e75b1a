"""``advisor plan``: a plan folder that a person reads and a machine runs."""

from pathlib import Path
from shlex import quote
from typing import Any

import click

from advisor.api import write_plan
from advisor.cli import options
from advisor.cli.options import as_json, plan_options, print_json, project, project_options, rules_option
from advisor.cli.pilots import Asked, pilot_options, settled
from advisor.decision.advice import recommend
from advisor.knowledge.rulebase import load_rulebase
from advisor.pilot.budget import Budget


@click.command("plan")
@project_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The plan folder.")
@plan_options
@pilot_options
@rules_option
@as_json
def command(
    profile: Path | None,
    settings: tuple[str, ...],
    output: Path,
    strategy: str | None,
    seed: int | None,
    modifiers: tuple[str, ...],
    hyperparameters: tuple[str, ...],
    trust_remote_code: bool,
    budget: Budget | None,
    prefer: str | None,
    target: float | None,
    rules: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Write a plan folder for PROFILE or data: plan.yaml, report, decision record, recipe.py."""
    found = project(profile, settings, trust_remote_code=trust_remote_code, **data)
    advice = recommend(found.profile, base=load_rulebase(rules))
    advice = settled(advice, found.data, Asked(budget, prefer, target, seed), earlier=strategy is None)
    plan = write_plan(
        advice,
        found.data,
        output,
        strategy=strategy,
        seed=seed,
        modifiers=modifiers,
        hyperparameters=options.hyperparameters(hyperparameters),
    )
    if as_json:
        print_json(plan.model_dump(by_alias=True, mode="json"))
        return
    for note in plan.notes:
        click.echo(f"Note: {note}")
    click.echo(f"{plan.strategy} on {plan.model.id}, {plan.data.train.rows:,} labelled texts")
    click.echo(f"Read it:  {output}/report.html\nRun it:   advisor run {quote(str(output))}")
    if (output / "recipe.py").exists():
        click.echo(f"No advisor needed:  python {quote(f'{output}/recipe.py')}")
