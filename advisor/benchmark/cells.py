"""Cells: a draw of labels with what every strategy reached on it, the ground that choices are judged on."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from advisor.benchmark.results import Measurement, Situation
from advisor.errors import InputError
from advisor.strategies import STRATEGIES


class Cell(NamedTuple):
    """One draw; ``values`` are of the task's leading measure, ``seconds`` processor seconds of fitting, by strategy."""

    situation: Situation
    values: dict[str, float]
    seconds: dict[str, float]

    @property
    def best(self) -> float:
        """What the best strategy in hindsight reached."""
        return max(self.values.values())

    def holds(self, field: Collection[str]) -> bool:
        """Return whether every strategy of a field that applies to the task was measured."""
        return all(strategy in self.values for strategy in field if applies(strategy, self.situation.task))


def applies(strategy: str, task: str) -> bool:
    """Return whether a strategy applies to a task on an encoder."""
    return STRATEGIES[strategy].handles(task, "encoder")


def cells_of(measurements: Iterable[Measurement]) -> list[Cell]:
    """Return the draws with labels, in the order of the data; what was measured on other test rows is another cell.

    What was measured without any row holds for every draw of the same data on which it was not measured again. A draw
    that holds the same rows as another (there are no more labels) counts once.

    Raises:
        InputError: the measurements are of several models.
    """
    drawn: dict[tuple[Any, ...], dict[str, Measurement]] = defaultdict(dict)
    unlabelled: dict[tuple[str, int], dict[str, Measurement]] = defaultdict(dict)
    models = set()
    for found in measurements:
        at = found.situation
        models.add(found.model)
        if at.labelled == 0:
            unlabelled[at.data, found.test_rows].setdefault(found.strategy, found)
        else:
            drawn[at.data, found.test_rows, at.seed, at.labelled, at.rarest or 0].setdefault(found.strategy, found)
    if len(models) > 1:
        raise InputError(
            f"measurements of several models ({', '.join(sorted(models))}); keep them in files of their own"
        )
    cells = []
    for (data, test_rows, *_), trained in sorted(drawn.items(), key=lambda item: item[0]):
        by_strategy = {**unlabelled[data, test_rows], **trained}
        situation = next(iter(trained.values())).situation
        cells.append(
            Cell(
                situation,
                {strategy: found.value for strategy, found in by_strategy.items()},
                {strategy: found.seconds for strategy, found in by_strategy.items()},
            )
        )
    return cells


def field_of(cells: Iterable[Cell]) -> list[str]:
    """Return the strategies that were measured anywhere, in their usual order."""
    found = {strategy for cell in cells for strategy in cell.values}
    return [strategy for strategy in STRATEGIES if strategy in found]


def complete_cells(cells: Iterable[Cell], field: Collection[str]) -> list[Cell]:
    """Return the cells in which at least all of a field was measured; fewer to choose from would flatter a choice."""
    return [cell for cell in cells if cell.holds(field) and len(cell.values) > 1]
