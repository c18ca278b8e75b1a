import csv
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from advisor.machine import Machine

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tests run side by side, one a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A property is not about how fast the machine is.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

TEXTS = {
    "praise": [
        "the parcel came early and everything was in it",
        "friendly people, they solved it within minutes",
        "best purchase of the year, we use it daily",
        "works exactly as promised, thank you",
        "my mother loves the large buttons",
        "setup took two minutes, well done",
        "a pleasure to use, even on my old phone",
        "they replaced the broken one without a question",
        "fast, quiet and pretty",
        "I would buy it again tomorrow",
    ],
    "complaint": [
        "the screen went black after one week",
        "nobody answers the phone, I gave up",
        "it arrived broken and late",
        "the update deleted all my notes",
        "far too expensive for what it does",
        "still waiting for my refund",
        "it crashes whenever I open the camera",
        "the buttons stick and the battery is dead by noon",
        "wrong colour, wrong size, no reply",
        "worst support I have ever had",
    ],
    "question": [
        "can I change the delivery address?",
        "does the warranty cover water damage?",
        "how do I reset the password?",
        "is there a version for the tablet?",
        "which plan includes the export?",
        "when will it be back in stock?",
        "do you ship to Norway?",
        "where do I find the invoice?",
        "could two people share one account?",
        "what is the difference between the two models?",
    ],
}


@pytest.fixture
def machine() -> Machine:
    """A machine that does not depend on the one the tests run on."""
    return Machine(cores=4, memory_bytes=16_000_000_000, units="avx2", gpu=False)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    monkeypatch.delenv("ADVISOR_LEDGER", raising=False)


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    """A folder with train.csv and test.csv: 24 and 6 customer messages, three labels."""
    folder = tmp_path / "messages"
    folder.mkdir()
    rows = [(text, label) for label, texts in TEXTS.items() for text in texts]
    for name, part in (
        ("train", [r for i, r in enumerate(rows) if i % 10 < 8]),
        ("test", [r for i, r in enumerate(rows) if i % 10 >= 8]),
    ):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows(part)
    return folder


@pytest.fixture(scope="session")
def architecture(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that gives a tiny model's folder, made once: ``architecture("roberta", head=True)``."""
    from tests.architectures import write_architecture

    folder = tmp_path_factory.mktemp("architectures")

    @cache
    def make(name: str, *, head: bool = False) -> Path:
        return write_architecture(folder / f"{name}-{'whole' if head else 'bare'}", name, head=head)

    return make
