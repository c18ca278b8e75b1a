"""Where things are kept between commands: the user's cache folder."""

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return a folder below ``$XDG_CACHE_HOME/adaptation-advisor``, or ``~/.cache`` where that is not set."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "adaptation-advisor" / name
