"""Judges the rules, and the pilot where its choices are recorded, by the shipped evidence.

    python benchmarks/regret.py                          # the regret of every way to choose
    python benchmarks/regret.py --write README.md        # the same between the README's marks
    python benchmarks/regret.py --sizes                  # size by size, what the pilot expected, what chance leaves
    python benchmarks/regret.py --thresholds             # what moving one threshold would gain, on data sets left out

The best in hindsight is the best of the strategies that were measured on most draws.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import mean

import click

from advisor.benchmark.cells import Cell, cells_of, complete_cells
from advisor.benchmark.draws import Size
from advisor.benchmark.policies import judged_policies, policies
from advisor.benchmark.regret import Comparison, Judged, compare, judge, mean_over_data
from advisor.benchmark.results import read_lines, read_results
from advisor.knowledge.rulebase import RuleBase, load_rulebase
from advisor.machine import Machine
from advisor.report.benchmark import regret_table
from advisor.tasks import TASKS

ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "rules" / "evidence"
MACHINE = Machine(cores=2, memory_bytes=24_000_000_000, units="amx", gpu=False)
"""The machine that the evidence is from; a fixed one, so that the table does not depend on where it is made."""
FIELD = ("zero-shot", "few-shot", "linear-probe", "contrastive", "full-fine-tuning")
BEGIN, END = "<!-- regret: written by benchmarks/regret.py -->\n", "<!-- end of regret -->\n"
THRESHOLDS = {
    "probe_from_per_class": (2, 3, 4, 6, 8, 12, 16),
    "contrastive_from_per_class": (2, 4, 8, 16, 32),
    "tune_from_per_class": (8, 16, 24, 32, 64, 100, 128),
    "plenty_labels": (100, 200, 500, 1000, 2000),
    "many_classes": (8, 12, 20, 50),
    "tune_from_per_class_of_many": (4, 8, 20, 40),
}


@cache
def evidence() -> list[Cell]:
    """Return the draws of text classification."""
    found = cells_of(read_results(EVIDENCE / "encoder.jsonl"))
    return [cell for cell in found if cell.situation.task == "text-classification"]


def comparison(size: str | None = None) -> Comparison:
    """Return every way to choose, judged by the evidence, or by that of one size."""
    ways = judged_policies(load_rulebase(), MACHINE, read_lines(EVIDENCE / "choices.jsonl"), field=FIELD)
    return compare([cell for cell in evidence() if size in (None, cell.situation.size)], ways, FIELD)


def table() -> str:
    """Return the README's tables: regret, and what the strategies reached on the same draws."""
    measure = TASKS["text-classification"].measures[0].title
    return f"{regret_table(comparison(), measure)}\n{means()}"


def sizes() -> str:
    """Return by size the mean and worst regret, how far off the pilot's forecasts are, and what other draws leave."""
    shown = {"rules": "rules", "pilot": "pilot", "always-contrastive": "always contrastive"}
    titles = ["size", "draws", *shown.values(), "forecasts off by", "inside 90 %", "by other draws", "off by"]
    lines = [f"| {' | '.join(titles)} |", "| --- |" + " ---: |" * (len(titles) - 1)]
    for size in sorted({cell.situation.size for cell in evidence()}, key=lambda size: Size.parse(size).place):
        found = comparison(size)
        standings = {one.policy: one for one in found.standings}
        if "pilot" in standings:
            pilot, known = standings["pilot"], found.foresight
            row = [size, str(found.cells)]
            row += [f"{standings[name].regret.value:.1f}, {standings[name].worst.value:.1f}" for name in shown]
            row += [f"{pilot.error:.1f}", f"{100 * (pilot.covered or 0):.0f} %"]
            row += [f"{known.regret.value:.1f}", f"{known.error:.1f}"] if known else ["", ""]
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def means() -> str:
    """Return mean accuracy by size and strategy over the draws on which all of the field was measured."""
    by_size: dict[str, list[Cell]] = {}
    for cell in complete_cells(evidence(), FIELD):
        by_size.setdefault(cell.situation.size, []).append(cell)
    lines = [f"| labels a class | data sets | {' | '.join(FIELD)} |", "| --- |" + " ---: |" * (len(FIELD) + 1)]
    for size in sorted(by_size, key=lambda size: Size.parse(size).place):
        cells = by_size[size]
        names = {cell.situation.data for cell in cells}
        values = (_mean_over_data(cells, strategy) for strategy in FIELD)
        lines.append(f"| {size} | {len(names)} | {' | '.join(f'{value:.3f}' for value in values)} |")
    return "\n".join(lines) + "\n"


def _mean_over_data(cells: list[Cell], strategy: str) -> float:
    by_data: dict[str, list[float]] = {}
    for cell in cells:
        by_data.setdefault(cell.situation.data, []).append(cell.values[strategy])
    return mean(mean(values) for values in by_data.values())


def written(readme: str) -> str:
    """Return a text with the table between its marks."""
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


def rules_at(base: RuleBase, name: str, value: float) -> list[Judged]:
    """Return the rules' choices with one threshold at another value."""
    threshold = base.thresholds[name]
    moved = replace(base, thresholds={**base.thresholds, name: threshold.model_copy(update={"value": value})})
    return judge(evidence(), policies(moved, MACHINE)["rules"], FIELD)


def mean_regret(judged: Iterable[Judged]) -> float:
    """Return mean points over data sets."""
    return mean_over_data(list(judged), lambda one: one.regret)


def thresholds() -> None:
    """Print mean regret by value, and what the value that is best on the other data sets brings on each left out."""
    base = load_rulebase()
    for name, values in THRESHOLDS.items():
        by_value = {float(value): rules_at(base, name, value) for value in {*values, base.thresholds[name].value}}
        now = by_value[float(base.thresholds[name].value)]
        names = sorted({one.situation.data for one in now})
        chosen, unseen = {}, []
        for data in names if len(names) > 1 else []:
            others = {v: mean_regret(o for o in js if o.situation.data != data) for v, js in by_value.items()}
            least = min(others.values())
            value = min(
                (v for v, regret in others.items() if regret <= least + 1e-9),
                key=lambda v: abs(v - base.thresholds[name].value),
            )
            chosen[data] = value
            unseen.append(mean_regret(o for o in by_value[value] if o.situation.data == data))
        shown = ", ".join(f"{value:g}: {mean_regret(js):.2f}" for value, js in sorted(by_value.items()))
        click.echo(f"{name} (now {base.thresholds[name].value:g}, range {base.thresholds[name].range}): {shown}")
        if unseen:
            gained = f"{sum(unseen) / len(unseen):.2f} with {sorted(set(chosen.values()))}, now {mean_regret(now):.2f}"
            click.echo(f"    on the set left out, with the value best on the others: {gained}")


@click.command()
@click.option("--write", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Put the table there.")
@click.option("--thresholds", "moving", is_flag=True, help="Move the rules' thresholds one at a time.")
@click.option("--sizes", "sizing", is_flag=True, help="Regret and forecasts size by size.")
@click.option("--draws", is_flag=True, help="Every draw's best strategy and the rules' choice.")
def main(write: Path | None, moving: bool, sizing: bool, draws: bool) -> None:
    """Print or write the table."""
    if moving:
        thresholds()
    elif sizing:
        click.echo(sizes())
    elif draws:
        _draws()
    elif write:
        write.write_text(written(write.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        click.echo(table())


def _draws() -> None:
    for one in judge(evidence(), policies(load_rulebase(), MACHINE)["rules"], FIELD):
        cell = next(cell for cell in evidence() if cell.situation == one.situation)
        values = ", ".join(f"{name} {cell.values[name]:.3f}" for name in FIELD if name in cell.values)
        at = one.situation
        click.echo(
            f"{at.data} {at.size} seed {at.seed} ({at.labelled}): {one.choice.strategy} -{one.regret:.1f}  {values}"
        )


if __name__ == "__main__":
    main()
