"""A journal of a pilot: what was measured once, by what it was measured on, is not measured again."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from advisor.cache import cache_folder
from advisor.decision.finding import Finding
from advisor.errors import RunError
from advisor.files import write_text

_DIGITS = 24


class Journal:
    """Measurements as JSON lines, one written as soon as it is made; lines that are none are passed over.

    Args:
        folder: of one pilot, see `pilot_folder`.
        seed: of its parts and fits.

    Raises:
        RunError: the file cannot be read.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.path = folder, folder / f"seed-{seed}.jsonl"
        self._lines: dict[str, dict[str, Any]] = {}
        for line in self._read():
            try:
                found = json.loads(line)
                values = {name: float(found[name]) for name in ("value", "processor_seconds")}
            except (ValueError, LookupError, TypeError):
                continue
            if all(map(math.isfinite, values.values())) and isinstance(found.get("trial"), str):
                self._lines[found["trial"]] = values

    def measured(self, trial: str) -> dict[str, float] | None:
        """Return what a trial found, or None."""
        return self._lines.get(trial)

    def add(self, trial: str, value: float, processor_seconds: float) -> None:
        """Keep what a trial found.

        Raises:
            RunError: the file cannot be written.
        """
        self._lines[trial] = {"value": value, "processor_seconds": processor_seconds}
        line = json.dumps({"trial": trial, **self._lines[trial]}) + "\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                if file.tell() and not self.path.read_bytes().endswith(b"\n"):
                    line = f"\n{line}"
                file.write(line.encode())
        except OSError as error:
            raise RunError(f"{self.path} cannot be written ({error.strerror}); make room and start again") from None

    def _read(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(f"{self.path} cannot be read ({error.strerror}); remove what is in the way") from None


def pilot_folder(facts: dict[str, Any]) -> Path:
    """Return where a pilot is kept: the same data, contenders, settings and version give the same folder."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    return cache_folder("pilots") / digest[:_DIGITS]


def keep(folder: Path, finding: Finding) -> None:
    """Keep what a finished pilot found, for a plan of the same data."""
    write_text(folder / "finding.json", finding.model_dump_json(indent=1) + "\n")


def kept(folder: Path) -> Finding | None:
    """Return what the last finished pilot found; None where there is none that can be read."""
    try:
        return Finding.model_validate_json((folder / "finding.json").read_bytes())
    except (OSError, ValueError):
        return None
