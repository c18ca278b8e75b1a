"""``advisor ledger``: how forecasts fared in past runs, and what is kept of them."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from advisor.cli.options import as_json, print_json
from advisor.errors import InputError
from advisor.estimates.here import machine_here
from advisor.ledger.account import account
from advisor.ledger.book import VARIABLE, Book, open_book, runs
from advisor.ledger.entry import LEDGER_SCHEMA, Entry

_SHORTEST_ID = 4


@click.group("ledger", invoke_without_command=True)
@click.option("--last", type=click.IntRange(min=0), default=10, show_default=True, help="How many entries to show.")
@as_json
@click.pass_context
def command(context: click.Context, last: int, as_json: bool) -> None:
    """Show how far off forecasts were in past runs, what that adjusts, and the latest entries.

    Every finished run adds an entry, with no text of its data, to a file on this machine: $ADVISOR_LEDGER, or
    ~/.local/share/adaptation-advisor/ledger.jsonl. ADVISOR_LEDGER=off switches it off. --json prints every entry.
    """
    if context.invoked_subcommand:
        return
    book = open_book()
    if book is None:
        print_json({"schema": LEDGER_SCHEMA, "path": None}) if as_json else click.echo(
            f"The ledger is off ({VARIABLE}=off): nothing is recorded, and past runs tell nothing."
        )
        return
    reading = book.read()
    accuracy, corrections = account(reading.entries), machine_here(reading.entries).corrections
    if as_json:
        ran = len(runs(reading.entries))
        counts = {"runs": ran, "plans": len(reading.entries) - ran, "damaged": reading.damaged, "newer": reading.newer}
        print_json(
            {"schema": LEDGER_SCHEMA, "path": str(book.path), **counts}
            | {"accuracy": [found.as_dict() for found in accuracy]}
            | {"adjusted": [asdict(found) for found in corrections]}
            | {"entries": [entry.as_dict() for entry in reading.entries]}
        )
        return
    from advisor.report.console import console
    from advisor.report.ledger import ledger_screen

    console().print(ledger_screen(book, reading, accuracy, corrections, last))


@command.command("forget")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Forget every entry.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@as_json
def forget(ids: tuple[str, ...], everything: bool, yes: bool, as_json: bool) -> None:
    """Remove entries by ID, or by the first letters of one; a run's goes with its plan's."""
    if everything is bool(ids):
        raise click.UsageError("name entries, or --all")
    book = _book()
    entries = book.read().entries
    wanted = entries if everything else [_entry(name, entries) for name in ids]
    if everything and not yes:
        if not sys.stdin.isatty():
            raise InputError("forgetting every entry cannot be undone; say --yes")
        click.confirm(f"Forget all {len(entries)} entries?", abort=True)
    gone, plans = {entry.id for entry in wanted}, {entry.plan for entry in wanted}
    _remove(book, lambda e: everything or e.id in gone or (e.kind == "plan" and e.plan in plans), as_json)


@command.command("prune")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Keep the latest N entries.")
@click.option(
    "--older-than", "days", type=click.IntRange(min=0), metavar="DAYS", help="Remove entries older than that."
)
@as_json
def prune(keep: int | None, days: int | None, as_json: bool) -> None:
    """Remove old entries, and lines that cannot be read; without an option those lines alone."""
    book = _book()
    kept = {entry.id for entry in book.read().entries[-keep:]} if keep else set()
    oldest = datetime.now(UTC) - timedelta(days=days or 0)

    def unwanted(entry: Entry) -> bool:
        beyond = keep is not None and entry.id not in kept
        return beyond or (days is not None and datetime.fromisoformat(entry.time) < oldest)

    _remove(book, unwanted, as_json)


def _book() -> Book:
    book = open_book()
    if book is None:
        raise InputError(f"the ledger is off ({VARIABLE}=off); there is nothing to remove")
    return book


def _entry(name: str, entries: tuple[Entry, ...]) -> Entry:
    found = [entry for entry in entries if entry.id.startswith(name)] if len(name) >= _SHORTEST_ID else []
    if len(found) != 1:
        several = f"; it begins those of {', '.join(entry.id for entry in found)}" if found else ""
        raise InputError(f"no single entry has the ID '{name}'{several}; advisor ledger lists them")
    return found[0]


def _remove(book: Book, unwanted: Callable[[Entry], bool], as_json: bool) -> None:
    removed: list[Any] = [entry.id for entry in book.remove(unwanted)]
    if as_json:
        print_json({"schema": LEDGER_SCHEMA, "path": str(book.path), "removed": removed})
    else:
        click.echo(f"{len(removed)} {'entry' if len(removed) == 1 else 'entries'} removed from {book.path}")
