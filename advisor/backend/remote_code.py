"""Folders whose own Python code may run while their model is loaded: those that a person named, and no others."""

from pathlib import Path

_ALLOWED: set[Path] = set()


def allow(folder: Path) -> None:
    """Let the code in ``folder`` run from now on; that it is the code that was agreed to is for the caller to check."""
    _ALLOWED.add(folder.resolve())


def allowed(folder: Path) -> bool:
    """Whether the code in ``folder`` may run; what every ``from_pretrained`` is told."""
    return folder.resolve() in _ALLOWED
