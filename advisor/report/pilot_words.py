"""A pilot in words: how its contenders stand, what it came to and what it cost, before any layout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.decision.finding import Finding, Standing, Target
from advisor.report.figures import Expected, expected
from advisor.report.names import title_of
from advisor.report.units import value_of
from advisor.run.progress import clock

_STOPPED = {
    "sure": "one is good enough",
    "budget": "the budget holds nothing more",
    "nothing worth it": "nothing more would change the choice",
    "time": "it took far longer than forecast",
}


@dataclass(frozen=True)
class Contending:
    """A contender.

    Attributes:
        measured: its value at the largest number of labels that it was measured at.
        expected: with all labels, with its 90 % interval; ``low``, ``at`` and ``high`` are its places on a scale from 0
            to 1 that all contenders share.
        best, within: probability of being the best, and of being within the margin of it.
        training: forecast time of fitting it on all rows.
        chosen: whether the pilot settled on it.
        advised: whether the rules alone had said it.
    """

    strategy: str
    title: str
    measured: str
    expected: Expected
    low: float
    at: float
    high: float
    best: str
    within: str
    training: str
    chosen: bool
    advised: bool


@dataclass(frozen=True)
class PilotWords:
    """What a pilot found.

    Attributes:
        rows: labelled rows that it measured on.
        stopped: why it measured no more.
        took: processor time that it took, and that as forecast against fitting every contender.
        measure: the one that leads.
        margin: of being about as good as the best.
        contenders: best first.
        sentences: what it came to, against what the rules had said; that rows were chosen; labels that a target takes;
            what leads with more.
    """

    rows: int
    stopped: str
    took: str
    measure: str
    margin: str
    contenders: list[Contending]
    sentences: list[str]


def pilot_words(finding: Finding) -> PilotWords | None:
    """Put a finding into words; None where nothing was measured."""
    if finding.strategy is None:
        return None
    share = finding.spent_seconds / finding.everything_seconds if finding.everything_seconds else 0.0
    return PilotWords(
        rows=finding.labelled,
        stopped=_STOPPED[finding.stopped],
        took=f"{clock(finding.processor_seconds)}, {share:.0%} of fitting them all",
        measure=finding.measure_title,
        margin=f"{finding.margin:g}",
        contenders=_contending(finding),
        sentences=list(_sentences(finding)),
    )


def pilot_on_record(record: Mapping[str, Any]) -> PilotWords | None:
    """Return what the pilot on the record of an advice found; None where there is none or it measured nothing."""
    finding = Finding.on_record(record.get("pilot"))
    return pilot_words(finding) if finding else None


def _contending(finding: Finding) -> list[Contending]:
    least = min((one.expected.low for one in finding.contenders), default=0.0)
    widest = max((one.expected.high for one in finding.contenders), default=1.0) - least or 1.0
    return [
        Contending(
            strategy=one.strategy,
            title=title_of(one.strategy),
            measured=_measured(one),
            expected=expected("quality", one.expected.as_dict()),
            low=(one.expected.low - least) / widest,
            at=(one.expected.point - least) / widest,
            high=(one.expected.high - least) / widest,
            best=f"{one.best:.2f}",
            within=f"{one.within:.2f}",
            training=value_of("train_seconds", one.train_seconds),
            chosen=one.strategy == finding.strategy,
            advised=one.strategy == finding.rules and finding.measurable,
        )
        for one in finding.contenders
    ]


def _measured(one: Standing) -> str:
    if not one.observed:
        return "not measured"
    last = one.observed[-1]
    return f"{last.value:.2f} at {last.rows:,.0f}" if last.rows else f"{last.value:.2f}"


def _sentences(finding: Finding) -> Iterable[str]:
    assert finding.strategy is not None
    if not finding.measurable:
        yield (
            f"The rules recommend {finding.rules} on a model that a pilot cannot measure; of what it can, "
            f"{finding.strategy} does best. The advice stays."
        )
    else:
        stands = finding.standing(finding.strategy)
        itself = stands is not None and stands.observed
        how = "Measured on your data" if itself else "Expected by what was measured of others on your data"
        against = f"; the rules alone had said {finding.rules}" if finding.overrides else ", as the rules alone say"
        yield f"{how}: {title_of(finding.strategy)}{against}."
    if finding.equal_shares:
        yield (
            "Every class has as many labels as the others: where texts in use come otherwise, all contenders may do "
            "better or worse than here, as far as the intervals say. A test file drawn as texts come tells."
        )
    if finding.target:
        yield target_line(finding.target, finding.measure_title)
    if finding.leads:
        first = finding.leads[0]
        yield f"From about {first.labels:,} labels {first.strategy} is expected to lead."


def target_line(target: Target, title: str) -> str:
    """Return how many labels a target takes, in one sentence."""
    if target.labels is None:
        return f"{target.value:.2f} {title} is not expected of {target.strategy} at any number of labels looked at."
    low = f"{target.low:,}" if target.low is not None else "0"
    high = f"{target.high:,}" if target.high is not None else "far more"
    return f"{target.value:.2f} {title} needs about {target.labels:,} labels ({low}–{high}) with {target.strategy}."
