"""``advisor recommend``: verdict, reasons, alternatives."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import as_json, print_json, project, project_options
from advisor.decision.advice import recommend


@click.command("recommend")
@project_options
@as_json
def command(profile: Path | None, settings: tuple[str, ...], as_json: bool, **data: Any) -> None:
    """Advise on PROFILE, or on data alone.

    What the data and this machine tell is filled in; what stays unknown is assumed, and said to matter or not.
    """
    found = project(profile, settings, **data)
    advice = recommend(found.profile)
    if as_json:
        print_json(advice.as_dict())
    else:
        from advisor.report.terminal import advice_screen, console

        console().print(advice_screen(advice, str(profile) if profile else f"--data {data['data']}"))
