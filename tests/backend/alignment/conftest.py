"""Tiny generators, and rows of every kind of feedback about the colours of things."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.devices import Device
from advisor.backend.rows import Rows, encode_rows
from advisor.knowledge.hyperparameters import default_values
from advisor.tasks import Demonstration, Judged, Label, Preferred
from tests.tiny_generator import CHAT_TEMPLATE, write_tiny_generator

COLOURS = {
    "sky": "blue", "sea": "green", "grass": "green", "sun": "yellow", "snow": "white", "coal": "black", "rose": "red",
    "frog": "green",
}  # fmt: skip
ASKED = [f"which colour has the {thing}?" for thing in COLOURS]
RIGHT = [f"it is {colour}." for colour in COLOURS.values()]
OTHER = "who cares about that"
QUICK = {
    "epochs": 4, "preference_epochs": 3, "learning_rate": 5e-3, "adapter_learning_rate": 2e-2, "batch_size": 8,
    "preference_learning_rate": 2e-4, "preference_adapter_learning_rate": 2e-3, "answer_tokens": 12, "recompute": False,
    "evaluations": 2,
}  # fmt: skip

MakeGenerator = Callable[..., Path]


@pytest.fixture(scope="session")
def cpu() -> Device:
    return Device("cpu", "fp32", "for tests")


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory) -> MakeGenerator:
    """Return a function that gives a tiny causal model's folder: ``generator("llama", chat=True)``."""
    folder = tmp_path_factory.mktemp("generators")

    @cache
    def make(kind: str = "llama", *, chat: bool = False, dtype: str = "float32") -> Path:
        place = folder / f"{kind}-{chat}-{dtype}"
        template = CHAT_TEMPLATE if chat else None
        return write_tiny_generator(
            place, [*ASKED, *RIGHT, OTHER], kind=kind, template=template, tokens=400, dtype=dtype
        )

    return make


def quick(**changes: object) -> AlignmentSettings:
    """Settings under which a tiny model learns in a few steps."""
    return AlignmentSettings.model_validate({**default_values("alignment"), **QUICK, **changes})


def rows_of(kind: str, times: int = 4) -> Rows:
    """Rows with demonstrations, pairs or thumbs."""
    made: dict[str, list[Label]] = {
        "demonstrations": [Demonstration((right,)) for right in RIGHT],
        "pairs": [Preferred(right, OTHER) for right in RIGHT],
        "thumbs": [Judged(right if number % 2 else OTHER, bool(number % 2)) for number, right in enumerate(RIGHT)],
    }
    task = "generation" if kind == "demonstrations" else "preference"
    count = times * len(ASKED)
    return encode_rows(task, ASKED * times, made[kind] * times, list(range(1, count + 1)), [])
