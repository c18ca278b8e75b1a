"""Data of a benchmark: a named source that always comes with test rows."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from advisor.backend.rows import encode_rows
from advisor.data.examples import Examples, LabelledData
from advisor.data.lengths import estimated_tokens, word_counts
from advisor.data.reading import DataSource, load_labelled
from advisor.errors import InputError
from advisor.plan.rows import insist_on_apart
from advisor.run.prepare import split_rows
from advisor.settings import load_settings


class BenchmarkData(NamedTuple):
    """A data set by the name that results call it; its task where it is named."""

    name: str
    source: DataSource
    task: str | None = None


class Lengths(NamedTuple):
    """Tokens of a data set's texts, estimated from words as a profile does."""

    tokens_median: int
    tokens_p95: int


def named_sources(sources: Sequence[DataSource], task: str | None) -> list[BenchmarkData]:
    """Return data sets under the names of their folders or files.

    Raises:
        InputError: two have one name.
    """
    found: dict[str, BenchmarkData] = {}
    for source in sources:
        path = Path(source.path)
        name = (path.stem if path.suffix else path.name) or str(path.resolve().name)
        if name in found:
            raise InputError(f"two data sets are called '{name}': {found[name].source.path} and {path}; rename one")
        found[name] = BenchmarkData(name, source, task)
    return list(found.values())


@lru_cache(maxsize=4)
def load_benchmark_data(data: BenchmarkData) -> LabelledData:
    """Read a data set; where it has no test file the usual share is held out, the same rows every time.

    Raises:
        DataError: it cannot be read.
        InputError: no rows can be held out.
    """
    labelled = load_labelled(data.source, data.task)
    return labelled if labelled.test is not None else _held_out(labelled)


def lengths_of(data: LabelledData) -> Lengths:
    """Return the lengths of a data set's training texts."""
    return Lengths(*estimated_tokens(word_counts(data.train.inputs), 1 if data.pair_column is None else 2))


def _held_out(data: LabelledData) -> LabelledData:
    insist_on_apart(data)
    every, names = data.train, data.label_names
    rows = encode_rows(data.task, every.inputs, every.labels, every.rows, names)
    kept, held = split_rows(data.task, rows, load_settings("evaluation.yaml")["test_share"], 0)
    train, test = (
        replace(data.train_part, examples=Examples(*([column[i] for i in index] for column in _columns(every))))
        for index in (kept, held)
    )
    return replace(data, train_part=train, test_part=test)


def _columns(examples: Examples) -> tuple[list, list, list]:  # type: ignore[type-arg]
    return examples.inputs, examples.labels, examples.rows
