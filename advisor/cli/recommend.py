"""``advisor recommend``: verdict, reasons, alternatives."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.maps import requested_map, show_map
from advisor.cli.options import as_json, map_options, print_json, project, project_options
from advisor.decision.advice import recommend
from advisor.report.terminal import advice_screen, console


@click.command("recommend")
@project_options
@map_options
@as_json
def command(
    profile: Path | None,
    settings: tuple[str, ...],
    axes: str | None,
    map_svg: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Advise on PROFILE, or on data alone.

    What the data and this machine tell is filled in; what stays unknown is assumed, and said to matter or not.
    """
    found = project(profile, settings, **data)
    advice = recommend(found.profile)
    found_map = requested_map(advice, axes, map_svg)
    if as_json:
        print_json(advice.as_dict() | ({"map": found_map} if found_map else {}))
    else:
        console().print(advice_screen(advice, str(profile) if profile else f"--data {data['data']}"))
        show_map(found_map if axes else None)
