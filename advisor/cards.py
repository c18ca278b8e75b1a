"""The graphics cards of this machine, as NVIDIA's driver lists them; no numerical library is loaded."""

from pathlib import Path
from typing import NamedTuple

_LISTED = Path("/proc/driver/nvidia/gpus")
_QUERY = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")
_MIB = 1 << 20
_PATIENCE_SECONDS = 20


class Card(NamedTuple):
    """One card: its name, its memory and the driver's version, where they are known."""

    name: str
    memory_bytes: int | None
    driver: str | None


def card_names(listed: Path = _LISTED) -> tuple[str, ...]:
    """Return the names of the cards in the driver's order, read from its own files; empty where there are none."""
    names = []
    for path in sorted(listed.glob("*/information")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        names += [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Model:")]
    return tuple(names)


def cards() -> tuple[Card, ...]:
    """Return the cards as ``nvidia-smi`` lists them, by name alone where that is not there or fails."""
    # Commands that only want names are spared this import.
    import shutil
    import subprocess

    tool = shutil.which("nvidia-smi")
    if tool:
        try:
            done = subprocess.run(
                [tool, *_QUERY], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True
            )
            return tuple(filter(None, map(read_card, done.stdout.splitlines())))
        except (OSError, subprocess.SubprocessError):
            pass
    return tuple(Card(name, None, None) for name in card_names())


def read_card(line: str) -> Card | None:
    """Read a line such as ``NVIDIA A100-SXM4-40GB, 40960, 550.54``; None where it is none."""
    parts = [part.strip() for part in line.split(",")]
    if len(parts) != len(Card._fields) or not parts[0]:
        return None
    return Card(parts[0], int(parts[1]) * _MIB if parts[1].isdigit() else None, parts[2] or None)
