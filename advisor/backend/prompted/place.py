"""Where a language model is: in a folder on this machine, or behind an endpoint; no heavy import."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROMPT_DETAILS = "prompt.json"
"""The file of a model's folder that tells how a language model is prompted, and where it is."""


@dataclass(frozen=True)
class LanguageModelPlace:
    """Where to find a language model, and on which terms.

    Attributes:
        engine: ``llm-local`` or ``llm-api``.
        name: hub id or folder of a local model; the name an endpoint knows it by.
        folder: of a local model's files.
        url: base URL of an endpoint that speaks the OpenAI protocol, such as ``http://localhost:8000/v1``.
        key_variable: environment variable that holds the key; the key itself is written nowhere.
        context: tokens that fit, where the profile says so.
        usd_per_million_in, usd_per_million_out: prices of tokens.
        max_usd: what answers may cost in all; nothing is sent that could exceed it.
        journal: file that an endpoint's answers are kept in, so that none is paid for twice.
    """

    engine: Literal["llm-local", "llm-api"]
    name: str
    folder: Path | None = None
    url: str | None = None
    key_variable: str | None = None
    context: int | None = None
    usd_per_million_in: float | None = None
    usd_per_million_out: float | None = None
    max_usd: float | None = None
    journal: Path | None = None
