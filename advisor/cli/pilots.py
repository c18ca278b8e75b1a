"""What ``--pilot`` measures, and what an earlier pilot of the same data found."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from advisor.data.examples import LabelledData
from advisor.decision.advice import Advice
from advisor.pilot.budget import Budget
from advisor.run.progress import clock

if TYPE_CHECKING:
    from advisor.pilot.pilot import Seen

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class Asked(NamedTuple):
    """What the options say: the budget, None where no pilot is wanted."""

    budget: Budget | None
    prefer: str | None
    target: float | None
    seed: int | None


def pilot_options(command: CommandT) -> CommandT:
    """Add --pilot, --prefer and --target."""
    command = click.option(
        "--target",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        metavar="VALUE",
        help="With --pilot: say how many labels this value of the metric needs.",
    )(command)
    command = click.option(
        "--prefer",
        type=click.Choice(["quality", "cost", "latency"]),
        help="With --pilot: what decides among strategies that are about as good as the best; quality if left out.",
    )(command)
    return click.option(
        "--pilot",
        "budget",
        is_flag=False,
        flag_value="",
        callback=_budget,
        metavar="[BUDGET]",
        help="Measure the contenders on the data: within seconds (120, 2m) or a share (10%) of fitting them all.",
    )(command)


def _budget(_context: click.Context, _option: click.Parameter, written: str | None) -> Budget | None:
    """Read the budget before anything else is opened: what was meant as a profile is then said to be none."""
    return None if written is None else Budget.parse(written)


def settled(advice: Advice, data: LabelledData | None, asked: Asked, *, earlier: bool = False) -> Advice:
    """Return the advice with what a pilot finds.

    Args:
        advice: by the rules alone.
        data: to measure on.
        asked: whether and how.
        earlier: whether the last finished pilot of the same data counts where none is asked for; it is then named.

    Raises:
        UsageError: it is asked how, but not whether; or there are labels, and the rows are not named.
    """
    if asked.budget is None:
        if asked.prefer or asked.target:
            raise click.UsageError("--prefer and --target belong to --pilot")
        return _with_last(advice, data) if earlier and data else advice
    if data is None and advice.decision.facts.values.get("data.labelled"):
        raise click.UsageError("a pilot measures on labelled rows; name them by --data, or in the profile")
    from advisor.pilot.pilot import Pilot, Wish
    from advisor.plan.plan import DEFAULT_SEED

    wish = Wish(
        asked.budget,
        asked.prefer or "quality",  # type: ignore[arg-type]
        asked.target,
        DEFAULT_SEED if asked.seed is None else asked.seed,
    )
    return advice.with_finding(Pilot(advice, data).run(wish, _Told()))


def _with_last(advice: Advice, data: LabelledData) -> Advice:
    from advisor.pilot.pilot import Pilot

    finding = Pilot(advice, data).last()
    if finding is None or not finding.decides:
        return advice
    click.echo(f"A pilot of these data settled on {finding.strategy}; --pilot measures again.", err=True)
    return advice.with_finding(finding)


class _Told:
    """Tells on stderr what a pilot measures."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def __call__(self, seen: "Seen") -> None:
        """Write a line, over the last one on a terminal."""
        line = (
            f"Pilot  {clock(time.monotonic() - self.started)} · {seen.spent:.0f} of {seen.budget:.0f} s of cost · "
            f"{seen.contenders} contenders · next {seen.strategy} on {seen.rows:,} · best so far {seen.leader}"
        )
        click.echo(f"\r\x1b[K{line}" if self.terminal else line, err=True, nl=not self.terminal)
