"""Options that several commands share, and what they open."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from advisor.data.formats import SUFFIXES
from advisor.data.reading import DataSource
from advisor.documents import scalar
from advisor.errors import InputError
from advisor.profile import parse_setting
from advisor.project import Project, open_project

# A profile may be JSON, which YAML includes.
_DATA_SUFFIXES = SUFFIXES.keys() - {".json", ".txt"}
CommandT = TypeVar("CommandT", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print data as JSON on stdout.")
rules_option = click.option(
    "--rules",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Your own rule files, laid over the shipped ones row by row; a whole base stands alone.",
)


def data_options(command: CommandT) -> CommandT:
    """Add --data and what `column_options` adds."""
    return click.option(
        "--data",
        metavar="FILE_OR_DIR",
        help="Labelled data: a file, a folder with train.* and test.*, a hub id.",
    )(column_options(command))


def column_options(command: CommandT) -> CommandT:
    """Add --test, --text, --pair and --label, which describe labelled data."""
    for option in (
        click.option(
            "--label",
            "label_column",
            metavar="COL",
            help="Name of the column of labels, numbers, tags or answers; several as A,B,C where each is 0 or 1.",
        ),
        click.option("--pair", "pair_column", metavar="COL", help="Name of the column of second texts or contexts."),
        click.option("--text", "text_column", metavar="COL", help="Name of the column of texts, words or questions."),
        click.option("--test", type=click.Path(path_type=Path), metavar="FILE", help="Held-out test file."),
    ):
        command = option(command)
    return command


def project_options(command: CommandT) -> CommandT:
    """Add an optional profile, the data options and --set."""
    command = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="An answer, such as data.labelled=2000.",
    )(command)
    command = data_options(command)
    return click.argument("profile", required=False, type=click.Path(path_type=Path))(command)


trust_option = click.option(
    "--trust-remote-code",
    is_flag=True,
    help="Let Python code that comes with the model run; its revision must be pinned.",
)


seed_option = click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Seed of splits, batches and bootstrap.")
host_option = click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="HOST",
    help="Let texts, and the key, go to this server, which a plan or run that was not made here names.",
)


def plan_options(command: CommandT) -> CommandT:
    """Add --strategy, --with, --hyper, --seed and --trust-remote-code."""
    for option in (
        trust_option,
        seed_option,
        click.option(
            "--hyper",
            "hyperparameters",
            multiple=True,
            metavar="NAME=VALUE",
            help="A hyper-parameter of the strategy, such as epochs=3 or long_texts=windows.",
        ),
        click.option(
            "--with",
            "modifiers",
            multiple=True,
            metavar="MODIFIER",
            help="Add to the strategy: multi-seed, domain-adaptive-pretraining.",
        ),
        click.option("--strategy", metavar="ID", help="This strategy instead of the verdict's."),
    ):
        command = option(command)
    return command


def hyperparameters(written: tuple[str, ...]) -> dict[str, Any]:
    """Return hyper-parameters as typed, each value read as YAML: a plain one, or a list such as ``[none, batch]``.

    Raises:
        UsageError: one has no value.
    """
    found = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.UsageError(f"--hyper {one}: write NAME=VALUE")
        listed = value.startswith("[") and value.endswith("]")
        parts = [scalar(part.strip()) for part in value[1:-1].split(",") if part.strip()]
        found[name.strip()] = parts if listed else scalar(value)
    return found


def map_options(command: CommandT) -> CommandT:
    """Add --map and --map-svg."""
    command = click.option(
        "--map-svg",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write the decision map there as an image.",
    )(command)
    return click.option(
        "--map",
        "axes",
        metavar="X[,Y]",
        help="Show the verdict over one input or two, such as labels,memory.",
    )(command)


def source(data: str | None, test: Path | None, **columns: str | None) -> DataSource | None:
    """Return the data that options name, or None; ``columns`` as in `DataSource`."""
    if data is None:
        if test or any(columns.values()):
            raise click.UsageError("--test, --text, --pair and --label describe --data; name the data too")
        return None
    return DataSource(Path(data) if Path(data).exists() else data, test, **columns)


def project(
    profile: Path | None, settings: tuple[str, ...], *, trust_remote_code: bool = False, **data: Any
) -> Project:
    """Open what a command was pointed at.

    Raises:
        UsageError: neither a profile, nor data, nor answers.
    """
    found = source(**data)
    if profile is None and found is None and not settings:
        raise click.UsageError("name a profile, or data by --data")
    if profile is not None and profile.is_dir():
        profile = _in_folder(profile)
    elif profile is not None and profile.suffix.lower() in _DATA_SUFFIXES:
        raise InputError(f"{profile} is a data file by its name; a profile stands there, data are named by --data")
    answers = dict(map(parse_setting, settings))
    if trust_remote_code:
        answers["model.trust_remote_code"] = True
    opened = open_project(profile, data=found, settings=answers)
    for note in opened.notes:
        click.echo(f"advisor: {note}", err=True)
    return opened


def as_typed(profile: Path | None, settings: tuple[str, ...], *, rules: Path | None, **data: Any) -> str:
    """Return what names a project in the next command, quoted for a shell; ``PROFILE`` where answers alone were given.

    Args:
        profile: the profile's file or folder.
        settings: answers by ``--set``.
        rules: the folder of ``--rules``.
        data: what `data_options` gave.
    """
    if profile is None and data["data"] is None:
        return "PROFILE"
    flags = {
        "data": "--data",
        "test": "--test",
        "text_column": "--text",
        "pair_column": "--pair",
        "label_column": "--label",
    }
    given = [(flag, data[name]) for name, flag in flags.items() if data[name] is not None]
    given += [("--set", setting) for setting in settings] + ([("--rules", rules)] if rules else [])
    typed = [str(part) for pair in given for part in pair]
    return shlex.join([str(profile), *typed] if profile else typed)


def _in_folder(folder: Path) -> Path:
    path = folder / "profile.yaml"
    if not path.exists():
        raise InputError(f"{folder}: no profile.yaml in this folder; data are named by --data")
    return path


def print_json(value: Any) -> None:
    """Write data to stdout."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))
