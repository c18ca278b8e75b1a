"""A benchmark's report: scores by labels, learning curves and where they cross, and the regret of ways to choose."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.benchmark.cells import Cell, applies
from advisor.benchmark.curves import Crossing, Curve, as_data, crossings_of, curves_of
from advisor.benchmark.policies import Policy
from advisor.benchmark.regret import Comparison, Standing, compare
from advisor.report.documents import fill_html, fill_markdown
from advisor.report.learning_curves import CurvePlot, RegretPlot, curve_plots, in_points, regret_plot
from advisor.tasks import TASKS

BENCHMARK_SCHEMA = 1


@dataclass(frozen=True)
class ScoreTable:
    """Means over draws of one data set; a cell that was not measured is empty, the best of a row is marked."""

    data: str
    measure: str
    strategies: list[str]
    rows: list[tuple[str, list[str], int | None]]


@dataclass(frozen=True)
class TaskPage:
    """What is said of the data sets of one task.

    Attributes:
        regret: policies compared, best first but for the rules, which lead; None where no draw is complete.
    """

    title: str
    measure: str
    tables: list[ScoreTable]
    plots: list[CurvePlot]
    curves: list[Curve]
    crossings: list[Crossing]
    regret: Comparison | None
    bars: RegretPlot | None


@dataclass(frozen=True)
class BenchmarkPage:
    """A benchmark's report."""

    name: str
    draws: int
    tasks: list[TaskPage]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``advisor benchmark --json`` prints."""
        tasks = [_task(task) for task in self.tasks]
        return {"schema": BENCHMARK_SCHEMA, "name": self.name, "draws": self.draws, "tasks": tasks}


def benchmark_page(
    name: str, cells: Sequence[Cell], policies: Mapping[str, Policy], field: Sequence[str]
) -> BenchmarkPage:
    """Return the report of measured draws, task by task: measures of different tasks are not alike.

    Args:
        name: of the benchmark.
        cells: the draws.
        policies: to judge, the one first that the others are set against.
        field: strategies to choose from.
    """
    by_task: dict[str, list[Cell]] = {}
    for cell in cells:
        by_task.setdefault(cell.situation.task, []).append(cell)
    return BenchmarkPage(name, len(cells), [_page_of(task, found, policies, field) for task, found in by_task.items()])


def benchmark_documents(page: BenchmarkPage) -> dict[str, str]:
    """Return the texts by file name: ``report.html`` and ``report.md``."""
    return {
        "report.html": fill_html("benchmark.html.j2", page=page, points=in_points, crossed=in_words),
        "report.md": fill_markdown("benchmark.md.j2", page=page, points=in_points, crossed=in_words),
    }


def regret_table(found: Comparison, measure: str) -> str:
    """Return the regret of ways to choose as Markdown, best first but for the first policy, which leads."""
    ranked = found._replace(standings=_ranked(found.standings))
    return fill_markdown("regret.md.j2", found=ranked, measure=measure, points=in_points)


def benchmark_screen(page: BenchmarkPage) -> RenderableType:
    """Return the report as one screen: the regret of each way to choose, then where the lead changes."""
    parts: list[RenderableType] = [Text(f"{page.name} · {page.draws} draws of labels", style="bold")]
    for task in page.tasks:
        parts += [Text(), Text(f"{task.title}, points of {task.measure} behind the best strategy in hindsight")]
        if task.regret:
            parts += [_standings(task.regret), Text(_ground(task.regret))]
        else:
            parts.append(Text("  no draw is complete yet"))
        parts += [Text(), *(Text(f"  {in_words(crossing)}") for crossing in task.crossings)]
    return Group(*parts)


def in_words(crossing: Crossing) -> str:
    """Return a crossing as a sentence."""
    how = "in every draw" if crossing.sure else "on average, not in every draw"
    between = f"{crossing.low:,.0f} and {crossing.high:,.0f} were measured"
    leads = f"from about {crossing.labels:,.0f} labels {crossing.after} leads {crossing.before}"
    return f"{crossing.data}: {leads} ({how}; {between})"


def _page_of(task: str, cells: Sequence[Cell], policies: Mapping[str, Policy], field: Sequence[str]) -> TaskPage:
    curves = curves_of(cells)
    found = compare(cells, policies, [name for name in field if applies(name, task)])
    ranked = found._replace(standings=_ranked(found.standings)) if found.cells else None
    return TaskPage(
        title=TASKS[task].title,
        measure=TASKS[task].measures[0].title,
        tables=_tables(task, curves),
        plots=curve_plots(curves),
        curves=curves,
        crossings=crossings_of(curves),
        regret=ranked,
        bars=regret_plot(ranked.standings) if ranked else None,
    )


def _ranked(standings: Sequence[Standing]) -> list[Standing]:
    return [*standings[:1], *sorted(standings[1:], key=lambda one: one.regret.value)]


def _tables(task: str, curves: Iterable[Curve]) -> list[ScoreTable]:
    by_data: dict[str, list[Curve]] = {}
    for curve in curves:
        by_data.setdefault(curve.data, []).append(curve)
    return [_table(task, data, found) for data, found in by_data.items()]


def _table(task: str, data: str, curves: Sequence[Curve]) -> ScoreTable:
    rows = []
    for labelled in sorted({point.labelled for curve in curves for point in curve.points}):
        values = [next((p for p in curve.points if p.labelled == labelled), None) for curve in curves]
        means = [point.value if point else float("-inf") for point in values]
        written = [f"{point.value:.3f}" if point else "" for point in values]
        rows.append((f"{labelled:,.0f}", written, means.index(max(means)) if any(values) else None))
    return ScoreTable(data, TASKS[task].measures[0].title, [curve.strategy for curve in curves], rows)


def _standings(found: Comparison) -> Table:
    table = Table(box=None, pad_edge=True)
    for title in ("", "mean [95 %]", "worst", "behind the rules", "cost"):
        table.add_column(title, justify="left" if not title else "right")
    for one in found.standings:
        at = one.worst_at
        table.add_row(
            one.title,
            in_points(one.regret),
            f"{one.worst.value:.1f}  {at.data} {at.size}",
            in_points(one.behind),
            f"{one.cost.value:.0%}",
        )
    return table


def _ground(found: Comparison) -> str:
    left = f"; {found.left_out} left out, where not all was measured" if found.left_out else ""
    aside = f"; not judged, for choosing what was not measured: {', '.join(found.set_aside)}" if found.set_aside else ""
    known = f"; {in_points(found.foresight.regret)} by what was best on other draws" if found.foresight else ""
    return f"  {found.cells} draws of {len(found.data)} data sets, best of {', '.join(found.field)}{left}{aside}{known}"


def _task(task: TaskPage) -> dict[str, Any]:
    found = task.regret
    regret = found and {
        **found._asdict(),
        "standings": [one.as_dict() for one in found.standings],
        "foresight": found.foresight and found.foresight.as_dict(),
    }
    return {
        "task": task.title,
        "measure": task.measure,
        "curves": as_data(task.curves),
        "crossings": [crossing._asdict() for crossing in task.crossings],
        "regret": regret,
    }
