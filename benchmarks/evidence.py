"""Turns a benchmark's results into the evidence that is shipped.

    python benchmarks/evidence.py RESULTS.jsonl DATA_FOLDER... [--to rules/evidence/encoder.jsonl]

Measured scores and counts alone are kept, four digits of each, in a fixed order; no text of any data set. Lengths of
texts that the results lack are taken from the data.
"""

import json
from pathlib import Path
from typing import Any

import click

from advisor.benchmark.draws import Size
from advisor.benchmark.results import read_lines
from advisor.benchmark.source import BenchmarkData, lengths_of, load_benchmark_data
from advisor.data.reading import DataSource
from advisor.knowledge.catalogue import EMBEDDED_PREFIX
from advisor.strategies import STRATEGIES

_DROPPED = {"fit_seconds", "machine", "threads"}


@click.command()
@click.argument("results", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--to", type=click.Path(path_type=Path), default=Path("rules/evidence/encoder.jsonl"), show_default=True)
def main(results: Path, folders: tuple[Path, ...], to: Path) -> None:
    """Read RESULTS, write the evidence."""
    lengths = {
        folder.name: lengths_of(load_benchmark_data(BenchmarkData(folder.name, DataSource(folder))))._asdict()
        for folder in folders
    }
    rows: list[dict[str, Any]] = [
        {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
        | {"model": row["model"].removeprefix(EMBEDDED_PREFIX)}
        | lengths.get(row["data"], {})
        for row in read_lines(results)
    ]
    order = list(STRATEGIES)
    rows.sort(key=lambda row: (row["data"], row["seed"], Size.parse(row["size"]).place, order.index(row["strategy"])))
    kept = ({name: value for name, value in row.items() if name not in _DROPPED} for row in rows)
    to.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    click.echo(f"{len(rows)} measurements of {len({row['data'] for row in rows})} data sets in {to}")


if __name__ == "__main__":
    main()
