"""Fits the quality priors from measured and published scores, and says how far they are off on data not fitted.

    python benchmarks/fit_priors.py                        # the error, each data set left out in turn
    python benchmarks/fit_priors.py --to rules/quality.yaml

Skill, (accuracy - 1/C) / (1 - 1/C), of a strategy at a number of labels a class on a data set is taken to be a sum: one
term for strategy and labels, one for data set and encoder, fitted by least squares to `rules/evidence/encoder.jsonl`
(balanced draws, means over seeds) and, where that has nothing, `rules/evidence/scores.jsonl`. What was not measured is
filled in by the sum; the 10 %, 50 % and 90 % points over the data sets of the shipped encoder are the prior. Scores of
other encoders tell how strategies differ, not how high a data set lies.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import yaml
from numpy.typing import NDArray

from advisor.benchmark.results import read_lines
from advisor.strategies import STRATEGIES

EVIDENCE = Path(__file__).parents[1] / "rules" / "evidence"
ENCODER = "all-MiniLM-L6-v2"
QUANTILES = (0.1, 0.5, 0.9)
FEWEST_SETS = 2
"""Data sets that a strategy must have been measured on at a number of labels for a prior there."""
SCARCE = 0.75
"""Share of the labels asked for that a draw must hold; with fewer its data set has run out of them."""


class Kind(NamedTuple):
    """A strategy at a number of labels a class."""

    strategy: str
    labels: int


Place = tuple[str, str]
Skills = dict[tuple[Kind, Place], float]


def read_skills(*, elsewhere: bool = True) -> Skills:
    """Return skill by strategy, labels a class, data set and encoder; with or without scores from elsewhere.

    What takes no labels has none, on whichever draw it was measured.
    """
    grouped: dict[tuple[Kind, Place], list[float]] = defaultdict(list)
    for row in read_lines(EVIDENCE / "encoder.jsonl"):
        if row["task"] != "text-classification" or not row["size"].isdigit():
            continue
        asked = int(row["size"]) * row["classes"]
        if row["labelled"] >= SCARCE * asked:
            kind = Kind(row["strategy"], int(row["size"]) if STRATEGIES[row["strategy"]].needs_labels else 0)
            grouped[kind, (row["data"], row["model"])].append(skill(row["accuracy"], row["classes"]))
    found = {key: float(np.mean(values)) for key, values in grouped.items()}
    for row in read_lines(EVIDENCE / "scores.jsonl") if elsewhere else ():
        key = Kind(row["strategy"], row["labels_per_class"]), (row["data"], row["model"])
        found.setdefault(key, skill(row["accuracy"], row["classes"]))
    return found


def skill(accuracy: float, classes: int) -> float:
    """Return 0 for chance, 1 for perfection."""
    return (accuracy - 1 / classes) / (1 - 1 / classes)


def fit_sum(skills: Skills) -> tuple[dict[Kind, float], dict[Place, float]]:
    """Return the terms of kinds and of places; those of the shipped encoder's places have mean 0."""
    kinds = sorted({kind for kind, _ in skills})
    places = sorted({place for _, place in skills})
    design = np.zeros((len(skills), len(kinds) + len(places)))
    for number, (kind, place) in enumerate(skills):
        design[number, kinds.index(kind)] = 1
        design[number, len(kinds) + places.index(place)] = 1
    # The least-norm solution: only the sum of the two terms is told by the data.
    solution: NDArray[np.float64] = np.linalg.lstsq(design, np.array(list(skills.values())), rcond=None)[0]
    of_kind = dict(zip(kinds, solution[: len(kinds)].tolist(), strict=True))
    of_place = dict(zip(places, solution[len(kinds) :].tolist(), strict=True))
    level = float(np.mean([term for (_, encoder), term in of_place.items() if encoder == ENCODER]))
    return (
        {kind: term + level for kind, term in of_kind.items()},
        {place: term - level for place, term in of_place.items()},
    )


def fit_priors(skills: Skills) -> dict[Kind, tuple[float, float, float]]:
    """Return the 10 %, 50 % and 90 % points of skill by kind, each of them never falling with more labels.

    Of n data sets the i-th lowest is the i/(n+1) point, as befits what a further one will bring (Weibull 1939).
    """
    of_kind, of_place = fit_sum(skills)
    own = [place for place in of_place if place[1] == ENCODER]
    priors: dict[Kind, tuple[float, float, float]] = {}
    reached: dict[str, NDArray[np.float64]] = {}
    for kind in sorted(of_kind):
        if sum(found == kind for found, _ in skills) < FEWEST_SETS:
            continue
        values = [skills.get((kind, place), min(1.0, of_kind[kind] + of_place[place])) for place in own]
        points = np.maximum(
            np.quantile(values, QUANTILES, method="weibull"), reached.get(kind.strategy, np.full(3, -np.inf))
        )
        reached[kind.strategy] = points
        low, point, high = (round(float(value), 3) for value in points)
        priors[kind] = (low, point, high)
    return priors


def left_out(elsewhere: bool) -> tuple[float, float, int]:
    """Return RMSE in points of skill, the share of 80 % intervals that hold, and of how many; each set is left out."""
    skills = read_skills(elsewhere=elsewhere)
    measured = {data for _, (data, encoder) in read_skills(elsewhere=False) if encoder == ENCODER}
    errors, held = [], []
    for data in sorted(measured):
        priors = fit_priors({key: value for key, value in skills.items() if key[1][0] != data})
        for (kind, place), value in skills.items():
            if place == (data, ENCODER) and kind in priors:
                low, point, high = priors[kind]
                errors.append(100 * (value - point))
                held.append(low <= value <= high)
    return float(np.sqrt(np.mean(np.square(errors)))), float(np.mean(held)), len(errors)


def as_document(priors: dict[Kind, tuple[float, float, float]], skills: Skills) -> dict[str, Any]:
    """Return the priors as ``rules/quality.yaml`` holds them; what learns has one only where it was seen to learn."""
    document: dict[str, Any] = {}
    for strategy in STRATEGIES:
        anchors = [
            {"labels_per_class": kind.labels, "skill": list(points)}
            for kind, points in priors.items()
            if kind.strategy == strategy
        ]
        if len(anchors) > 1 or not STRATEGIES[strategy].needs_labels:
            own, other = (
                len(
                    {
                        data
                        for kind, (data, encoder) in skills
                        if kind.strategy == strategy and (encoder == ENCODER) == mine
                    }
                )
                for mine in (True, False)
            )
            source = f"benchmarks/fit_priors.py from rules/evidence, {own} sets" + (
                f", and {other} with another encoder" if other else ""
            )
            document[strategy] = {"encoder": {"source": source, "anchors": anchors}}
    return document


@click.command()
@click.option("--to", type=click.Path(path_type=Path), help="Write the encoder's priors into this quality.yaml.")
def main(to: Path | None) -> None:
    """Say how far the priors are off, and write them where asked."""
    for elsewhere, name in ((False, "encoder.jsonl alone"), (True, "with scores.jsonl")):
        error, held, count = left_out(elsewhere)
        click.echo(f"{name}: off by {error:.1f} points of skill, 80 % intervals hold {held:.0%} of {count}")
    if to:
        skills = read_skills()
        text = to.read_text(encoding="utf-8")
        heading = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
        others = {
            strategy: {engine: prior for engine, prior in engines.items() if engine != "encoder"}
            for strategy, engines in yaml.safe_load(text).items()
        }
        document = as_document(fit_priors(skills), skills)
        for strategy, engines in others.items():
            if engines:
                document.setdefault(strategy, {}).update(engines)
        to.write_text(
            heading + yaml.safe_dump(document, sort_keys=False, width=120, default_flow_style=None), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
