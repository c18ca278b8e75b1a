"""Judging: how the contenders stand at the end of a race, which one it settles on, and why."""

import math
from collections import defaultdict
from collections.abc import Sequence

from advisor.decision.finding import Lead, Observed, Prefer, Standing, Target
from advisor.knowledge.interval import Interval
from advisor.pilot.contenders import Contender, cheapest_first
from advisor.pilot.outlook import Outlook
from advisor.pilot.race import Race, Step
from advisor.settings import load_settings


def standings(contenders: Sequence[Contender], race: Race, outlook: Outlook) -> list[Standing]:
    """Return how contenders stand, the least expected loss first."""
    best, margin = outlook.best(race.per_class), race.rules["margin"]
    observed = _observed(race.steps)
    found = [
        Standing(
            strategy=one.id,
            family=one.candidate.strategy.family,
            expected=Interval(*(round(value, 4) for value in outlook.at(one.id, race.per_class))),
            best=round(best[one.id], 4),
            within=round(outlook.within(one.id, race.per_class, margin), 4),
            loss=round(outlook.loss(one.id, race.per_class), 5),
            observed=observed.get(one.id, []),
            train_seconds=one.whole_seconds(race.rows),
        )
        for one in contenders
    ]
    return sorted(found, key=lambda standing: standing.loss)


def settle(contenders: Sequence[Contender], stand: Sequence[Standing], race: Race, prefer: Prefer) -> str:
    """Return the contender to take.

    By quality it is the cheapest of those within the margin of the best as surely as is asked for, else the one with
    the least expected loss; by cost or latency the cheapest or quickest of those expected to lose no more than the
    margin against the one with the least.
    """
    margin, sureness = race.rules["margin"], race.rules["sureness"]
    if prefer == "quality":
        equal = {one.strategy for one in stand if one.within >= sureness}
    else:
        equal = {one.strategy for one in stand if one.loss <= stand[0].loss + margin}
    ordered = cheapest_first(contenders, race.rows, latency=prefer == "latency")
    return next((one.id for one in ordered if one.id in equal), stand[0].strategy)


def because(chosen: Standing, stand: Sequence[Standing], rules: str, title: str, margin: float) -> str:
    """Return why a contender is taken, against the strongest other and what the rules alone say."""
    low, point, high = (f"{value:.2f}" for value in chosen.expected)
    measured = chosen.observed[-1] if chosen.observed else None
    seen = f"measured {measured.value:.2f} with {measured.rows:,.0f} labels" if measured else "not measured itself"
    text = (
        f"{seen}, {title} {point} [{low}–{high}] expected with all of them; within {100 * margin:g} "
        f"{'point' if margin == 0.01 else 'points'} of the best with probability {chosen.within:.2f}"
    )
    other = next((one for one in stand if one.strategy == rules), None)
    if other is None or other.strategy == chosen.strategy:
        return text
    return (
        f"{text}; {rules}, which the rules alone recommend, is expected to reach {other.expected.point:.2f} and is "
        f"within {100 * margin:g} of the best with probability {other.within:.2f}"
    )


def target_of(outlook: Outlook, chosen: Standing, wished: float | None) -> Target | None:
    """Return how many labels a target takes; the next step or the one after that if none is wished.

    A step stands in ``rules/pilot.yaml``; the target lies half a step above what is expected at least.
    """
    step = load_settings("pilot.yaml")["target_step"]
    value = wished or math.floor(chosen.expected.point / step + 1.5) * step
    if value >= 1:
        return None
    needed = outlook.labels_for(value, chosen.strategy)
    low, point, high = needed or (math.inf, math.inf, math.inf)
    return Target(
        value=round(value, 4), strategy=chosen.strategy, labels=_whole(point), low=_whole(low), high=_whole(high)
    )


def leads(outlook: Outlook, chosen: str, race: Race) -> list[Lead]:
    """Return from how many labels on, beyond those at hand, which other contender is expected to lead."""
    found: list[Lead] = []
    ahead = outlook.leaders(race.per_class * race.rules["growth"])
    for count, strategy in ahead:
        if count > race.per_class and strategy != (found[-1].strategy if found else chosen):
            found.append(Lead(labels=math.ceil(count * race.classes), strategy=strategy))
    return found


def _observed(steps: Sequence[Step]) -> dict[str, list[Observed]]:
    found: dict[str, dict[float, list[Step]]] = defaultdict(lambda: defaultdict(list))
    for step in steps:
        found[step.trial.strategy][round(step.trial.rows)].append(step)
    return {strategy: [_mean(by_rows[rows]) for rows in sorted(by_rows)] for strategy, by_rows in found.items()}


def _mean(steps: Sequence[Step]) -> Observed:
    judged = sum(step.trial.judged for step in steps)
    return Observed(
        rows=sum(step.trial.rows for step in steps) / len(steps),
        judged=judged,
        value=round(sum(step.value * step.trial.judged for step in steps) / judged, 4),
    )


def _whole(value: float) -> int | None:
    return math.ceil(value) if math.isfinite(value) else None
