"""The folder of a benchmark: its results, its choices, and what all of them share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from advisor.errors import InputError
from advisor.files import write_json

RESULTS, CHOICES = "results.jsonl", "choices.jsonl"
_SETUP = "benchmark.json"


class Digests(NamedTuple):
    """SHA-256 of a data set's training and test file; the same where test rows are held out."""

    train: str
    test: str


class Setup(BaseModel):
    """What all results of a folder share; strategies, sizes, seeds and data may be added to later."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = 1
    model: str
    device: str
    rows: int
    test_rows: int
    data: dict[str, Digests]


def open_folder(folder: Path, setup: Setup) -> None:
    """Begin a benchmark's folder, or go on in one whose results were measured alike.

    Raises:
        InputError: they were not; the message says what differs.
    """
    path = folder / _SETUP
    before = _read(path) if path.exists() else None
    if before:
        _insist(folder, _shared(before), _shared(setup))
        _insist(folder, {name: before.data[name] for name in before.data if name in setup.data}, setup.data)
    known = before.data if before else {}
    write_json(path, setup.model_copy(update={"data": {**known, **setup.data}}).model_dump(mode="json"))


def _shared(setup: Setup) -> dict[str, Any]:
    return {name: getattr(setup, name) for name in ("model", "device", "rows", "test_rows")}


def _insist(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if value != now[name]:
            what = f"other rows of '{name}'" if isinstance(value, tuple) else f"{name.replace('_', ' ')} {value}"
            raise InputError(f"{folder}: its results are of {what}; name another folder by -o")


def _read(path: Path) -> Setup:
    try:
        return Setup.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError:
        raise InputError(f"{path}: not the settings of a benchmark; name another folder by -o") from None
