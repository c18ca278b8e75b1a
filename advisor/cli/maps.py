"""What ``--map`` and ``--map-svg`` show: the decision map in characters, as data and as an image."""

from pathlib import Path
from typing import Any

from advisor.decision.advice import Advice
from advisor.errors import InputError
from advisor.files import write_text


def requested_map(advice: Advice, axes: str | None, svg: Path | None) -> dict[str, Any] | None:
    """Return the map asked for by ``X[,Y]``, and write it as an image where one is asked for; None where neither is.

    Raises:
        InputError: no such input, or more than two.
    """
    if axes is None and svg is None:
        return None
    from advisor.report.decision_map import decision_map

    names = [name.strip() for name in axes.split(",")] if axes else []
    if len(names) > 2:
        raise InputError(f"'{axes}': a map has two axes at most, such as labels,memory")
    found = decision_map(advice, *names)
    if found and svg:
        from advisor.report.documents import map_document

        write_text(svg, map_document(found, advice.profile.name))
    return found


def show_map(found: dict[str, Any] | None) -> None:
    """Print a map in characters."""
    if found:
        from advisor.report.console import console
        from advisor.report.map_text import map_text

        console().print()
        console().print(map_text(found))
