"""What can go wrong, as one tree; each leaf knows the exit code it ends a command with.

    AdvisorError                 1  the work itself failed
    ├── InputError               2  something the user wrote or pointed at is not usable
    │   ├── DocumentError        2  a YAML document: file:line:column, the line, a caret
    │   └── DataError            2  a data file: file and row
    ├── NoFeasibleStrategy       3  every strategy is ruled out
    ├── Undecided                4  answers are missing that decide
    ├── RuleBaseError            5  a rule file is not valid
    └── RunError                 1  a run stopped and says how to go on

A message is one sentence or two: what, where, what to do.
"""

from collections.abc import Iterable
from pathlib import Path

_SHOWN = 100
"""Characters of a long line that are shown."""


class AdvisorError(Exception):
    """The work failed; the message is written for the user."""

    exit_code = 1


class InputError(AdvisorError):
    """Something the user wrote or pointed at is not usable."""

    exit_code = 2


class DocumentError(InputError):
    """A YAML document breaks its schema or YAML itself.

    The message reads ``path:line:column: text``, followed by the line and a caret below the place.
    """

    def __init__(self, text: str, path: Path | str, line: int = 1, column: int = 1, source: str = "") -> None:
        self.text, self.path, self.line, self.column = text, str(path), line, column
        message = f"{path}:{line}:{column}: {text}"
        if source:
            start = max(0, column - _SHOWN // 2) if len(source) > _SHOWN else 0
            message += f"\n    {source[start : start + _SHOWN]}\n    {' ' * (column - 1 - start)}^"
        super().__init__(message)


class DataError(InputError):
    """A data file cannot be read as labelled text; the message names the file and, where it helps, the row."""


class NoFeasibleStrategy(AdvisorError):
    """Every strategy is ruled out; ``requirement`` names the one that stands in the way of most, where it is known."""

    exit_code = 3

    def __init__(self, text: str, requirement: str | None = None) -> None:
        self.requirement = requirement
        super().__init__(text)


class Undecided(AdvisorError):
    """The answers at hand do not decide; the message lists the ones that would, ``missing`` names them."""

    exit_code = 4

    def __init__(self, text: str, missing: Iterable[str] = ()) -> None:
        self.missing = tuple(missing)
        super().__init__(text)


class RuleBaseError(DocumentError):
    """A rule file is not valid."""

    exit_code = 5


class RunError(AdvisorError):
    """A run stopped; the message says what to do next."""
