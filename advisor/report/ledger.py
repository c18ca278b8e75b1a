"""The ledger on a terminal: how forecasts fared, what past runs have adjusted, the latest entries."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from advisor.correction import Correction
from advisor.ledger.account import Accuracy
from advisor.ledger.book import Book, Reading, runs
from advisor.ledger.conformal import fewest
from advisor.ledger.entry import Entry
from advisor.report.units import QUANTITIES, significant, value_of
from advisor.settings import load_settings

_ID, _PROJECT = 8, 14
_WORK = {"passes": ", nothing pre-trained learns", "updates": ", pre-trained weights learn", "any": ""}


def ledger_screen(
    book: Book, reading: Reading, accuracy: Sequence[Accuracy], corrections: Sequence[Correction], last: int
) -> RenderableType:
    """Return errors by quantity, corrections, and the latest entries.

    Args:
        book: where the entries stand.
        reading: what it holds.
        accuracy: how forecasts fared.
        corrections: in force on this machine.
        last: entries shown.
    """
    parts: list[RenderableType] = [Text(line) for line in _head(book, reading)]
    if accuracy:
        parts += [Text(), _accuracy(accuracy)]
    if reading.entries:
        parts += [Text(), *_corrections(corrections)]
    if last and reading.entries:
        parts += [Text(), _entries(reading.entries[-last:])]
    return Group(*parts)


def _head(book: Book, reading: Reading) -> Iterable[str]:
    ran = len(runs(reading.entries))
    planned = len(reading.entries) - ran
    since = f", since {reading.entries[0].time[:10]}" if reading.entries else ""
    plans = f", {_count(planned, 'plan')} not run" if planned else ""
    yield f"{_count(ran, 'run')}{plans}{since} in {book.path}"
    if not reading.entries:
        yield "Every finished advisor run adds one; ADVISOR_LEDGER=off switches that off."
    if reading.damaged:
        yield f"{_count(reading.damaged, 'line')} cannot be read; advisor ledger prune removes what is damaged."
    if reading.newer:
        yield f"{_count(reading.newer, 'line')} of a newer advisor count for nothing here."


def _accuracy(accuracy: Sequence[Accuracy]) -> RenderableType:
    table = _table("Forecasts", "runs", "median error", "90 % within", "measured / forecast", "in interval")
    for found in accuracy:
        table.add_row(
            f"  {_title(found.quantity)}",
            str(found.runs),
            _error(found.quantity, found.median),
            _error(found.quantity, found.p90),
            "" if found.ratio is None else significant(found.ratio),
            f"{found.coverage:.0%}".replace("%", " %"),
        )
    return table


def _corrections(corrections: Sequence[Correction]) -> Iterable[RenderableType]:
    if not corrections:
        settings = load_settings("ledger.yaml")
        needed = fewest(settings["coverage"]) + int(settings["fewest_for_bias"])
        yield Text(f"Past runs adjust forecasts once there are {needed} of a kind on this machine.")
        return
    table = _table("Adjusted on this machine", "runs", "times", "bounds moved by")
    for found in corrections:
        what = f"  {_title(found.quantity)} ({found.device}{_WORK[found.work]})"
        table.add_row(what, str(found.runs), significant(found.bias), significant(found.margin))
    yield table


def _entries(entries: Sequence[Entry]) -> RenderableType:
    table = _table("Measured (forecast)", "", "", "", "labels", "quality", "training")
    for entry in reversed(entries):
        table.add_row(
            f"  {entry.id[:_ID]}",
            entry.time[:10],
            escape(_cut(entry.project, _PROJECT)),
            entry.strategy,
            f"{entry.labelled:,}",
            _both(entry, "quality"),
            _both(entry, "train_seconds"),
        )
    return table


def _both(entry: Entry, quantity: str) -> str:
    told, found = entry.told(quantity), entry.found(quantity)
    shown = "" if found is None else value_of(quantity, found)
    if quantity == "quality" and found is None and entry.reached:
        shown = significant(entry.reached[1])
    return f"{shown} ({value_of(quantity, told.point)})".strip() if told else shown


def _table(first: str, *titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, no_wrap=True)
    for title in titles:
        table.add_column(title, no_wrap=True, justify="right" if title else "left")
    return table


def _title(quantity: str) -> str:
    return "Accuracy" if quantity == "quality" else QUANTITIES[quantity].title


def _error(quantity: str, error: float) -> str:
    return f"{100 * error:.1f} points" if quantity == "quality" else f"{error:.0%}".replace("%", " %")


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
