"""Past runs as cells of the outlook's prior: the user's own results beside the shipped ones."""

from collections.abc import Iterable
from itertools import islice

from advisor.ledger.past import PastRun
from advisor.pilot.cells import HERE, Cell, classes_of
from advisor.settings import load_settings
from advisor.tasks import TASKS


def past_cells(runs: Iterable[PastRun], task: str, encoder: str, data: str | None = None) -> tuple[Cell, ...]:
    """Return what the nearest past runs on the same encoder measured, as far as they are similar enough.

    Args:
        runs: of the task at hand, most similar first.
        task: its id.
        encoder: the one at hand.
        data: SHA-256 of the training file at hand, or its start; runs on it are measurements of the data themselves.
    """
    settings = load_settings("ledger.yaml")
    cells = (
        Cell(
            data=HERE if data and data.startswith(run.data) else f"your {run.project}, {run.data}",
            strategy=run.strategy,
            per_class=run.rows / classes_of(task, run.classes or 1),
            classes=classes_of(task, run.classes or 1),
            value=max(run.value, 0.0),
            judged=run.judged,
            task=task,
        )
        for run in runs
        if run.measure == TASKS[task].measures[0].key
        and run.model == encoder
        and run.similarity >= settings["similar_enough"]
    )
    return tuple(islice(cells, int(settings["evidence_runs"])))
