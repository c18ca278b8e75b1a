"""What it is worth to choose which texts to label first: typical ones against texts drawn at random.

    OMP_NUM_THREADS=1 python benchmarks/label_first.py DATA_FOLDER... --results FILE
    python benchmarks/label_first.py --results FILE --table

Of every DATA_FOLDER (train.* and test.*, one label a text) some training rows lose their labels. As many as a pilot
asks for first are labelled again: those that it would name, or as many drawn at random; from nothing, or after a
quarter of them was drawn at random. Every strategy, with the settings as they ship, learns from them and is measured on
the same test rows, and by cross-validation on the labelled ones alone, which is all that a pilot sees. A line a
measurement is appended; those already there are not measured again.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from advisor.backend.arrays import Floats, Indices
from advisor.backend.devices import choose_device
from advisor.backend.encoder import Encoder
from advisor.backend.evaluation import headline
from advisor.backend.features import FeatureCache
from advisor.backend.rows import Rows, encode_rows
from advisor.backend.typical import Grouping, typical
from advisor.cache import cache_folder
from advisor.data.reading import DataSource, load_labelled
from advisor.estimates.forecast import default_settings
from advisor.knowledge.weights import locate_model
from advisor.run.prepare import fold_rows
from advisor.settings import load_settings
from advisor.strategies import STRATEGIES, FitJob

TASK = "text-classification"
ENCODER = "embedded/all-MiniLM-L6-v2"
START = 0.25


class Pool(NamedTuple):
    """Rows to choose from with their features, rows to test on, the names of the classes, and the seed of all draws."""

    rows: Rows
    features: Floats
    test: Rows
    labels: list[str]
    seed: int


def pool_of(folder: Path, seed: int, rows: int, test_rows: int) -> Pool:
    """Draw rows to choose from and to test on."""
    data, random = load_labelled(DataSource(folder), TASK), np.random.default_rng(seed)
    assert data.test is not None
    names = data.label_names
    train, test = (encode_rows(TASK, part.inputs, part.labels, part.rows, names) for part in (data.train, data.test))
    train, test = (
        train.take(random.permutation(len(train))[:rows]),
        test.take(np.random.default_rng(0).permutation(len(test))[:test_rows]),
    )
    encoder = Encoder.load(locate_model(ENCODER).folder, choose_device())
    features = FeatureCache(cache_folder("features")).embed(encoder, [str(one) for one in train.inputs])
    return Pool(train, features, test, names, seed)


def choices(pool: Pool) -> Iterator[tuple[str, bool, Indices]]:
    """Yield ways to choose with the rows chosen: whether by random, and whether after some had been drawn."""
    rules = load_settings("pilot.yaml")
    grouping = Grouping(rules["label_neighbours"], rules["label_group"], rules["label_groups"])
    wanted = rules["first_labels"] * len(pool.labels)
    drawn = np.random.default_rng([pool.seed, 1]).permutation(len(pool.rows))
    yield "random", False, drawn[:wanted]
    nothing = pool.features[:0]
    yield "typical", False, typical(pool.features, nothing, wanted, grouping, pool.seed)
    before, others = np.split(drawn, [round(START * wanted)])
    more = typical(pool.features[others], pool.features[before], wanted - len(before), grouping, pool.seed)
    yield "typical", True, np.concatenate([before, others[more]])


def measured(pool: Pool, strategy: str, chosen: Indices) -> dict[str, float]:
    """Return the accuracy on test rows and by cross-validation on the chosen ones."""
    rows = pool.rows.take(np.sort(chosen))
    folds = fold_rows(TASK, rows, load_settings("pilot.yaml")["folds"], pool.seed)
    parts = [(len(held), accuracy(pool, strategy, rows.take(kept), rows.take(held))) for kept, held in folds]
    return {
        "test": accuracy(pool, strategy, rows, pool.test),
        "cross_validated": sum(count * value for count, value in parts) / sum(count for count, _ in parts),
        "classes": len(np.unique(rows.targets)),
    }


def accuracy(pool: Pool, strategy: str, training: Rows, test: Rows) -> float:
    """Fit a strategy with the settings as they ship; return its accuracy."""
    with TemporaryDirectory() as workspace:
        job = FitJob(
            encoder=locate_model(ENCODER).folder,
            task=TASK,
            labels=pool.labels,
            descriptions={},
            training=training,
            validation=None,
            settings=default_settings(strategy),
            seed=pool.seed,
            device=choose_device(),
            workspace=Path(workspace),
            cache=cache_folder("features"),
        )
        model = STRATEGIES[strategy].fit(job).model
        return float(headline(TASK, model.outputs(test.inputs), test, pool.labels, model.thresholds)["accuracy"])


def table(lines: list[dict[str, Any]]) -> str:
    """Return means over draws as Markdown, each way's gain over random rows with its standard error."""
    groups: dict[tuple[str, str], dict[str, dict[int, dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for line in lines:
        way = f"{line['way']}{' after some' if line['after'] else ''}"
        groups[line["data"], line["strategy"]][way][line["seed"]] = line
    found = [
        "| data | strategy | draws | random | typical | gain | typical after a quarter | gain | classes found | "
        "cross-validation above the test |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (data, strategy), ways in sorted(groups.items()):
        seeds = sorted(set.intersection(*(set(of) for of in ways.values())))
        values = {way: np.array([of[seed]["test"] for seed in seeds]) for way, of in ways.items()}
        cells = [data, strategy, str(len(seeds)), f"{values['random'].mean():.3f}"]
        for way in ("typical", "typical after some"):
            gains = values[way] - values["random"]
            error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else float("nan")
            cells += [f"{values[way].mean():.3f}", f"{gains.mean():+.3f} ± {error:.3f}"]
        both = [[ways[way][seed] for seed in seeds] for way in ("random", "typical")]
        cells.append(", ".join(f"{np.mean([one['classes'] for one in some]):.1f}" for some in both))
        cells.append(
            ", ".join(f"{np.mean([one['cross_validated'] - one['test'] for one in some]):+.3f}" for some in both)
        )
        found.append(f"| {' | '.join(cells)} |")
    return "\n".join(found)


def _told(line: dict[str, Any]) -> dict[str, float]:
    return {"classes": line["classes"], "above": line["cross_validated"] - line["test"]}


def main() -> None:
    """Measure what is not measured yet, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--strategies", default="linear-probe,few-shot", help="with commas between them")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1000, help="to choose from")
    parser.add_argument("--test-rows", type=int, default=500)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    text = given.results.read_text(encoding="utf-8") if given.results.exists() else ""
    lines = [json.loads(line) for line in text.splitlines() if line]
    done = {(one["data"], one["strategy"], one["seed"], one["way"], one["after"]) for one in lines}
    for folder, seed in ((folder, seed) for folder in given.folders for seed in range(given.seeds)):
        pool = pool_of(folder, seed, given.rows, given.test_rows)
        for way, after, chosen in choices(pool):
            for strategy in given.strategies.split(","):
                at = {"data": folder.name, "strategy": strategy, "seed": seed, "way": way, "after": after}
                if tuple(at.values()) in done:
                    continue
                spent = time.process_time()
                found = at | {"labels": len(chosen)} | measured(pool, strategy, chosen)
                lines.append(found | {"processor_seconds": round(time.process_time() - spent, 2)})
                with given.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
    if given.table:
        print(table(lines))


if __name__ == "__main__":
    main()
