"""A pilot on a terminal: how the contenders stand, what it cost, how many labels a target needs."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.decision.finding import Finding
from advisor.report.pilot_words import PilotWords, pilot_words


def pilot_lines(finding: Finding, *, rows_follow: bool = False) -> RenderableType:
    """Return what a pilot found.

    Args:
        finding: what it found.
        rows_follow: whether it is then told which rows to label first, where it says how many.
    """
    found = pilot_words(finding)
    if found is None:
        return Text("\n".join(_unmeasured(finding, rows_follow)))
    parts: list[RenderableType] = [Text(_headline(found), style="bold"), _table(found)]
    return Group(*parts, *map(Text, found.sentences))


def _headline(found: PilotWords) -> str:
    return (
        f"Pilot on {found.rows:,} labelled rows · {len(found.contenders)} contenders · stopped: {found.stopped} · "
        f"{found.took}"
    )


def _table(found: PilotWords) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    titles = (
        "  contender", f"{found.measure} measured", "with all labels", "best", f"within {found.margin}", "training",
    )  # fmt: skip
    for title in titles:
        table.add_column(title, no_wrap=True)
    for one in found.contenders:
        cells = (f"  {one.strategy}", one.measured, one.expected.both, one.best, one.within, one.training)
        table.add_row(*map(Text, cells), style="bold" if one.chosen else None)
    return table


def _unmeasured(finding: Finding, rows_follow: bool) -> Iterable[str]:
    yield f"No pilot: {finding.because}."
    if finding.first_labels and not rows_follow:
        yield f"Label about {finding.first_labels:,} texts first, every class among them, drawn at random from what the"
        yield "model will read; from two labels a class the same command measures."
