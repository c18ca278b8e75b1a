"""``--label-first``: which rows to label first, found, told and written as a file to fill in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from advisor.cli.pilots import Asked
from advisor.data.examples import LabelledData
from advisor.data.sheet import Waiting, check_sheet, write_sheet
from advisor.decision.advice import Advice
from advisor.errors import InputError

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def label_option(command: CommandT) -> CommandT:
    """Add --label-first."""
    return click.option(
        "--label-first",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="With --pilot: write the rows without a label that are worth one first, as .csv or .jsonl to fill in.",
    )(command)


def check_label_option(path: Path | None, data: LabelledData | None, asked: Asked) -> None:
    """Refuse, before anything is measured, what could not be written then.

    Raises:
        UsageError: no pilot is asked for.
        InputError: there is no row without a label, or the file cannot be the one to write.
    """
    if path is None:
        return
    if asked.budget is None:
        raise click.UsageError("--label-first belongs to --pilot")
    if data is None or not data.train_part.unlabelled:
        where = f"{data.train_part.path}: every row has a label" if data else "no data are named"
        raise InputError(f"--label-first needs rows without a label; {where}")
    check_sheet(path)


def first_rows(advice: Advice, data: LabelledData | None, asked: Asked, path: Path | None) -> list[Waiting] | None:
    """Return the rows to label first, written where a file is named.

    They are looked for where a file is named, and after a pilot that had too few labels; else, and where every row has
    a label, they are None.
    """
    wanted = path is not None or (advice.finding is not None and advice.finding.first_labels is not None)
    if not wanted or data is None or not data.train_part.unlabelled:
        return None
    from advisor.pilot.first_labels import label_first
    from advisor.pilot.pilot import Pilot
    from advisor.plan.plan import DEFAULT_SEED

    found = label_first(Pilot(advice, data), data, DEFAULT_SEED if asked.seed is None else asked.seed)
    if path is not None:
        write_sheet(path, found)
    return found
