"""Results: what trials measured, as JSON lines that survive an interruption."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter

from advisor.errors import InputError
from advisor.tasks import TASKS

FoundT = TypeVar("FoundT")


class Situation(NamedTuple):
    """What is known of a draw of labels before anything is tried on it.

    Attributes:
        data: name of the data set.
        size: as it was asked for, see `Size`.
        classes: how many there are; 0 where the task has none.
        labelled: rows in the draw.
        rarest: rows of its rarest class; None where a row has not exactly one.
        tokens_median, tokens_p95: of the data's texts; None where not noted.
    """

    data: str
    size: str
    seed: int
    task: str
    classes: int
    labelled: int
    rarest: int | None
    tokens_median: int | None = None
    tokens_p95: int | None = None


_SITUATION = TypeAdapter(Situation)


@dataclass(frozen=True)
class Measurement:
    """What one trial reached and cost.

    Attributes:
        model: name of the pre-trained encoder.
        test_rows: rows it was measured on.
        values: the task's measures by key.
        seconds: processor seconds of fitting, with frozen features computed anew.
    """

    situation: Situation
    strategy: str
    model: str
    test_rows: int
    values: dict[str, float]
    seconds: float

    @property
    def value(self) -> float:
        """The task's leading measure."""
        return self.values[TASKS[self.situation.task].measures[0].key]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines, none where there is no file.

    A last line that does not end was torn by an interruption and is passed over.

    Raises:
        InputError: another line is no JSON object; the message names it.
    """
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise _broken(path, number)
        found.append(row)
    return found


def append_line(path: Path, row: dict[str, Any]) -> None:
    """Append an object; a last line that an interruption tore is cut off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, SEEK_END)
            if file.read() != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")


def read_checked(path: Path, check: Callable[[dict[str, Any]], FoundT]) -> list[FoundT]:
    """Return what ``check`` makes of every line of a file.

    Raises:
        InputError: it raises a KeyError, TypeError or ValueError at one, other than a torn last one; the message names
            the line.
    """
    found = []
    for number, row in enumerate(read_lines(path), start=1):
        try:
            found.append(check(row))
        except (KeyError, TypeError, ValueError):
            raise _broken(path, number) from None
    return found


def read_results(path: Path) -> list[Measurement]:
    """Return the measurements of a file.

    Raises:
        InputError: a line, other than a torn last one, is no measurement; the message names it.
    """
    return read_checked(path, measurement)


def measurement(row: dict[str, Any]) -> Measurement:
    """Return a line as a measurement.

    Raises:
        KeyError: it lacks something, or is of an unknown task.
        ValueError: something in it is of another kind, or no finite number.
    """
    situation = situation_of(row)
    measures = TASKS[situation.task].measures
    values = {measure.key: float(row[measure.key]) for measure in measures if measure.key in row}
    seconds = float(row["fit_processor_seconds"])
    if not all(map(math.isfinite, (seconds, values[measures[0].key]))):
        raise ValueError("not finite")
    return Measurement(situation, str(row["strategy"]), str(row["model"]), int(row["test_rows"]), values, seconds)


def situation_of(row: dict[str, Any]) -> Situation:
    """Return the situation that a line speaks of.

    Raises:
        KeyError: it is of an unknown task.
        ValueError: it lacks something, or something in it is of another kind.
    """
    found = _SITUATION.validate_python({name: row[name] for name in Situation._fields if name in row})
    if found.classes < 1 and TASKS[found.task].predicts in ("class", "classes"):
        raise ValueError("no classes")
    return found


def done(path: Path) -> set[tuple[str, str, str, int]]:
    """Return data, strategy, size and seed of a file of results; of choices, the policy in the place of the strategy.

    Raises:
        InputError: a line, other than a torn last one, is neither; the message names it.
    """
    return set(read_checked(path, _done))


def _done(row: dict[str, Any]) -> tuple[str, str, str, int]:
    return row["data"], row.get("policy") or row["strategy"], row["size"], row["seed"]


def _broken(path: Path, number: int) -> InputError:
    return InputError(f"{path}:{number}: not a measurement; remove the line, and the same command measures it again")
