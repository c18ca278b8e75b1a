"""Estimates the sizes of the outlook's prior from measurements, and checks it on data sets left out.

    python benchmarks/fit_outlook.py --fit
    python benchmarks/fit_outlook.py --check
    python benchmarks/fit_outlook.py --shifts

``--fit`` writes ``rules/outlook.yaml``: the sizes that explain the measurements in ``rules/evidence/`` best (maximum
a posteriori, the logarithm of every size being normal around a guess with a deviation of 1). ``--check`` fits anew
without one data set at a time, takes what strategies reached there at some sizes as if a pilot had measured it on few
rows (a binomial draw), and compares what is then expected of every strategy with what it reached. ``--shifts`` says how
much test rows differ from those at hand, of rows as they come and of classes in equal shares, by what pilots expected
(``rules/evidence/choices.jsonl``) beside what was reached.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import NormalDist, mean
from typing import Any

import click
import numpy as np
import yaml
from scipy.optimize import minimize

from advisor.benchmark.results import read_lines, read_results
from advisor.pilot.cells import Cell, evidence
from advisor.pilot.outlook import Measured, Outlook
from advisor.pilot.prior import Prior

GROUPS = {
    "zero-shot": "frozen", "few-shot": "frozen", "linear-probe": "frozen", "contrastive": "tuned", "lora": "tuned",
    "partial-unfreezing": "tuned", "lp-ft": "tuned", "full-fine-tuning": "tuned",
}  # fmt: skip
GUESS = {
    "everywhere_level.group": 0.3, "everywhere_level.own": 0.2,
    "everywhere_slope.group": 0.3, "everywhere_slope.own": 0.2, "classes": 0.2,
    "task_level.group": 0.3, "task_level.own": 0.2,
    "here_level.together": 1.0, "here_level.group": 0.3, "here_level.own": 0.15,
    "here_slope.together": 0.3, "here_slope.group": 0.2, "here_slope.own": 0.1,
    "bend": 0.1, "reach": 1.5, "noise.fit": 0.3, "noise.draw": 0.4, "noise.decay": 0.4,
}  # fmt: skip
# Means over the same test rows cannot tell a shared error of judging from a data set's level: 0.5 is a judgement. What
# test rows differ from those at hand is from pilots' forecasts beside what was reached, by --shifts.
FIXED = {
    "everywhere_level.together": 2.0, "everywhere_slope.together": 1.0, "task_level.together": 0.0,
    "noise.shared": 0.5, "noise.shift": 0.25, "noise.shift_of_equal_shares": 0.4,
}  # fmt: skip
CHOSEN_WITH = {"shift": 0.15, "shift_of_equal_shares": 0.45}
"""The shifts in the intervals of most of ``choices.jsonl``, by ``rules/outlook.yaml`` as it was; a few have 0.2."""
RULES = Path(__file__).parents[1] / "rules"
OUTLOOK, EVIDENCE = RULES / "outlook.yaml", RULES / "evidence"
HEADING = """\
# How learning curves of strategies go together: standard deviations in log-odds of the leading measure, explained in
# advisor/pilot/prior.py. Written by benchmarks/fit_outlook.py; reach is in doublings of labels a class.
"""


def prior_of(values: dict[str, float]) -> Prior:
    """Put sizes by dotted name into a prior."""
    found: dict[str, Any] = {"groups": GROUPS}
    for name, value in (FIXED | values).items():
        section, _, key = name.partition(".")
        if key:
            found.setdefault(section, {})[key] = value
        else:
            found[section] = value
    return Prior.model_validate(found)


def fit(cells: Sequence[Cell], start: dict[str, float] | None = None, steps: int = 40) -> dict[str, float]:
    """Return the sizes of highest posterior density."""
    names = list(GUESS)
    centre = np.log(np.array([GUESS[name] for name in names]))

    def cost(logs: np.ndarray) -> float:
        values = {name: float(np.exp(value)) for name, value in zip(names, logs, strict=True)}
        try:
            outlook = Outlook.prior(list(GROUPS), 4, known=cells, sizes=prior_of(values))
            likelihood = outlook.evidence_log_likelihood
        except np.linalg.LinAlgError:
            return 1e6
        return float(0.5 * ((logs - centre) ** 2).sum() - likelihood)

    begin = np.log(np.array([(start or GUESS)[name] for name in names]))
    found = minimize(cost, begin, method="L-BFGS-B", options={"maxiter": steps})
    return {name: round(float(np.exp(value)), 3) for name, value in zip(names, found.x, strict=True)}


def check(
    cells: Sequence[Cell], sizes: dict[str, float], cheap: Sequence[str], draws: int = 3
) -> dict[tuple[str, Any], list[float]]:
    """Return regret, error and coverage on every data set when it is left out.

    Args:
        cells: all measurements.
        sizes: where each fit without a data set begins.
        cheap: strategies that a pilot is taken to have measured, on as many rows as there are labels.
        draws: of what the pilot measured.
    """
    random = np.random.default_rng(0)
    found: dict[tuple[str, Any], list[float]] = defaultdict(list)
    for left_out in sorted({cell.data for cell in cells}):
        own, others = [c for c in cells if c.data == left_out], [c for c in cells if c.data != left_out]
        prior = prior_of(fit(others, sizes, steps=10))
        free = [cell for cell in own if cell.strategy == "zero-shot"]
        classes, task = own[0].classes, own[0].task
        for natural, count in sorted({(cell.natural, cell.per_class) for cell in own} - {(False, 0.0)}):
            drawn = (cell for cell in own if (cell.natural, cell.per_class) == (natural, count))
            here = {cell.strategy: cell for cell in [*free, *drawn]}
            if len(here) < 5:
                continue
            rows = max(int(count * classes), 1)
            for _ in range(draws):
                measured = [
                    Measured(name, rows, 0.8 * cell.per_class, random.binomial(rows, cell.value) / rows, rows)
                    for name, cell in here.items() if name in cheap
                ]  # fmt: skip
                outlook = Outlook.prior(
                    list(here), classes, known=others, sizes=prior, task=task, equal_shares=not natural
                ).after(measured)
                expected = {name: outlook.expected(name, count) for name in here}
                chosen, best = max(expected, key=lambda name: expected[name]), max(c.value for c in here.values())
                found["regret", round(count)].append(best - here[chosen].value)
                for name, cell in here.items():
                    found["always", name].append(best - cell.value)
                    low, point, high = outlook.at(name, count)
                    found["error", name].append(point - cell.value)
                    found["covered", name].append(low <= cell.value <= high)
    return dict(found)


def shifts() -> dict[str, tuple[float, float, int]]:
    """Return the likeliest `noise.shift` and `noise.shift_of_equal_shares`, coverage of 90 % intervals then, and draws.

    Every data set weighs the same; what is reached has its own chance of test rows in it.
    """
    reached: dict[tuple[str, str, int], dict[str, float]] = defaultdict(dict)
    for one in read_results(EVIDENCE / "encoder.jsonl"):
        if one.situation.task == "text-classification":
            reached[one.situation[:3]][one.strategy] = min(max(one.value, 0.01), 0.99)
    found: dict[str, dict[str, list[tuple[float, float]]]] = {"shift": {}, "shift_of_equal_shares": {}}
    draws: dict[str, int] = defaultdict(int)
    for line in read_lines(EVIDENCE / "choices.jsonl"):
        at = line["labelled"], line["rarest"], line["classes"]
        kind = "shift_of_equal_shares" if at[0] // at[2] == at[1] else "shift"
        values = reached.get((line["data"], line["size"], line["seed"]), {})
        draws[kind] += bool(values)
        for strategy, said in line["predicted"].items():
            if strategy in values:
                low, point, high, value = (_odds(share) for share in (*said.values(), values[strategy]))
                variance = ((high - low) / (2 * NormalDist().inv_cdf(0.95))) ** 2 - CHOSEN_WITH[kind] ** 2
                found[kind].setdefault(line["data"], []).append((value - point, max(variance, 0.0)))

    def likelihood(kind: str, shift: float) -> float:
        return math.fsum(
            mean(-0.5 * (error**2 / (known + shift**2) + np.log(known + shift**2)) for error, known in pairs)
            for pairs in found[kind].values()
        )

    grid = np.arange(0.05, 1.55, 0.05).tolist()
    best = {kind: max(grid, key=partial(likelihood, kind)) for kind in found}
    bound = NormalDist().inv_cdf(0.95)
    return {
        kind: (
            shift,
            mean(
                mean(abs(error) <= bound * (known + shift**2) ** 0.5 for error, known in pairs)
                for pairs in found[kind].values()
            ),
            draws[kind],
        )
        for kind, shift in best.items()
    }


def _odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def summary(found: dict[tuple[str, Any], list[float]]) -> str:
    """Return what `check` found, in lines of Markdown."""
    regrets = {size: values for (kind, size), values in found.items() if kind == "regret"}
    every = [value for values in regrets.values() for value in values]
    lines = [
        f"regret {100 * np.mean(every):.1f} points on average, {100 * max(every):.1f} at most ({len(every)} choices)"
    ]
    lines += [f"at {size} labels a class: {100 * np.mean(values):.1f}" for size, values in sorted(regrets.items())]
    lines += [
        "",
        "| strategy | regret of always choosing it | error of its forecast (RMSE) | inside the 90 % interval |",
    ]
    lines += ["|---|---|---|---|"]
    for name in (name for kind, name in found if kind == "always"):
        error = np.sqrt(np.mean(np.square(found["error", name])))
        always, covered = np.mean(found["always", name]), np.mean(found["covered", name])
        lines.append(f"| {name} | {100 * always:.1f} | {100 * error:.1f} | {100 * covered:.0f} % |")
    return "\n".join(lines)


@click.command(help=__doc__)
@click.option("--fit", "fitting", is_flag=True, help="Write rules/outlook.yaml.")
@click.option("--check", "checking", is_flag=True, help="Leave every data set out once.")
@click.option("--shifts", "shifting", is_flag=True, help="Say how much test rows differ from those at hand.")
@click.option("--measured", multiple=True, default=("zero-shot", "few-shot", "linear-probe"), show_default=True)
def main(fitting: bool, checking: bool, shifting: bool, measured: tuple[str, ...]) -> None:
    """Fit, check, say shifts, or several of these."""
    if shifting:
        for kind, (shift, covered, draws) in shifts().items():
            click.echo(f"noise.{kind}: {shift:.2f}, {100 * covered:.0f} % inside 90 % intervals then ({draws} draws)")
    if not fitting and not checking:
        return
    cells = evidence()
    sizes = fit(cells)
    if fitting:
        sets = len({cell.data for cell in cells})
        document = {
            "source": f"benchmarks/fit_outlook.py on {len(cells)} means of measurements on {sets} data sets",
            "prior": prior_of(sizes).model_dump(),
        }
        OUTLOOK.write_text(HEADING + yaml.safe_dump(document, sort_keys=False, width=120), encoding="utf-8")
    if checking:
        click.echo(summary(check(cells, sizes, measured)))


if __name__ == "__main__":
    main()
