"""The command line: one module a command, imported when the command is used."""

import os
import sys
from importlib import import_module

import click

from advisor import __version__
from advisor.errors import AdvisorError

_COMMANDS = {
    "ask": "Answer the questionnaire and save a profile.",
    "inspect": "Look over a data file: columns, labels, lengths, duplicates, leakage.",
    "recommend": "Advise on a profile or on data: verdict, reasons, alternatives.",
    "explain": "Explain a verdict test by test, or why a strategy was not chosen.",
    "plan": "Write a plan folder: plan, report, decision record, stand-alone recipe.",
    "run": "Run a plan, a profile or data; the same command again resumes.",
    "predict": "Label texts with the model that a run wrote.",
    "rules": "Check, list and show the rule base.",
}
INTERRUPTED = 130


class _Lazy(click.Group):
    """A group that knows its commands' names and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"advisor.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="advisor")
def advisor() -> None:
    """Prompt it, freeze it, or fine-tune it? Advice with reasons, a plan, and the run itself.

    Exit codes: 0 done, 1 failed, 2 usage or invalid input, 3 no feasible strategy, 4 undecided for want of answers,
    5 invalid rule base, 130 interrupted.
    """


def main() -> None:
    """Run the command line; errors become one sentence on stderr and their exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    try:
        advisor.main(arguments, prog_name="advisor", standalone_mode=False)
    except click.exceptions.Exit as finished:
        return finished.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except AdvisorError as failure:
        click.echo(f"advisor: {failure}", err=True)
        return failure.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("advisor: interrupted; what was finished is kept", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as failure:
        where = f"{failure.filename}: " if failure.filename else ""
        click.echo(f"advisor: {where}{failure.strerror or failure}", err=True)
        return 1
    return 0
