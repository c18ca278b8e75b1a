"""A pilot on a terminal: how the contenders stand, what it cost, how many labels a target needs."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.decision.finding import Finding, Standing, Target
from advisor.report.names import title_of
from advisor.run.progress import clock

_STOPPED = {
    "sure": "one is good enough",
    "budget": "the budget holds nothing more",
    "nothing worth it": "nothing more would change the choice",
    "time": "it took far longer than forecast",
}


def pilot_lines(finding: Finding) -> RenderableType:
    """Return what a pilot found."""
    if finding.strategy is None:
        return Text("\n".join(_unmeasured(finding)))
    parts: list[RenderableType] = [Text(_headline(finding), style="bold"), _table(finding)]
    return Group(*parts, *(Text(line) for line in _sentences(finding)))


def _headline(finding: Finding) -> str:
    share = finding.spent_seconds / finding.everything_seconds if finding.everything_seconds else 0.0
    return (
        f"Pilot on {finding.labelled:,} labelled rows · {len(finding.contenders)} contenders · stopped: "
        f"{_STOPPED[finding.stopped]} · {clock(finding.processor_seconds)}, {share:.0%} of fitting them all"
    )


def _table(finding: Finding) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in (
        "  contender",
        f"{finding.measure_title} measured",
        "with all labels",
        "best",
        f"within {finding.margin:g}",
    ):
        table.add_column(title, no_wrap=True)
    for one in finding.contenders:
        low, point, high = one.expected
        style = "bold" if one.strategy == finding.strategy else None
        expected = f"{point:.2f} \\[{low:.2f}–{high:.2f}]"
        table.add_row(
            f"  {one.strategy}", _measured(one), expected, f"{one.best:.2f}", f"{one.within:.2f}", style=style
        )
    return table


def _measured(one: Standing) -> str:
    if not one.observed:
        return "not measured"
    last = one.observed[-1]
    return f"{last.value:.2f} at {last.rows:,.0f}" if last.rows else f"{last.value:.2f}"


def _sentences(finding: Finding) -> Iterable[str]:
    assert finding.strategy is not None
    if not finding.measurable:
        yield (
            f"The rules recommend {finding.rules} on a model that a pilot cannot measure; of what it can, "
            f"{finding.strategy} does best. The advice stays."
        )
    elif finding.overrides:
        yield f"Measured on your data: {title_of(finding.strategy)}; the rules alone had said {finding.rules}."
    else:
        yield f"Measured on your data: {title_of(finding.strategy)}, as the rules alone say."
    if finding.target:
        yield target_line(finding.target, finding.measure_title)
    if finding.leads:
        first = finding.leads[0]
        yield f"From about {first.labels:,} labels {first.strategy} is expected to lead."


def target_line(target: Target, title: str) -> str:
    """Return how many labels a target takes, in one sentence."""
    if target.labels is None:
        return f"{target.value:.2f} {title} is out of reach for {target.strategy} at any number of labels looked at."
    low = f"{target.low:,}" if target.low is not None else "0"
    high = f"{target.high:,}" if target.high is not None else "far more"
    return f"{target.value:.2f} {title} needs about {target.labels:,} labels ({low}–{high}) with {target.strategy}."


def _unmeasured(finding: Finding) -> Iterable[str]:
    yield f"No pilot: {finding.because}."
    if finding.first_labels:
        yield f"Label about {finding.first_labels:,} texts first, every class among them, drawn at random from what the"
        yield "model will read; from two labels a class the same command measures."
