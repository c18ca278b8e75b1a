"""``advisor recommend``: verdict, reasons, alternatives."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.maps import requested_map, show_map
from advisor.cli.options import as_json, map_options, print_json, project, project_options, rules_option
from advisor.decision.advice import recommend
from advisor.files import write_json
from advisor.knowledge.rulebase import load_rulebase


@click.command("recommend")
@project_options
@rules_option
@map_options
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the advice with its audit record there; advisor explain --record replays it.",
)
@as_json
def command(
    profile: Path | None,
    settings: tuple[str, ...],
    rules: Path | None,
    axes: str | None,
    map_svg: Path | None,
    record: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Advise on PROFILE, or on data alone.

    What the data and this machine tell is filled in; what stays unknown is assumed, and said to matter or not.
    """
    found = project(profile, settings, **data)
    advice = recommend(found.profile, base=load_rulebase(rules))
    if record:
        write_json(record, advice.as_dict())
    found_map = requested_map(advice, axes, map_svg)
    if as_json:
        print_json(advice.as_dict() | ({"map": found_map} if found_map else {}))
    else:
        from advisor.report.terminal import advice_screen, console

        console().print(advice_screen(advice, _named(profile, data["data"])))
        show_map(found_map if axes else None)


def _named(profile: Path | None, data: str | None) -> str:
    """Return what to name in the next command."""
    if profile:
        return str(profile)
    return f"--data {data}" if data else "PROFILE"
