"""The command line: one module a command, imported when the command is used."""

import gc
import io
import os
import sys
from importlib import import_module
from typing import Any, NoReturn, TextIO

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
    "benchmark": "Measure every strategy on data at several label counts, and the regret of choosing.",
    "ledger": "Show how far off forecasts were in past runs; forget some.",
    "doctor": "Look over this machine and measure it: what fits, what forecasts rest on.",
    "rules": "Check, list and show the rule base.",
}
INTERRUPTED = 130


class Commands(click.Group):
    """Knows its commands' names, imports one when it is called, and turns errors into a sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command; what importing makes stays, so garbage is looked for in none of it, then or later."""
        if name not in _COMMANDS:
            return None
        # pydantic would read the entry points of every installed package.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        gc.disable()
        command: click.Command = import_module(f"advisor.cli.{name}").command
        gc.freeze()
        gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command and exit with its code."""
        _write_anything(sys.stdout)
        sys.exit(self._exit_code(*args, **{**extra, "prog_name": "advisor", "standalone_mode": False}))

    def _exit_code(self, *args: Any, **extra: Any) -> int:
        try:
            result = super().main(*args, **extra)
        except click.ClickException as wrong:
            wrong.show()
            return wrong.exit_code
        except AdvisorError as failure:
            click.echo(f"advisor: {failure}", err=True)
            return failure.exit_code
        except (click.Abort, KeyboardInterrupt):
            click.echo("advisor: interrupted; what was finished is kept, the same command goes on", err=True)
            return INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as failure:
            named = failure.filename2 or failure.filename
            where = f"{named}: " if named else ""
            click.echo(f"advisor: {where}{failure.strerror or failure}", err=True)
            return 1
        return result if isinstance(result, int) else 0


def _write_anything(stream: TextIO) -> None:
    """Let no character that an old encoding lacks end a command: programs get UTF-8, a terminal a question mark."""
    if isinstance(stream, io.TextIOWrapper):
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8")


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="advisor")
def main() -> None:
    """Prompt it, freeze it, or fine-tune it? Advice with reasons, a plan, and the run itself.

    Exit codes: 0 done, 1 failed, 2 usage or invalid input, 3 no feasible strategy, 4 undecided for want of answers,
    5 invalid rule base, 130 interrupted.
    """
