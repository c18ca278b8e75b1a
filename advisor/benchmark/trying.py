"""Trying: policies that measure on a draw of labels before they choose a strategy for it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from advisor.backend.rows import encode_rows
from advisor.benchmark.draws import Size, draw
from advisor.benchmark.policies import Choice, choice_line
from advisor.benchmark.results import Situation
from advisor.benchmark.source import lengths_of
from advisor.benchmark.trial import Limits, Trial, rarest_of
from advisor.data.examples import Examples, LabelledData


class Drawn(NamedTuple):
    """What a policy may look at: the rows drawn, without test rows, and what to measure with."""

    data: LabelledData
    situation: Situation
    encoder: Path
    device: str


TRYING: dict[str, Callable[[Drawn], Choice]] = {}
"""The policies that measure, by id; each in a process of its own, and so by a function of a module."""


def try_policy(
    policy: str, name: str, trial: Trial, data: LabelledData, encoder: Path, device: str, limits: Limits
) -> dict[str, Any] | None:
    """Return a policy's choice on a draw as a line of results; None where there is no such draw.

    Args:
        policy: a key of `TRYING`.
        name: of the data.
        trial: names size and seed.
        data: that is drawn from.
        encoder: folder of the pre-trained encoder.
        device: as ``--device`` takes it.
        limits: of rows and threads.
    """
    import torch

    torch.set_num_threads(limits.threads)
    names, every = data.label_names, data.train
    rows = encode_rows(data.task, every.inputs, every.labels, every.rows, names)
    index = draw(data.task, rows, Size.parse(trial.size), seed=trial.seed, most=limits.rows)
    if index is None:
        return None
    taken = Examples(*([column[i] for i in index] for column in (every.inputs, every.labels, every.rows)))
    part = replace(data.train_part, examples=taken, unlabelled=[], unlabelled_rows=[])
    situation = Situation(
        data=name,
        size=trial.size,
        seed=trial.seed,
        task=data.task,
        classes=len(names),
        labelled=len(index),
        rarest=rarest_of(data.task, rows.take(index), len(names)),
        **lengths_of(data)._asdict(),
    )
    drawn = Drawn(replace(data, train_part=part, test_part=None), situation, encoder, device)
    return choice_line(policy, situation, TRYING[policy](drawn))
