"""Trying: policies that measure on a draw of labels before they choose a strategy for it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from advisor.backend.rows import encode_rows
from advisor.benchmark.draws import Size, draw
from advisor.benchmark.policies import Choice, choice_line
from advisor.benchmark.results import Situation
from advisor.benchmark.source import lengths_of
from advisor.benchmark.trial import Limits, Trial, known_classes, rarest_of
from advisor.data.examples import Examples, LabelledData


class Drawn(NamedTuple):
    """What a policy may look at: the rows drawn, without test rows."""

    data: LabelledData
    situation: Situation


def _pilot(drawn: Drawn) -> Choice:
    """Let a pilot choose by its default budget; what is shipped of the same data set is kept from it."""
    from advisor.decision.advice import recommend
    from advisor.machine import this_machine
    from advisor.pilot.cells import evidence
    from advisor.pilot.pilot import Pilot, Wish
    from advisor.profile import Profile
    from advisor.profile.filling import fill_from_data, fill_from_machine

    name = drawn.situation.data
    profile = fill_from_machine(fill_from_data(Profile(name=name), drawn.data), this_machine())
    others = tuple(cell for cell in evidence() if cell.data != name)
    finding = Pilot(recommend(profile), drawn.data, others).run(Wish(seed=drawn.situation.seed))
    return Choice(
        finding.strategy if finding.decides and finding.strategy else finding.rules,
        finding.processor_seconds,
        {one.strategy: one.expected for one in finding.contenders},
    )


TRYING: dict[str, Callable[[Drawn], Choice]] = {"pilot": _pilot}
"""The policies that measure, by id."""


def try_policy(policy: str, name: str, trial: Trial, data: LabelledData, limits: Limits) -> dict[str, Any] | None:
    """Return a policy's choice on a draw as a line of results; None where there is no such draw.

    Args:
        policy: a key of `TRYING`.
        name: of the data.
        trial: names size and seed.
        data: that is drawn from.
        limits: of rows and threads.
    """
    import torch

    torch.set_num_threads(limits.threads)
    names, every = data.label_names, data.train
    rows = encode_rows(data.task, every.inputs, every.labels, every.rows, names)
    index = draw(data.task, rows, Size.parse(trial.size), seed=trial.seed, most=limits.rows)
    if index is None:
        return None
    taken, known = known_classes(data.task, rows.take(index), names)
    examples = Examples(*([column[i] for i in index] for column in (every.inputs, every.labels, every.rows)))
    part = replace(data.train_part, examples=examples, unlabelled=[], unlabelled_rows=[])
    situation = Situation(
        data=name,
        size=trial.size,
        seed=trial.seed,
        task=data.task,
        classes=len(known),
        labelled=len(index),
        rarest=rarest_of(data.task, taken, len(known)),
        **lengths_of(data)._asdict(),
    )
    drawn = Drawn(replace(data, train_part=part, test_part=None), situation)
    return choice_line(policy, situation, TRYING[policy](drawn))
