"""Measures every strategy on given data at several label counts, and writes the quality priors from it.

    python benchmarks/priors.py DATA_FOLDER... --results benchmarks/results/priors.jsonl
    python benchmarks/priors.py --results benchmarks/results/priors.jsonl --fit rules/quality.yaml

Each DATA_FOLDER holds train.* and test.*. For every seed and number of labels per class a balanced training set is
drawn, every strategy is fitted on the embedded encoder with the default settings, and accuracy is measured on the
same test rows. A line a measurement is appended to the results; those already there are not measured again.
"""

import json
import platform
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import yaml

from advisor.backend.devices import choose_device
from advisor.cache import cache_folder
from advisor.data.reading import DataSource, Examples, load_labelled
from advisor.estimates.forecast import default_settings
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.hyperparameters import load_evaluation
from advisor.knowledge.weights import locate_model
from advisor.machine import this_machine
from advisor.run.prepare import stratified_split
from advisor.strategies import STRATEGIES, FitJob

_REFERENCE = "linear-probe"


def draw(examples: Examples, per_class: int, seed: int) -> list[int]:
    """Return row numbers of at most ``per_class`` examples of every class."""
    order = np.random.default_rng(seed).permutation(len(examples))
    taken: dict[str, list[int]] = defaultdict(list)
    for row in order:
        if len(taken[examples.labels[row]]) < per_class:
            taken[examples.labels[row]].append(int(row))
    return sorted(row for rows in taken.values() for row in rows)


def measure(folder: Path, strategy: str, per_class: int, seed: int, test_rows: int) -> dict[str, Any]:
    """Fit one strategy on one draw and return its accuracy and cost."""
    data = load_labelled(DataSource(folder))
    assert data.test is not None
    names = data.label_names
    number = {name: index for index, name in enumerate(names)}
    rows = draw(data.train, per_class, seed) if per_class else []
    classes = np.array([number[data.train.labels[row]] for row in rows], dtype=np.int64)
    texts = [data.train.texts[row] for row in rows]
    validation = None
    chosen = STRATEGIES[strategy]
    if chosen.wants_validation and len(rows) >= load_evaluation()["validate_from"]:
        kept, held = stratified_split(classes, load_evaluation()["validation_share"], seed)
        validation = ([texts[row] for row in held], classes[held])
        texts, classes = [texts[row] for row in kept], classes[kept]
    picked = np.random.default_rng(0).permutation(len(data.test))[:test_rows]
    started = time.perf_counter()
    with TemporaryDirectory() as workspace:
        fitted = chosen.fit(
            FitJob(
                encoder=locate_model(load_catalogue().default_model).folder,
                labels=names,
                descriptions={},
                texts=texts,
                classes=classes,
                validation=validation,
                settings=default_settings(strategy),
                seed=seed,
                device=choose_device(),
                workspace=Path(workspace),
                cache=cache_folder("features"),
            )
        )
        seconds = time.perf_counter() - started
        probabilities = fitted.model.outputs([data.test.texts[row] for row in picked])
    truth = np.array([number[data.test.labels[row]] for row in picked])
    return {
        "data": folder.name,
        "classes": len(names),
        "strategy": strategy,
        "labels_per_class": per_class,
        "seed": seed,
        "rows": len(rows),
        "test_rows": len(picked),
        "accuracy": round(float((probabilities.argmax(1) == truth).mean()), 4),
        "seconds": round(seconds, 2),
    }


def fit_priors(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return, per strategy and label count, the 10 %, 50 % and 90 % quantiles over data sets of skill.

    A strategy measured on fewer sets than the probe is placed by its mean paired difference from the probe on the sets
    they share, with the probe's spread over all sets: a handful of sets says little of the spread between tasks.
    """
    skills: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in results:
        chance = 1 / row["classes"]
        skills[row["strategy"], row["labels_per_class"]][row["data"]] = (row["accuracy"] - chance) / (1 - chance)
    priors: dict[str, Any] = {}
    for (strategy, per_class), by_data in sorted(skills.items()):
        probe = skills[_REFERENCE, per_class]
        values, how = list(by_data.values()), f"{len(by_data)} English sets"
        if len(by_data) < len(probe):
            shift = float(np.mean([by_data[data] - probe[data] for data in by_data if data in probe]))
            values, how = [min(value + shift, 1.0) for value in probe.values()], f"{how}, paired with {_REFERENCE}"
        low, point, high = (round(float(value), 3) for value in np.quantile(values, [0.1, 0.5, 0.9]))
        entry = priors.setdefault(strategy, {"source": f"benchmarks/priors.py, {how}", "anchors": []})
        entry["anchors"].append({"labels_per_class": per_class, "skill": [low, point, high]})
    return priors


def table(results: list[dict[str, Any]]) -> str:
    """Return a markdown table: accuracy by data set, strategy and labels per class, seeds averaged."""
    cells: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for row in results:
        cells[row["data"], row["strategy"], row["labels_per_class"]].append(row["accuracy"])
    columns = sorted({(list(STRATEGIES).index(strategy), strategy, size) for _, strategy, size in cells})
    lines = ["| data | " + " | ".join(f"{strategy} {size}" for _, strategy, size in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for data in sorted({data for data, _, _ in cells}):
        means = [cells.get((data, strategy, size)) for _, strategy, size in columns]
        shown = [f"{sum(mean) / len(mean):.2f}".lstrip("0") if mean else "" for mean in means]
        lines.append(f"| {data} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    required=True,
    help="Lines of measurements, read and appended.",
)
@click.option("--seeds", default=1, show_default=True, help="Draws of the training set.")
@click.option("--test-rows", default=500, show_default=True, help="Most test rows.")
@click.option("--most-rows", default=1500, show_default=True, help="Leave out draws with more training rows.")
@click.option("--strategy", "strategies", multiple=True, type=click.Choice(list(STRATEGIES)), help="Only these.")
@click.option(
    "--size", "sizes", multiple=True, type=int, default=(0, 2, 8, 32, 128), show_default=True, help="Labels per class."
)
@click.option("--table", "as_table", is_flag=True, help="Print all results as a markdown table.")
@click.option("--fit", type=click.Path(path_type=Path), help="Write the encoder's priors into this quality.yaml.")
def main(
    folders: tuple[Path, ...],
    results: Path,
    seeds: int,
    test_rows: int,
    most_rows: int,
    strategies: tuple[str, ...],
    sizes: tuple[int, ...],
    as_table: bool,
    fit: Path | None,
) -> None:
    """Measure, then fit if asked."""
    results.parent.mkdir(parents=True, exist_ok=True)
    known = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    done = {(row["data"], row["strategy"], row["labels_per_class"], row["seed"]) for row in known}
    jobs: list[tuple[Path, str, int, int]] = [
        (folder, strategy, size, seed)
        for seed in range(seeds)
        for size in sizes
        for folder in folders
        for strategy in strategies or STRATEGIES
        if (size == 0) == (strategy == "zero-shot")
    ]
    for folder, strategy, size, seed in jobs:
        if (folder.name, strategy, size, seed) in done:
            continue
        if size * len(load_labelled(DataSource(folder)).label_names) > most_rows:
            continue
        row = measure(folder, strategy, size, seed, test_rows) | {
            "machine": f"{platform.machine()}, {this_machine().describe()}"
        }
        with results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        click.echo(
            f"{row['data']:20} {strategy:18} {size:4} a class  accuracy {row['accuracy']:.3f}  {row['seconds']:.1f} s"
        )
        known.append(row)
    if as_table:
        click.echo(table(known))
    if fit:
        write_priors(fit, fit_priors(known))


def write_priors(path: Path, priors: dict[str, Any]) -> None:
    """Replace the encoder's priors in ``path``, leaving its heading and the other engines' alone."""
    text = path.read_text(encoding="utf-8")
    heading = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    document = yaml.safe_load(text)
    for strategy, prior in priors.items():
        document.setdefault(strategy, {})["encoder"] = prior
    path.write_text(heading + yaml.safe_dump(document, sort_keys=False, width=120), encoding="utf-8")


if __name__ == "__main__":
    main()
