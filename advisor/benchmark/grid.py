"""The grid: the trials of a benchmark, and what each of them takes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from advisor.backend.rows import encode_rows
from advisor.benchmark.cells import applies
from advisor.benchmark.draws import Size, draw
from advisor.benchmark.source import lengths_of
from advisor.benchmark.trial import Limits, Trial
from advisor.data.reading import LabelledData
from advisor.errors import InputError
from advisor.estimates.forecast import default_settings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies import EXECUTABLE, STRATEGIES, TextLoad


class Planned(NamedTuple):
    """A trial on a data set.

    Attributes:
        operations: floating point operations of fitting and of answering the test rows.
        policy: the policy that chooses on this draw by measuring; then the trial names no strategy.
    """

    data: str
    trial: Trial
    operations: float
    policy: str | None = None


def grid(
    data: Mapping[str, LabelledData],
    strategies: Sequence[str],
    sizes: Sequence[Size],
    seeds: int,
    limits: Limits,
    model: BaseModelFacts,
    measuring: Sequence[str] = (),
) -> list[Planned]:
    """Return the trials that apply: seed by seed, so that all sizes are seen early, within a seed the cheap ones first.

    What is measured without any row stands once, whatever the seeds; a size that draws the same rows as a smaller one
    is left out. A policy that measures is taken to cost what fitting everything does, so it comes last.

    Args:
        data: by name, with test rows.
        strategies: ids.
        sizes: of draws.
        seeds: how many, from 0.
        limits: of rows.
        model: that operations are counted for.
        measuring: policies that choose by measuring.

    Raises:
        InputError: no trial applies.
    """
    found = [
        planned
        for name, labelled in data.items()
        for planned in _trials(name, labelled, strategies, sizes, seeds, limits, model, measuring)
    ]
    if not found:
        raise InputError("none of these strategies applies to these data at these sizes; name others")
    return sorted(found, key=lambda planned: (planned.trial.seed, planned.operations))


def _trials(
    name: str,
    data: LabelledData,
    strategies: Sequence[str],
    sizes: Sequence[Size],
    seeds: int,
    limits: Limits,
    model: BaseModelFacts,
    measuring: Sequence[str],
) -> list[Planned]:
    assert data.test is not None
    names, tokens = data.label_names, lengths_of(data).tokens_median
    rows = encode_rows(data.task, data.train.inputs, data.train.labels, data.train.rows, names)
    able = [strategy for strategy in strategies if applies(strategy, data.task)]
    answering = min(len(data.test), limits.test_rows) * model.forward_flops(tokens, tokens)
    found = []
    for seed in range(seeds):
        seen: set[bytes] = set()
        for size in sizes:
            drawn = draw(data.task, rows, size, seed=seed, most=limits.rows)
            if drawn is None or drawn.tobytes() in seen or (seed and not len(drawn)):
                continue
            seen.add(drawn.tobytes())
            load = TextLoad(len(drawn), tokens, len(names))
            found += [
                Planned(name, Trial(strategy, str(size), seed), _fitting(strategy, model, load) + answering)
                for strategy in able
                if len(drawn) or not STRATEGIES[strategy].needs_labels
            ]
            if len(drawn):
                every = sum(_fitting(strategy, model, load) for strategy in EXECUTABLE if applies(strategy, data.task))
                found += [Planned(name, Trial("", str(size), seed), every, policy) for policy in measuring]
    return found


def _fitting(strategy: str, model: BaseModelFacts, load: TextLoad) -> float:
    work = STRATEGIES[strategy].workload(model, load, default_settings(strategy))
    return work.head_flops + sum(one.cost * model.forward_flops(one.tokens, one.length) for one in work.passes)
