"""Where things are kept between commands: the user's folders for what can be made again and for what cannot."""

import os
from pathlib import Path

_OURS = "adaptation-advisor"


def cache_folder(name: str) -> Path:
    """Return a folder below ``$XDG_CACHE_HOME/adaptation-advisor``, or ``~/.cache`` where that is not set."""
    return _below("XDG_CACHE_HOME", ".cache") / name


def data_folder() -> Path:
    """Return ``$XDG_DATA_HOME/adaptation-advisor``, or that below ``~/.local/share`` where it is not set."""
    return _below("XDG_DATA_HOME", ".local/share")


def _below(variable: str, otherwise: str) -> Path:
    root = os.environ.get(variable)
    return (Path(root) if root else Path.home() / otherwise) / _OURS
