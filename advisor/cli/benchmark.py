"""``advisor benchmark``: every strategy on labelled data at several label counts, and the regret of choosing."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.options import as_json, column_options, print_json, rules_option
from advisor.errors import RunError
from advisor.tasks import TASKS

if TYPE_CHECKING:
    from advisor.report.benchmark import BenchmarkPage


@click.command("benchmark")
@click.argument("data", metavar="DATA...", nargs=-1)
@click.option(
    "--strategies", metavar="ID,...", help="Strategies to measure and to choose from; all that apply if left out."
)
@click.option(
    "--sizes",
    default="0,4,8,32,128,all",
    show_default=True,
    metavar="N,...",
    help="Labels of every class, so many rows as they come (500-rows), or all.",
)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Draws of every size.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="benchmark",
    show_default=True,
    metavar="FOLDER",
    help="Where results and reports go; the same command goes on there.",
)
@click.option(
    "--policy", "chosen", multiple=True, metavar="ID", help="Judge these ways to choose; those that measure are run."
)
@click.option("--jobs", type=click.IntRange(1), help="Processes side by side; as many as there are cores if left out.")
@click.option("--rows", type=click.IntRange(2), default=2000, show_default=True, help="Training rows at most.")
@click.option("--test-rows", type=click.IntRange(2), default=600, show_default=True, help="Test rows at most.")
@click.option("--device", type=click.Choice(["cpu", "cuda", "mps"]), help="Where to compute; the fastest if left out.")
@click.option("--task", type=click.Choice(list(TASKS)), help="What kind of task it is; guessed if left out.")
@column_options
@rules_option
@as_json
def command(
    data: tuple[str, ...],
    strategies: str | None,
    sizes: str,
    seeds: int,
    output: Path,
    chosen: tuple[str, ...],
    jobs: int | None,
    rows: int,
    test_rows: int,
    device: str | None,
    task: str | None,
    test: Path | None,
    rules: Path | None,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Measure strategies on DATA at several label counts, and how far ways to choose stay behind the best of them.

    DATA are files, or folders with train.* and test.*; without a test file a fifth of the rows is held out. Left out,
    what FOLDER holds is reported anew.
    """
    from advisor.benchmark.run import Request, measurable, run_benchmark
    from advisor.data.reading import DataSource

    if test and len(data) > 1:
        raise click.UsageError("--test names the test file of one DATA; put the others into folders with test.*")
    if not data and not (output / "results.jsonl").exists():
        raise click.UsageError("name DATA, or by -o a folder with results")
    failures, asked = 0, None if strategies is None else measurable(_listed(strategies))
    if data:
        sources = [DataSource(Path(one) if Path(one).exists() else one, test, **columns) for one in data]
        request = Request(sources, task, asked, _listed(sizes), seeds, chosen, rows, test_rows, device)
        failures = run_benchmark(request, output, jobs)
    page = _report(output, chosen, rules, asked)
    if as_json:
        print_json(page.as_dict())
    else:
        from advisor.report.benchmark import benchmark_screen
        from advisor.report.console import console

        console().print(benchmark_screen(page))
    click.echo(f"{output}/report.html, report.md and results.jsonl", err=True)
    if failures:
        raise RunError(f"{failures} trials failed, see above; the same command tries them again")


def _report(folder: Path, chosen: tuple[str, ...], rules: Path | None, strategies: list[str] | None) -> "BenchmarkPage":
    from advisor.benchmark.cells import cells_of, field_of
    from advisor.benchmark.folder import CHOICES, RESULTS
    from advisor.benchmark.policies import judged_policies, read_choices
    from advisor.benchmark.results import read_results
    from advisor.files import write_text
    from advisor.knowledge.rulebase import load_rulebase
    from advisor.machine import this_machine
    from advisor.report.benchmark import benchmark_documents, benchmark_page

    cells = cells_of(read_results(folder / RESULTS))
    field, choices = strategies or field_of(cells), read_choices(folder / CHOICES)
    compared = judged_policies(load_rulebase(rules), this_machine(), choices, chosen, field)
    page = benchmark_page(folder.name, cells, compared, field)
    for name, text in benchmark_documents(page).items():
        write_text(folder / name, text)
    return page


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
