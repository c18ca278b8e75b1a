"""Past runs as cells of the outlook's prior: the user's own results beside the shipped ones."""

from collections.abc import Iterable
from itertools import islice

from advisor.knowledge.hyperparameters import load_ledger_settings
from advisor.ledger.past import PastRun
from advisor.pilot.cells import HERE, Cell

_MEASURE = "accuracy"


def past_cells(runs: Iterable[PastRun], encoder: str, data: str | None = None) -> tuple[Cell, ...]:
    """Return what the nearest past runs on the same encoder measured, as far as they are similar enough.

    Args:
        runs: of the task at hand, most similar first.
        encoder: the one at hand.
        data: SHA-256 of the training file at hand, or its start; runs on it are measurements of the data themselves.
    """
    settings = load_ledger_settings()
    cells = (
        Cell(
            data=HERE if data and data.startswith(run.data) else f"your {run.project}, {run.data}",
            strategy=run.strategy,
            per_class=run.per_class,
            classes=run.classes,
            value=run.value,
            judged=run.judged,
        )
        for run in runs
        if run.measure == _MEASURE
        and run.classes
        and run.model == encoder
        and run.similarity >= settings["similar_enough"]
    )
    return tuple(islice(cells, int(settings["evidence_runs"])))
