"""The details of a prompted model, in ``prompt.json``: what is asked, what is shown, where the language model is."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from advisor.backend.prompted.asking import Brief
from advisor.backend.prompted.place import PROMPT_DETAILS
from advisor.backend.prompted.settings import CalibrationName, Order, PromptedSettings, Selection
from advisor.tasks import TASKS


class KeptPlace(BaseModel):
    """Where the language model is, as `LanguageModelPlace` has it.

    Attributes:
        journal: name of the file beside the model's folder that holds what an endpoint answered already.
        sha256: of a local model's files; None for an endpoint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["llm-local", "llm-api"]
    name: str
    folder: str | None = None
    url: str | None = None
    key_variable: str | None = None
    context: int | None = None
    usd_per_million_in: float | None = None
    usd_per_million_out: float | None = None
    max_usd: float | None = None
    journal: Annotated[str, Field(pattern=r"^\w[\w.-]*\.jsonl$")] | None = None
    sha256: str | None = None


class PromptDetails(BaseModel):
    """The content of ``prompt.json``.

    Attributes:
        format: of the file.
        brief: what is asked.
        template_sha256: of ``prompt.j2``.
        model: the language model.
        encoder: catalogue name or folder of the encoder that finds similar rows, with its hash; None where none does.
        selection, order: how demonstrations are shown, ``selection`` None for none.
        fixed: for every question of a row, lines of ``demonstrations.jsonl``, from 0, that are shown to all.
        calibration, prior: (questions, choices) probabilities that are divided out; None with ``none``.
        thresholds: probability from which a class holds, one a class, for multi-label alone.
        settings: that the language model is opened with.
        chosen: what was measured; decides nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    format: Literal[1] = Field(default=1, alias="schema")
    brief: Brief
    template_sha256: str
    model: KeptPlace
    encoder: tuple[str, str] | None = None
    selection: Selection | None
    order: Order
    fixed: list[list[int]]
    calibration: CalibrationName
    prior: list[list[float]] | None = None
    thresholds: list[float] | None = None
    settings: PromptedSettings
    chosen: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> "PromptDetails":
        if self.brief.task not in TASKS:
            raise ValueError(f"no task is called '{self.brief.task}'")
        if (self.prior is None) != (self.calibration == "none"):
            raise ValueError("a prior goes with a calibration")
        if (self.thresholds is not None) != (TASKS[self.brief.task].predicts == "classes"):
            raise ValueError("thresholds go with multi-label, and with nothing else")
        if self.thresholds is not None and len(self.thresholds) != len(self.brief.labels):
            raise ValueError(f"{len(self.thresholds)} thresholds for {len(self.brief.labels)} labels")
        if self.selection == "retrieved" and self.encoder is None:
            raise ValueError("retrieved demonstrations need an encoder")
        return self


def kept_place(folder: Path) -> KeptPlace | None:
    """Return where the language model is that a prompted model's folder names; None where that cannot be read."""
    try:
        return PromptDetails.model_validate_json((folder / PROMPT_DETAILS).read_bytes()).model
    except (OSError, ValidationError):
        return None
