"""The result of a run: what was measured, beside what was forecast; kept as ``result.json``."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from advisor.errors import InputError


class Result(BaseModel):
    """What a run found.

    Attributes:
        task: id of the task.
        metric: key of the measure that leads.
        metrics: the task's measures with 95 % bootstrap intervals; besides, without a width, such as ``log_loss``.
        classes: precision, recall, F1 and support of each class, label or type of entity; empty for other tasks.
        confusion: ``labels``, and ``rows`` true by predicted; None but for single classes.
        baseline: the same measures of an answer that takes no model and, where it applies and is not the strategy
            itself, of zero-shot; of a generator that is tuned, of itself before that (``untuned``) and, where
            preferences come after demonstrations, in between (``after-sft``).
        differences: of the last two, by how much the model is above them, with 95 % intervals of a paired bootstrap.
        seeds: the same measures of fits with other seeds.
        forecast, measured: train_seconds, train_memory_bytes, latency_ms_p50, latency_ms_p95, quality (measured: the
            leading measure).
        adjusted: by quantity, how many past runs had adjusted its forecast.
        chosen: what fitting chose on the way.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal[1] = Field(default=1, alias="schema")
    project: str
    task: str = "text-classification"
    metric: str = "accuracy"
    strategy: str
    family: str
    model: dict[str, Any]
    data: dict[str, Any]
    metrics: dict[str, dict[str, float]]
    classes: list[dict[str, Any]]
    confusion: dict[str, Any] | None
    baseline: dict[str, dict[str, float]]
    differences: dict[str, dict[str, dict[str, float]]] = {}
    seeds: dict[str, dict[str, float]] = {}
    forecast: dict[str, dict[str, float] | None]
    adjusted: dict[str, int] = {}
    measured: dict[str, float]
    chosen: dict[str, Any]
    device: dict[str, str]
    parity: dict[str, float]
    seed: int
    resumed: bool
    versions: dict[str, str]
    files: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, as ``result.json`` holds it."""
        return self.model_dump(by_alias=True, mode="json")


def read_result(folder: Path) -> Result:
    """Read the result of a finished run.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / "result.json"
    try:
        return Result.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder} holds no finished run (no result.json)") from None
    except ValueError:
        raise InputError(f"{path} is damaged; run the plan again in another folder") from None
