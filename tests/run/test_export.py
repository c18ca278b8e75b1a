"""The exported model must say what the measured one said; numbers may be off by what rounding makes of their size."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.errors import RunError
from advisor.run.export import check_parity


@pytest.fixture
def reading_back(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set what the fresh process says of the exported model."""

    def said(outputs: list[list[float]]) -> None:
        done = subprocess.CompletedProcess([], 0, json.dumps(outputs), "")
        monkeypatch.setattr("advisor.run.export.subprocess.run", lambda *arguments, **options: done)

    return said


def compared(task: str, expected: list[list[float]]) -> float:
    return check_parity(Path("model"), task, ["a", "b"], [], np.array(expected, dtype=np.float32), 1e-4)


def test_prices_are_compared_by_their_size(reading_back: Any) -> None:
    reading_back([[250_000.02], [90_000.0]])
    assert compared("regression", [[250_000.0], [90_000.0]]) == pytest.approx(0.02 / 250_000, rel=0.5)
    reading_back([[250_000.0], [90_100.0]])
    with pytest.raises(RunError, match=r"differs from the one that was measured by 0\.0004"):
        compared("regression", [[250_000.0], [90_000.0]])


def test_small_numbers_and_probabilities_are_compared_as_they_are(reading_back: Any) -> None:
    reading_back([[0.5], [0.5003]])
    for task in ("regression", "text-classification"):
        with pytest.raises(RunError, match=r"differs from the one that was measured by 0\.0003"):
            compared(task, [[0.5], [0.5]])


def test_places_of_answers_are_never_off(reading_back: Any) -> None:
    reading_back([[90_001.0, 90_009.0, 0.5]])
    with pytest.raises(RunError, match="by 1 "):
        compared("question-answering", [[90_000.0, 90_009.0, 0.5]])
