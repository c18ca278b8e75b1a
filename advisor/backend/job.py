"""What fitting takes and gives, free of profiles, rules and plans; no heavy import."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from advisor.tasks import Measure

if TYPE_CHECKING:
    from advisor.backend.devices import Device
    from advisor.backend.predictor import Predictor
    from advisor.backend.prompted.place import LanguageModelPlace
    from advisor.backend.rows import Rows


@dataclass(frozen=True)
class FitJob:
    """All that fitting needs, free of profiles, rules and plans.

    Attributes:
        encoder: folder of the pre-trained encoder, also where a language model is prompted: it finds similar rows.
        task: id of the task.
        labels: classes or tags in the order of their numbers; empty for numbers and spans.
        descriptions: one line about a label, by name, where there is one.
        training: rows to learn from.
        validation: held-out rows for choosing a checkpoint, where the strategy wants them.
        settings: the strategy's hyper-parameters.
        balanced: whether labels are weighted inversely to how often they occur.
        measure: what makes one checkpoint better than another.
        workspace: folder for checkpoints; survives a crash, so that fitting goes on from there.
        cache: folder for frozen features, None to keep none.
        place: where the language model is that is prompted; None where the encoder is.
        template: of its prompt.
        progress: called with steps done and in all.
        event: called with facts worth logging.
    """

    encoder: Path
    task: str
    labels: Sequence[str]
    descriptions: dict[str, str]
    training: "Rows"
    validation: "Rows | None"
    settings: BaseModel
    seed: int
    device: "Device"
    workspace: Path
    cache: Path | None
    max_length: int | None = None
    balanced: bool = False
    measure: Measure | None = None
    place: "LanguageModelPlace | None" = None
    template: str | None = None
    progress: Callable[[int, int], None] = lambda done, total: None
    event: Callable[[dict[str, Any]], None] = lambda event: None


@dataclass(frozen=True)
class Fitted:
    """A fitted model, and what was chosen on the way."""

    model: "Predictor"
    chosen: dict[str, Any] = field(default_factory=dict)
