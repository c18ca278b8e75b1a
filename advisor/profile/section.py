"""A section of a profile: how a question is declared, and what an answer may look like."""

from typing import Any, get_args

from pydantic import ConfigDict, Field, JsonValue, ValidationInfo, field_validator, model_validator

from advisor.strict import Strict


def answer(question: str, *, why: str, unit: str = "", actionable: bool = False, **bounds: Any) -> Any:
    """Declare an input that may stay unknown.

    Args:
        question: how it is asked.
        why: what it decides, shown at ``?``.
        unit: unit of the value, empty for words.
        actionable: whether a team can change it, and so be offered a change as a way to another verdict.
        **bounds: pydantic's ``ge``, ``le``, ``gt`` and the like.
    """
    extra: dict[str, JsonValue] = {"question": question, "why": why, "unit": unit, "actionable": actionable}
    return Field(default=None, json_schema_extra=extra, description=f"{question} {why}", **bounds)


class Section(Strict):
    """A group of inputs; unknown keys are refused, the word ``unknown`` stands for no answer."""

    model_config = ConfigDict(allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _unknown(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {key: None if value == "unknown" else value for key, value in values.items()}

    @field_validator("*", mode="before")
    @classmethod
    def _no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a truth value where a number is asked for; pydantic would read 1 or 0."""
        kinds = get_args(cls.model_fields[str(info.field_name)].annotation)
        if isinstance(value, bool) and bool not in kinds and {int, float} & set(kinds):
            raise ValueError(f"'{str(value).lower()}' is not a number")
        return value
