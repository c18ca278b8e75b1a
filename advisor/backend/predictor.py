"""A fitted model as runs see it: inputs of a task in, one array of outputs out, whatever strategy made it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeGuard

from advisor.backend.alignment.settings import GENERATOR_DETAILS
from advisor.backend.arrays import Floats
from advisor.backend.devices import Device
from advisor.backend.head import HEAD_DETAILS
from advisor.backend.prompted.place import PROMPT_DETAILS
from advisor.backend.rows import Rows
from advisor.backend.within_memory import Progress
from advisor.tasks import TASKS, WRITING, Input


class Predictor(Protocol):
    """Anything that answers a task.

    Attributes:
        thresholds: probability from which a class holds, one a class, for multi-label alone.
    """

    thresholds: Floats | None

    @property
    def task(self) -> str:
        """Id of the task, a key of ``advisor.tasks.TASKS``."""
        ...

    @property
    def labels(self) -> list[str]:
        """Classes or tags in the order of the outputs' columns; empty for numbers and spans."""
        ...

    def outputs(self, inputs: Sequence[Input], progress: Progress | None = None) -> Floats:
        """Return float32 outputs, one line a row, or one line a word where words are tagged.

        Columns are probabilities of ``labels``; for a number its value in the label's own unit; for an answer in a
        context its first character, the one behind its last, and a score from 0 to 1.
        """
        ...

    def in_fp32(self) -> "Predictor":
        """Return the model computing as it does after export: in fp32."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that is needed to load it without this package."""
        ...


class Observed(NamedTuple):
    """What a model that writes made of rows.

    Attributes:
        numbers: a line a row, as `advisor.backend.evaluation` takes them for the task.
        texts: the answers that were written, empty where none was.
    """

    numbers: Floats
    texts: list[str]


class Writer(Predictor, Protocol):
    """A predictor that writes answers to prompts.

    Its ``outputs`` are numbers that another process must repeat for the same prompts.
    """

    def write(self, inputs: Sequence[Input], progress: Progress | None = None) -> list[str]:
        """Return an answer a prompt."""
        ...

    def observe(self, rows: Rows, progress: Progress | None = None) -> Observed:
        """Measure the model on rows with known answers."""
        ...


def writes(model: Predictor) -> TypeGuard[Writer]:
    """Whether a model's task is to write."""
    return TASKS[model.task].predicts in WRITING


def load_model(folder: Path, device: Device) -> Predictor:
    """Load the model that a run wrote to ``folder``.

    It is frozen where there is a ``head.json``, prompted where there is a ``prompt.json``, a generator where there is a
    ``generator.json``, else tuned.

    Raises:
        InputError: a file is absent or damaged.
    """
    if (folder / HEAD_DETAILS).exists():
        from advisor.backend.frozen import FrozenModel

        return FrozenModel.load(folder, device)
    if (folder / PROMPT_DETAILS).exists():
        from advisor.backend.prompted.model import PromptedModel

        return PromptedModel.load(folder, device)
    if (folder / GENERATOR_DETAILS).exists():
        from advisor.backend.alignment.generator import Generator

        return Generator.load(folder, device)
    from advisor.backend.tuned import TunedModel

    return TunedModel.load(folder, device)
