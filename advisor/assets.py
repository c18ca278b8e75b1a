"""Where the rules, templates and example profiles lie: inside an installed wheel, or beside a checkout's package."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset(*parts: str) -> Path:
    """Return the path of a shipped file or folder, such as ``asset("rules", "thresholds.yaml")``."""
    installed = _PACKAGE / "assets"
    return (installed if installed.is_dir() else _PACKAGE.parent).joinpath(*parts)
