"""A prompted language model as it is served: prompt, demonstrations, calibration; the weights stay where they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.devices import Device
from advisor.backend.prompted.asking import ScoredAsking, WrittenAsking
from advisor.backend.prompted.calibration import Calibration
from advisor.backend.prompted.demonstrations import Way
from advisor.backend.prompted.interview import Interview
from advisor.backend.prompted.language_model import Usage
from advisor.backend.prompted.opening import open_language_model
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.settings import PromptedSettings
from advisor.backend.within_memory import Progress
from advisor.tasks import Input

if TYPE_CHECKING:
    from advisor.backend.prompted.endpoint import Endpoint

WINDOW = 1024


@dataclass
class PromptedModel:
    """A language model that is asked in a task's words.

    Attributes:
        interview: asks.
        way: how demonstrations are shown.
        calibration: of the probabilities of scored answers.
        place: where the language model is.
        device: where a local one computes.
        settings: that it was opened with.
        thresholds: probability from which a class holds, one a class, for multi-label alone.
        chosen: what was measured and chosen.
    """

    interview: Interview
    way: Way
    calibration: Calibration
    place: LanguageModelPlace
    device: Device
    settings: PromptedSettings
    thresholds: Floats | None = None
    chosen: dict[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """Id of the task."""
        return self.interview.asking.brief.task

    @property
    def labels(self) -> list[str]:
        """Classes or tags in the order of the outputs' columns; empty for numbers and spans."""
        return list(self.interview.asking.brief.labels)

    def outputs(
        self, inputs: Sequence[Input], progress: Progress | None = None, unseen: Sequence[Input] | None = None
    ) -> Floats:
        """Return the outputs of the task, see `advisor.backend.predictor`; windows of rows bound the memory.

        Args:
            inputs: rows.
            progress: called with rows done and rows in all.
            unseen: a row an input that is not shown to it as a demonstration, nor any that reads the same.
        """
        found: list[Floats] = [np.zeros((0, self._width), dtype=np.float32)]
        for start in range(0, len(inputs), WINDOW):
            window = inputs[start : start + WINDOW]

            def report(done: int, total: int, start: int = start, rows: int = len(window)) -> None:
                if progress:
                    progress(start + rows * done // max(total, 1), len(inputs))

            found.append(self._answers(window, report, unseen[start : start + WINDOW] if unseen else None))
        return np.concatenate(found)

    def in_fp32(self) -> "PromptedModel":
        """Return the model computing in fp32, opened again where it computes in bf16 on this machine."""
        if self.place.url is not None or not self.device.bf16:
            return self
        exact = self.device.in_fp32()
        model = open_language_model(self.place, exact, self.settings)
        return replace(self, interview=replace(self.interview, model=model), device=exact)

    def save(self, folder: Path) -> None:
        """Write ``prompt.j2``, ``demonstrations.jsonl`` and, last, ``prompt.json`` to ``folder``, made if absent."""
        from advisor.backend.prompted.keeping import save_prompted

        save_prompted(self, folder)

    @classmethod
    def load(cls, folder: Path, device: Device) -> "PromptedModel":
        """Read what :meth:`save` wrote, and open the language model that it names.

        Raises:
            InputError: a file is absent or damaged, or the language model is not there or another one.
        """
        from advisor.backend.prompted.keeping import load_prompted

        return load_prompted(folder, device)

    @property
    def used(self) -> Usage:
        """What the answers took since it was opened, those that a server had given before, too."""
        return self._server.answered if self._server else self.interview.model.usage

    @property
    def spent_usd(self) -> float | None:
        """What a server's answers have cost in all, None where that is not known or nothing is paid."""
        return self._server.spent_usd if self._server else None

    @property
    def answer_seconds(self) -> list[float]:
        """What each of a server's answers took; empty where the model computes here, or answered nothing yet."""
        return self._server.seconds if self._server else []

    @property
    def _server(self) -> "Endpoint | None":
        return cast("Endpoint", self.interview.model) if self.place.url else None

    @property
    def _width(self) -> int:
        return len(self.labels) or {"question-answering": 3, "generation": 2}.get(self.task, 1)

    def _answers(self, inputs: Sequence[Input], progress: Progress, unseen: Sequence[Input] | None) -> Floats:
        asking = self.interview.asking
        if isinstance(asking, WrittenAsking):
            return asking.outputs(inputs, self.interview.written(inputs, self.way, unseen, progress))
        assert isinstance(asking, ScoredAsking)
        probabilities = self.interview.probabilities(inputs, self.way, unseen, progress)
        return asking.outputs(self.calibration.apply(probabilities))
