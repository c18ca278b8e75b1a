"""Rows of the rule base: decisions, objections, modifiers, base models, requirements; thresholds, evidence too."""

import re
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from advisor.knowledge.conditions import Condition
from advisor.knowledge.layers import Placed
from advisor.knowledge.vocabulary import Value, in_words

Family = Literal["prompting", "freezing", "fine-tuning", "alignment"]
ModifierId = Literal["domain-adaptive-pretraining", "multi-seed", "retrieval", "distillation"]
Strength = Literal["strong", "conditional"]
Certainty = Literal["high", "moderate", "low", "very low"]
PLACEHOLDER = re.compile(r"{([a-z_.0-9]+)}")


def _day(value: Any) -> Any:
    """Take a date only in the form that a person reads at once; pydantic takes numbers too."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"'{value}' is not a date such as 2026-11-23") from None


Day = Annotated[date, BeforeValidator(_day)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Row(Placed):
    """A row with an id, a reason in words and a typed condition."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Its name: lower-case words and hyphens.")
    because: str = Field(description="The reason shown; {fact} stands for a fact's value.")

    _condition: Condition = PrivateAttr()

    @cached_property
    def condition(self) -> Condition:
        """The typed condition; cached, because pydantic looks up a private attribute slowly."""
        return self._condition

    def reason(self, facts: dict[str, Value]) -> str:
        """Return ``because`` with the facts it names filled in."""
        return PLACEHOLDER.sub(lambda match: in_words(match[1], facts.get(match[1])), self.because)


class Rule(Row):
    """A row of the decision table: when it holds and no higher row does, its strategy is recommended."""

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    recommend: str = Field(description="The strategy.")
    priority: int = Field(ge=0, le=100, strict=True, description="Of the rows that hold, the highest decides.")
    strength: Strength = Field(description="How firmly to follow it; a strong verdict is never contested.")
    certainty: Certainty = Field(description="How sure the evidence is, by GRADE's four levels.")
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")
    note: str | None = Field(default=None, description="What to bear in mind when following it.")


class Objection(Row):
    """Evidence against a verdict of some families: where it holds, such a verdict is contested."""

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    against: list[Family] = Field(min_length=1, description="Families of verdicts that it speaks against.")
    favours: str = Field(description="The strategy it speaks for.")
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")


class Modifier(Row):
    """What a plan carries besides its strategy, where it holds."""

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    adds: ModifierId = Field(description="What is added.")
    to: list[str] = Field(min_length=1, description="Families or strategies whose plans carry it.")
    certainty: Certainty = Field(description="How sure the evidence is, by GRADE's four levels.")
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")


class ModelRow(Row):
    """A base model to choose, by priority, or one worth considering besides."""

    when: dict[str, Any] = Field(description="The condition; every line must hold, {} always does.")
    kind: Literal["encoder", "generator"] = Field(description="What the model is for.")
    choose: str | None = Field(default=None, description="The model to take, of models.yaml.")
    consider: str | None = Field(default=None, description="The model to name besides, of models.yaml.")
    priority: int = Field(
        default=0, ge=0, le=100, strict=True, description="Of the rows that hold, the highest chooses."
    )
    evidence: list[str] = Field(min_length=1, description="Findings of evidence.yaml.")

    @model_validator(mode="after")
    def _one_model(self) -> "ModelRow":
        if (self.choose is None) == (self.consider is None):
            raise ValueError("a row names one model, to choose or to consider")
        return self


class Requirement(Row):
    """What a strategy needs before it may be recommended at all."""

    needs: dict[str, Any] = Field(description="The condition; known to fail, it rules the strategy out.")


class Threshold(Placed):
    """A number that rules compare with: its value, the range the evidence leaves open, and where it comes from."""

    value: Number
    range: tuple[Number, Number]
    unit: str
    source: str
    measured: Day

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("a range goes from low to high")
        return value


class Evidence(Placed):
    """A finding that rules cite."""

    claim: str
    conditions: str
    design: Literal["benchmark", "controlled experiment", "case study", "reports of users"]
    certainty: Certainty
    rated_down: str | None = None
    source: str
    read: Literal["raw scores recomputed", "paper body", "abstract", "summary", "code", "measured here"]
    review_by: Day


class Assumption(Placed):
    """The value taken for an unanswered input, and why it is the careful one."""

    value: bool | int | float | str
    because: str
