"""A budget: what a pilot may cost, as time or as a share of what fitting every contender would."""

import re
from typing import NamedTuple

from advisor.errors import InputError
from advisor.settings import load_settings

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Budget(NamedTuple):
    """Seconds of forecast cost, or a share of the cost of everything; by default a share, within bounds in seconds."""

    seconds: float | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """Read ``120``, ``90s``, ``2m``, ``1.5h`` or ``10%``; nothing is the default.

        Raises:
            InputError: it is none of these, or nothing at all.
        """
        if not text:
            return cls()
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+) ?(%|s|m|min|h)?", text.strip())
        if not found:
            raise InputError(
                f"--pilot {text}: this is no budget; write seconds (120), 2m, 1.5h or a share (10%) of fitting every "
                "contender, and name a profile before --pilot"
            )
        number, unit = float(found[1]), found[2] or ""
        if number == 0:
            raise InputError(f"--pilot {text}: nothing can be measured for nothing; leave --pilot out")
        return cls(share=number / 100) if unit == "%" else cls(seconds=number * _SECONDS[unit])

    def of(self, everything: float) -> float:
        """Return the seconds of forecast cost there are, where fitting every contender takes ``everything``."""
        if self.seconds is not None:
            return self.seconds
        if self.share is not None:
            return self.share * everything
        settings = load_settings("pilot.yaml")
        return float(min(max(settings["share"] * everything, settings["least_seconds"]), settings["most_seconds"]))
