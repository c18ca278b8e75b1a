"""A finding: what a pilot measured of each contender on the user's data, and which of them it settles on."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_serializer

from advisor.knowledge.interval import Interval
from advisor.strict import Strict

Prefer = Literal["quality", "cost", "latency"]
Stop = Literal["sure", "budget", "nothing worth it", "time", "no labels", "too few labels", "no contenders"]

_TOLD = ("decides", "overrides")


class Observed(Strict):
    """One size at which a contender was measured; ``rows`` learnt from, ``judged`` held out, ``value`` the mean."""

    rows: float
    judged: int
    value: float


class Standing(Strict):
    """How a contender stands.

    Attributes:
        expected: 5 %, 50 % and 95 % quantile of the leading measure with all labelled rows.
        best: probability that it is the best.
        within: probability that no other is better by more than the margin.
        loss: by how much the best is expected to be better.
        observed: what was measured of it, by ascending size; empty where all rests on the others and on other data.
        train_seconds: forecast of fitting it on all rows.
    """

    strategy: str
    family: str
    expected: Interval
    best: float
    within: float
    loss: float
    observed: list[Observed]
    train_seconds: float

    @field_serializer("expected")
    def _named(self, value: Interval) -> dict[str, float]:
        return value.as_dict()


class Target(Strict):
    """How many labelled rows a value of the leading measure takes: 5 %, 50 %, 95 %; None where beyond what is seen."""

    value: float
    strategy: str
    labels: int | None
    low: int | None
    high: int | None


class Lead(Strict):
    """From how many labelled rows on another contender is expected to lead."""

    labels: int
    strategy: str


class Finding(Strict):
    """What a pilot found.

    Attributes:
        strategy: the contender settled on; None where nothing could be measured.
        measure: key of the measure that leads; ``measure_title`` in words.
        labelled: rows that were there; ``equal_shares`` whether they hold every class alike.
        contenders: best first.
        stopped: why nothing more was measured.
        spent_seconds, budget_seconds, everything_seconds: forecast cost of what was measured, of what might have been,
            and of fitting every contender on all rows.
        processor_seconds: what the measurements took.
        rules: strategy that the rules alone recommend.
        measurable: whether that one was among the contenders.
        because: why this contender.
        first_labels: labels to collect first, where there are too few to measure with.
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    strategy: str | None
    model: str | None
    measure: str
    measure_title: str
    labelled: int
    equal_shares: bool = False
    contenders: list[Standing] = []
    stopped: Stop
    margin: float
    prefer: Prefer
    seed: int
    spent_seconds: float = 0.0
    budget_seconds: float = 0.0
    everything_seconds: float = 0.0
    processor_seconds: float = 0.0
    rules: str
    measurable: bool = True
    because: str
    target: Target | None = None
    leads: list[Lead] = []
    first_labels: int | None = None

    model_config = ConfigDict(populate_by_name=True)

    @classmethod
    def on_record(cls, found: Any) -> "Finding | None":
        """Return what `as_dict` gave, read back; None where there is none, or none of this version."""
        known = {name: value for name, value in found.items() if name not in _TOLD} if isinstance(found, dict) else None
        try:
            return cls.model_validate(known)
        except ValidationError:
            return None

    @property
    def decides(self) -> bool:
        """Whether the advice is the pilot's: something was measured, and what the rules recommend among it."""
        return self.strategy is not None and self.measurable

    @property
    def overrides(self) -> bool:
        """Whether the rules alone had said otherwise."""
        return self.decides and self.strategy != self.rules

    @property
    def sure(self) -> bool:
        """Whether the probability asked for was reached."""
        return self.stopped == "sure"

    def standing(self, strategy: str) -> Standing | None:
        """Return how a contender stands; None where it is none."""
        return next((one for one in self.contenders if one.strategy == strategy), None)

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        told = {name: getattr(self, name) for name in _TOLD}
        return {**self.model_dump(mode="json", by_alias=True), **told}
