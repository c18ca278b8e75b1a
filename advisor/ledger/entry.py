"""An entry of the ledger: one plan's forecast, and what its run measured; no text and no label of the data."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from advisor.knowledge.interval import Interval
from advisor.strict import Strict

LEDGER_SCHEMA: Literal[1] = 1
Work = Literal["passes", "updates", "asks"]


class Entry(Strict):
    """A line of the ledger.

    Attributes:
        id: of the entry: a plan's, or a run's.
        time: ISO 8601 in UTC.
        kind: ``plan`` where nothing has been measured.
        plan: digest of all that decides what the run does.
        data: start of the training file's SHA-256.
        labelled: rows in the training file; ``rows`` and ``rarest`` are those that the measured fits learnt from and
            those of the rarest class among them.
        judged: rows that quality was measured on.
        tokens_median, tokens_p95: of a text.
        work: ``passes`` where pre-trained weights stay, ``updates`` where they learn, ``asks`` where a language model
            is prompted.
        machine: fingerprint of the machine.
        device: what the forecast was for, ``cpu`` or ``gpu``; ``serving_device`` the same of answers, ``ran_on`` what
            the run took.
        basis: fingerprint of what forecasts were made from.
        forecast: intervals by quantity, as they were told; ``unadjusted`` those that past runs had not adjusted.
        measured: values by quantity.
        metric: the measure that leads; ``quality`` holds all measures by key.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True, allow_inf_nan=False)

    schema_: Literal[1] = Field(default=LEDGER_SCHEMA, alias="schema")
    id: str
    time: str
    kind: Literal["plan", "run"]
    plan: str
    advisor: str
    project: str
    task: str
    metric: str
    classes: int | None = None
    languages: list[str] | None = None
    tokens_median: float | None = None
    tokens_p95: float | None = None
    data: str
    labelled: int
    rows: float | None = None
    rarest: float | None = None
    judged: int | None = None
    strategy: str
    family: str
    engine: str
    model: str
    modifiers: list[str] = []
    work: Work
    machine: str
    device: str
    serving_device: str
    ran_on: str | None = None
    precision: str | None = None
    basis: str
    forecast: dict[str, dict[str, float] | None]
    unadjusted: dict[str, dict[str, float] | None] = {}
    measured: dict[str, float] = {}
    quality: dict[str, float] = {}
    resumed: bool = False

    @field_validator("time")
    @classmethod
    def _in_a_zone(cls, value: str) -> str:
        if datetime.fromisoformat(value).tzinfo is None:
            raise ValueError("a time without a zone")
        return value

    @field_validator("forecast", "unadjusted")
    @classmethod
    def _whole(cls, value: dict[str, dict[str, float] | None]) -> dict[str, dict[str, float] | None]:
        if any(found is not None and not found.keys() >= set(Interval._fields) for found in value.values()):
            raise ValueError("a forecast without one of its bounds")
        return value

    @property
    def reached(self) -> tuple[str, float] | None:
        """The measure that a forecast of quality is of, and its value: accuracy where there is one, else what leads."""
        key = "accuracy" if "accuracy" in self.quality else self.metric
        return (key, self.quality[key]) if key in self.quality else None

    def told(self, quantity: str) -> Interval | None:
        """Return a quantity's forecast, None where there was none."""
        return _interval(self.forecast.get(quantity))

    def first_told(self, quantity: str) -> Interval | None:
        """Return a quantity's forecast before past runs adjusted it."""
        return _interval(self.unadjusted.get(quantity) or self.forecast.get(quantity))

    def found(self, quantity: str) -> float | None:
        """Return a quantity's measurement, None where there was none."""
        if quantity == "quality":
            reached = self.reached
            return reached[1] if reached and reached[0] == "accuracy" else None
        return self.measured.get(quantity)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, as a line holds it."""
        return self.model_dump(by_alias=True, mode="json")


def _interval(found: dict[str, float] | None) -> Interval | None:
    return Interval(found["low"], found["point"], found["high"]) if found else None
