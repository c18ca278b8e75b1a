"""``advisor recommend``: verdict, reasons, alternatives."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.first_labels import check_label_option, first_rows, label_option
from advisor.cli.maps import requested_map, show_map
from advisor.cli.options import (
    as_json,
    as_typed,
    map_options,
    print_json,
    project,
    project_options,
    rules_option,
    seed_option,
)
from advisor.cli.pilots import Asked, pilot_options, settled
from advisor.decision.advice import recommend
from advisor.files import write_json
from advisor.knowledge.rulebase import load_rulebase
from advisor.pilot.budget import Budget


@click.command("recommend")
@project_options
@pilot_options
@label_option
@seed_option
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
    budget: Budget | None,
    prefer: str | None,
    target: float | None,
    label_first: Path | None,
    seed: int | None,
    rules: Path | None,
    axes: str | None,
    map_svg: Path | None,
    record: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Advise on PROFILE, or on data alone.

    What the data and this machine tell is filled in; what stays unknown is assumed, and said to matter or not. With
    --pilot the contenders are measured on the data; interrupted, the same command goes on.
    """
    found = project(profile, settings, **data)
    advice = recommend(found.profile, base=load_rulebase(rules))
    asked = Asked(budget, prefer, target, seed)
    check_label_option(label_first, found.data, asked)
    advice = settled(advice, found.data, asked)
    rows = first_rows(advice, found.data, asked, label_first)
    if record:
        write_json(record, advice.as_dict())
    found_map = requested_map(advice, axes, map_svg)
    if as_json:
        listed = {"label_first": [row.as_dict() for row in rows]} if rows is not None else {}
        print_json(advice.as_dict() | listed | ({"map": found_map} if found_map else {}))
    else:
        from advisor.report.console import console
        from advisor.report.terminal import advice_screen

        console().print(advice_screen(advice, as_typed(profile, settings, rules=rules, **data)), crop=False)
        if advice.finding:
            from advisor.report.pilot import pilot_lines

            console().print()
            console().print(pilot_lines(advice.finding, rows_follow=bool(rows)))
        if rows:
            from advisor.report.first_labels import first_label_lines

            assert found.data is not None
            assumed = "data.classes" in advice.decision.facts.assumed
            console().print(first_label_lines(rows, found.data, label_first, profile, assumed=assumed))
        show_map(found_map if axes else None)
