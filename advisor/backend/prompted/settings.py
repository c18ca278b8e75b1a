"""Settings of prompting language models; their values come from the rules."""

from typing import Annotated, Literal

from pydantic import Field

from advisor.backend.settings import Settings

Selection = Literal["fixed", "retrieved"]
Order = Literal["forward", "reversed"]
CalibrationName = Literal["none", "contextual", "batch"]
LabelSets = Literal["auto", "each", "list"]


class PromptSettings(Settings):
    """How prompts are made, and which ways are compared on labelled rows.

    Attributes:
        instruction: what the task asks, in the project's own words; stands before the rest, empty for nothing.
        demonstrations: most demonstrations in a prompt.
        selections: ways to choose them that are compared: ``fixed``, the same balanced ones for every row, or
            ``retrieved``, the ones most similar to the row. The first is taken where nothing can be measured.
        orders: orders that are compared: ``forward``, the most similar last, or ``reversed``.
        calibrations: what is compared of ``none``, ``contextual`` and ``batch``.
        content_free: inputs that say nothing, for contextual calibration.
        prior_floor: least probability that a calibration divides by.
        verbalisers: most wordings of a label that are scored; an endpoint is asked about one.
        label_sets: how several labels are asked for: ``each`` in a question of its own, all in one ``list``, or
            ``auto``, by list where every prompt is paid for.
        levels: most levels of the scale that numbers are answered on.
        pool: most rows that similar ones are looked for in.
        written_tokens: most tokens of a written answer.
        measured_rows: labelled rows that ways are compared on.
        paid_rows: the same where every prompt is paid for.
        attacked_rows: rows whose label injections try to flip.
        injections: what is appended to them, with ``{answer}`` in it.
    """

    instruction: str
    demonstrations: Annotated[int, Field(ge=1)]
    selections: Annotated[tuple[Selection, ...], Field(min_length=1)]
    orders: Annotated[tuple[Order, ...], Field(min_length=1)]
    calibrations: Annotated[tuple[CalibrationName, ...], Field(min_length=1)]
    content_free: Annotated[tuple[str, ...], Field(min_length=1)]
    prior_floor: Annotated[float, Field(gt=0, lt=0.5)]
    verbalisers: Annotated[int, Field(ge=1)]
    label_sets: LabelSets
    levels: Annotated[int, Field(ge=2)]
    pool: Annotated[int, Field(ge=1)]
    written_tokens: Annotated[int, Field(ge=1)]
    measured_rows: Annotated[int, Field(ge=0)]
    paid_rows: Annotated[int, Field(ge=0)]
    attacked_rows: Annotated[int, Field(ge=0)]
    injections: tuple[Annotated[str, Field(pattern=r"\{answer\}")], ...]


class EndpointSettings(Settings):
    """How an endpoint is asked.

    Attributes:
        concurrency: requests under way at once.
    """

    concurrency: Annotated[int, Field(ge=1)]


class PromptedSettings(PromptSettings, EndpointSettings):
    """All of it."""
