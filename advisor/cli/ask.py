"""``advisor ask``: the questionnaire on the command line."""

import sys
from pathlib import Path

import click

from advisor.cli.options import as_json, print_json, rules_option
from advisor.data.values import whole_characters
from advisor.documents import read_document, suggest
from advisor.errors import InputError, Undecided
from advisor.knowledge.rulebase import load_rulebase
from advisor.machine import this_machine
from advisor.profile import INPUTS, SECTIONS, Profile, load_profile
from advisor.project import fill_project
from advisor.questionnaire import Questionnaire, hold_conversation

_HELP = (
    "Enter accepts what is shown, ? says why it is asked, < goes back, unknown leaves it open, Ctrl-C stops and keeps."
)


@click.command("ask")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("profile.yaml"),
    show_default=True,
    metavar="FILE",
    help="The profile to write.",
)
@click.option(
    "--answers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Answers already known: a profile, or dotted names with values.",
)
@click.option("--no-input", is_flag=True, help="Ask nothing; list everything still missing.")
@click.option("--resume", is_flag=True, help="Go on with the profile that is there.")
@click.option("--all", "everything", is_flag=True, help="Ask everything, not only what can change the verdict.")
@rules_option
@as_json
def command(
    output: Path,
    answers: Path | None,
    no_input: bool,
    resume: bool,
    everything: bool,
    rules: Path | None,
    as_json: bool,
) -> None:
    """Answer the questionnaire and save a profile; asks only what can still change the verdict.

    Saved after every answer. Exit code 4: saved, but too little is answered for any advice.
    """
    base = load_rulebase(rules)
    profile = _start(output, resume)
    if answers:
        profile = _with_answers(profile, answers)
    folder, machine = output.parent, this_machine()
    asked = Questionnaire(fill_project(profile, folder, machine), folder, base, machine, everything=everything)
    asked.profile.save(output)
    if not no_input:
        _converse(asked, output)
    missing, waiting = asked.missing(), asked.waiting()
    if as_json:
        print_json({"schema": 1, "profile": str(output), "missing": missing, "could_matter": waiting})
    elif no_input:
        for name in dict.fromkeys([*missing, *waiting]):
            click.echo(f"{name:32} {INPUTS[name].question}")
    if missing:
        raise Undecided(f"{output} is saved, but {' and '.join(missing)} must be answered before any advice")
    click.echo(f"Saved {output}. Next: advisor recommend {output}", err=True)


def _converse(asked: Questionnaire, output: Path) -> None:
    click.echo(_HELP, err=True)

    def read(question: str) -> str:
        click.echo(f"{question}\n> ", nl=False, err=True)
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            raise InputError(
                f"an answer is not UTF-8 text; what came before it is in {output}, --resume goes on"
            ) from None
        if not line:
            raise EOFError
        return whole_characters(line)

    try:
        hold_conversation(asked, read, lambda text: click.echo(text, err=True), lambda p: p.save(output))
    except EOFError:
        click.echo("", err=True)


def _start(output: Path, resume: bool) -> Profile:
    if resume:
        return load_profile(output)
    if output.exists():
        raise InputError(f"{output} is there already; --resume goes on with it, -o names another file")
    return Profile(name=output.parent.resolve().name or "project")


def _with_answers(profile: Profile, path: Path) -> Profile:
    """Return the profile with answers from a file: dotted names with values, or a profile.

    Raises:
        DocumentError: a name that is no input, or a value that is no answer, with its place.
    """
    document = read_document(path)
    if not isinstance(document.data, dict):
        raise document.error("expected answers: dotted names with values, or a profile")
    whole = "schema" in document.data
    for name in () if whole else document.data:
        if name in SECTIONS:
            raise document.error(
                f"write {name}.NAME: VALUE, or begin with 'schema: 1' for a profile", (name,), key=True
            )
        if name not in INPUTS:
            raise document.error(f"there is no input '{name}'{suggest(name, INPUTS)}", (name,), key=True)
    answers = dict(document.validate(Profile).answered()) if whole else document.data
    try:
        return profile.with_answers(answers, "file")
    except InputError as wrong:
        named = str(wrong).split(" ")[0].removesuffix(":")
        raise document.error(str(wrong), tuple(named.split(".")) if whole else (named,)) from None
