"""The ledger's file: entries as JSON lines in the user's data folder, appended to by any number of processes."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from advisor.cache import data_folder
from advisor.errors import AdvisorError
from advisor.files import locked, write_text
from advisor.ledger.entry import LEDGER_SCHEMA, Entry
from advisor.settings import load_settings

VARIABLE = "ADVISOR_LEDGER"
_OFF = "off"


class Reading(NamedTuple):
    """What a ledger's file holds.

    Attributes:
        entries: oldest first, each id once; a plan's entry gives way to that of its run.
        damaged: lines that cannot be read, such as one torn by a crash.
        newer: lines that a newer advisor wrote.
    """

    entries: tuple[Entry, ...] = ()
    damaged: int = 0
    newer: int = 0


class Book:
    """A ledger's file; it need not be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, latest: int | None = None) -> Reading:
        """Return the entries, or the latest so many.

        Raises:
            AdvisorError: the file cannot be read.
        """
        try:
            lines = self._lines()
        except FileNotFoundError:
            return Reading()
        except OSError as failure:
            raise AdvisorError(
                f"{self.path}: the ledger cannot be read ({failure.strerror}); mend that, or set {VARIABLE}=off"
            ) from None
        found: dict[str, Entry] = {}
        damaged = newer = 0
        for line in lines[-latest:] if latest else lines:
            entry = _parse(line)
            if isinstance(entry, Entry):
                found.setdefault(entry.id, entry)
            elif entry == "newer":
                newer += 1
            elif line.strip():
                damaged += 1
        ran = {entry.plan for entry in found.values() if entry.kind == "run"}
        kept = (entry for entry in found.values() if entry.kind == "run" or entry.plan not in ran)
        return Reading(tuple(kept), damaged, newer)

    def append(self, entry: Entry) -> None:
        """Write an entry to the end, unless one of its id is there.

        A last line that a crash tore stays apart from it.

        Raises:
            OSError: the file cannot be written.
        """
        line = json.dumps(entry.as_dict(), ensure_ascii=False, allow_nan=False).encode()
        with locked(self._lock), self.path.open("ab+") as file:
            file.seek(0)
            content = file.read()
            if f'"id": "{entry.id}"'.encode() in content:
                return
            torn = content and not content.endswith(b"\n")
            file.write((b"\n" if torn else b"") + line + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def remove(self, unwanted: Callable[[Entry], bool]) -> list[Entry]:
        """Remove entries, and lines that cannot be read; return the entries removed.

        Lines that a newer advisor wrote stay.

        Raises:
            OSError: the file cannot be written.
        """
        if not self.path.exists():
            return []
        removed, kept = [], []
        with locked(self._lock):
            for line in self._lines():
                entry = _parse(line)
                if isinstance(entry, Entry) and unwanted(entry):
                    removed.append(entry)
                elif entry is not None:
                    kept.append(line)
            write_text(self.path, "".join(f"{line}\n" for line in kept))
        return removed

    def _lines(self) -> list[str]:
        # A project's name may hold other characters that end a line.
        return self.path.read_text(encoding="utf-8", errors="replace").removesuffix("\n").split("\n")

    @property
    def _lock(self) -> Path:
        """A file of its own: one that is put in place of the ledger would not be the one that others wait for."""
        return self.path.with_name(f".{self.path.name}.lock")


def open_book() -> Book | None:
    """Return the user's ledger: ``$ADVISOR_LEDGER``, or one in the data folder; None where that is ``off``."""
    named = os.environ.get(VARIABLE, "").strip()
    if named.lower() == _OFF:
        return None
    return Book(Path(named).expanduser() if named else data_folder() / "ledger.jsonl")


def latest_entries() -> tuple[Entry, ...]:
    """Return the latest entries of the user's ledger; none where it is off, absent or cannot be read."""
    book = open_book()
    try:
        return book.read(int(load_settings("ledger.yaml")["entries_read"])).entries if book else ()
    except AdvisorError:
        return ()


def runs(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that something was measured for."""
    return [entry for entry in entries if entry.kind == "run"]


def _parse(line: str) -> Entry | str | None:
    """Return the entry, ``newer`` for one of a later schema, None for a line that cannot be read."""
    try:
        found = json.loads(line)
        schema = found["schema"]
        return "newer" if isinstance(schema, int) and schema > LEDGER_SCHEMA else Entry.model_validate(found)
    except (ValueError, KeyError, TypeError):
        return None
