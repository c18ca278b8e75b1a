"""Tiny language models, each written once, and prompts for them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from advisor.backend.prompted.prompt import Prompt, Turn
from tests.language_models import write_language_model

CHOICES = ["praise", "complaint", "a question", "complaint about delivery"]
PROMPTS = [
    Prompt(
        "Say which of these it is: praise, complaint, a question.",
        (Turn("Text: it broke, nobody answers", "complaint"), Turn("Text: well done", "praise")),
        f"Text: {text}",
        "Label:",
    )
    for text in (
        "the screen went black",
        "thank you, my mother loves the large buttons and would buy it again tomorrow",
        "do you ship to Norway?",
        "schön, 5 € – naïve",
        "nobody",
    )
]


@pytest.fixture(scope="session")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives a tiny language model's folder: ``language_model("gpt2")``."""
    folder = tmp_path_factory.mktemp("language-models")

    @cache
    def make(name: str) -> Path:
        return write_language_model(folder / name, name)

    return make
