"""``advisor run``: the plan carried out, resumed by the same command."""

from pathlib import Path
from typing import Any

import click

from advisor.cli import options
from advisor.cli.options import as_json, host_option, plan_options, print_json, project, project_options, rules_option
from advisor.cli.pilots import Asked, pilot_options, settled
from advisor.errors import InputError
from advisor.pilot.budget import Budget


@click.command("run")
@project_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The run folder (run/NAME-HASH if left out).",
)
@plan_options
@pilot_options
@click.option(
    "--engine", type=click.Choice(["inprocess"]), default="inprocess", show_default=True, help="Where to run."
)
@host_option
@rules_option
@as_json
def command(
    profile: Path | None,
    settings: tuple[str, ...],
    output: Path | None,
    strategy: str | None,
    seed: int | None,
    modifiers: tuple[str, ...],
    hyperparameters: tuple[str, ...],
    trust_remote_code: bool,
    budget: Budget | None,
    prefer: str | None,
    target: float | None,
    allowed_hosts: tuple[str, ...],
    engine: str,
    rules: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Run PROFILE (a plan folder, a plan.yaml, or a profile), or data; the same command again resumes."""
    from advisor.api import open_plan, run_plan
    from advisor.report.console import console
    from advisor.report.result import result_screen
    from advisor.run.folder import default_folder

    if profile is not None and _is_plan(profile):
        given = (settings, strategy, rules, modifiers, hyperparameters, prefer, target, *data.values())
        if any(given) or seed is not None or budget is not None:
            raise InputError(
                f"{profile} is a plan and fixes data, rules, strategy and seed; make another (advisor plan)"
            )
        plan, plan_folder, advice = open_plan(profile)
    else:
        from advisor.decision.advice import recommend
        from advisor.knowledge.rulebase import load_rulebase
        from advisor.plan.build import build_plan
        from advisor.report.record import advice_record

        plan_folder = Path.cwd()
        found = project(profile, settings, trust_remote_code=trust_remote_code, **data)
        advice_found = recommend(found.profile, base=load_rulebase(rules))
        advice_found = settled(advice_found, found.data, Asked(budget, prefer, target, seed), earlier=strategy is None)
        plan = build_plan(
            advice_found,
            found.data,
            folder=plan_folder,
            strategy=strategy,
            seed=seed,
            modifiers=modifiers,
            hyperparameters=options.hyperparameters(hyperparameters),
        )
        advice = advice_record(advice_found)
    folder = output or default_folder(plan, Path("run"))
    for note in plan.notes:
        click.echo(f"Note: {note}", err=True)
    click.echo(f"{plan.strategy} on {plan.model.id}, {plan.data.train.rows:,} labelled texts → {folder}/", err=True)
    for terms in plan.prompts:
        if terms and terms.url:
            key = f", with the key in {terms.key_variable}" if terms.key_variable else ""
            click.echo(f"Texts are sent to {terms.url}{key}", err=True)
    result = run_plan(
        plan,
        folder,
        plan_folder=plan_folder,
        advice=advice,
        progress=True,
        trust_remote_code=trust_remote_code,
        allowed_hosts=allowed_hosts,
    )
    if as_json:
        print_json(result.as_dict())
    else:
        console().print(result_screen(result, str(folder)))


def _is_plan(path: Path) -> bool:
    if path.is_dir():
        return (path / "plan.yaml").exists()
    try:
        return "\nstrategy:" in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
