"""Prepared data: the plan's files checked against their hashes, labels numbered, rows split."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from advisor.backend.rows import Rows, encode_rows, strata
from advisor.data.examples import Examples, context_of
from advisor.data.reading import DataSource, LabelledData, load_labelled
from advisor.errors import RunError
from advisor.plan.plan import Plan, PlannedFile
from advisor.run.recording import Learnt
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS


@dataclass(frozen=True)
class Fold:
    """One fit with what it is measured on; the final fit of a cross-validation is measured on nothing."""

    name: str
    training: Rows
    validation: Rows | None
    test: Rows | None


@dataclass(frozen=True)
class Prepared:
    """The data of a run.

    Attributes:
        folds: fits in order; the last is the one that is exported.
        measured: the rows that quality is measured on, in the order of the folds' test rows.
        unlabelled: texts without a label.
    """

    labels: list[str]
    folds: list[Fold]
    measured: Rows
    unlabelled: list[str] = field(default_factory=list)


def prepare(plan: Plan, plan_folder: Path) -> Prepared:
    """Read the plan's data and split them as it says.

    Raises:
        RunError: a file changed since the plan was made.
        DataError: a file cannot be read.
    """
    data = _read(plan, plan_folder)
    labels = list(plan.labels)
    train = _rows(plan, data.train)
    split, seed = plan.data.split, plan.seed
    if data.test is not None:
        test = _rows(plan, data.test)
        return Prepared(labels, [_fold("final", train, test, plan)], test, data.unlabelled)
    if split.kind == "held-out":
        kept, held = split_rows(plan.task, train, split.share or 0.0, seed)
        test = train.take(held)
        return Prepared(labels, [_fold("final", train.take(kept), test, plan)], test, data.unlabelled)
    if not STRATEGIES[plan.strategy].needs_labels:
        return Prepared(labels, [Fold("final", train, None, train)], train, data.unlabelled)
    folds = [
        _fold(f"fold-{number}", train.take(kept), train.take(held), plan)
        for number, (kept, held) in enumerate(fold_rows(plan.task, train, split.folds or 2, seed), start=1)
    ]
    order = [place for fold in folds if fold.test for place in fold.test.places]
    by_place = {place: index for index, place in enumerate(train.places)}
    measured = train.take([by_place[place] for place in order])
    return Prepared(labels, [*folds, _fold("final", train, None, plan)], measured, data.unlabelled)


def learnt(plan: Plan, data: Prepared) -> Learnt:
    """Return what the fits that quality is measured on learn from, rows that validate included; the mean over fits."""
    if not STRATEGIES[plan.strategy].needs_labels:
        return Learnt(0.0, None)
    fits = [
        [rows for rows in (fold.training, fold.validation) if rows is not None]
        for fold in data.folds
        if fold.test is not None
    ]
    rarest = None
    if TASKS[plan.task].predicts == "class":
        counts = (
            np.bincount(np.concatenate([rows.targets for rows in fit]), minlength=len(data.labels)) for fit in fits
        )
        rarest = fmean(float(count.min()) for count in counts)
    return Learnt(fmean(float(sum(map(len, fit))) for fit in fits), rarest)


def split_rows(task: str, rows: Rows, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split row numbers by `strata`; the only row of a stratum stays in the first part.

    Questions about one context, and answers to one prompt, stay together: else they would be seen before they are asked
    for. Where there is no second one, rows are split as they come.

    Returns:
        row numbers kept and held out, both ascending.
    """
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    groups = strata(task, rows)
    if groups is None:
        contexts = _contexts(rows)
        together = contexts if contexts.any() else np.arange(len(rows))
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        kept, held = next(splitter.split(rows.targets, groups=together))
        return np.sort(kept), np.sort(held)
    counts = np.bincount(groups)
    single = np.flatnonzero(counts[groups] < 2)
    several = np.flatnonzero(counts[groups] >= 2)
    present = len(set(groups[several].tolist()))
    held_count = min(max(round(share * len(several)), present), len(several) - present)
    kept, held = train_test_split(several, test_size=held_count, random_state=seed, stratify=groups[several])
    return np.sort(np.concatenate([kept, single])), np.sort(held)


def validated(task: str, training: Rows, share: float, seed: int) -> tuple[Rows, Rows | None]:
    """Return the rows to learn from and, where the share is not 0, those of them held out to choose a checkpoint."""
    if not share:
        return training, None
    kept, held = split_rows(task, training, share, seed)
    return training.take(kept), training.take(held)


def fold_rows(task: str, rows: Rows, folds: int, seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield row numbers kept and held out of each fold; a stratum with fewer rows than folds goes as far as it can.

    Rows of one context stay together; there are no more folds than contexts, and none of a single one.
    """
    import warnings

    from sklearn.model_selection import GroupKFold, StratifiedKFold

    groups = strata(task, rows)
    if groups is None:
        contexts = _contexts(rows)
        folds = min(folds, int(contexts.max(initial=-1)) + 1)
        if folds > 1:
            yield from GroupKFold(folds, shuffle=True, random_state=seed).split(rows.targets, groups=contexts)
        return
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        yield from splitter.split(np.zeros(len(groups)), groups)


def _contexts(rows: Rows) -> NDArray[np.int64]:
    """Return a number a row, the same where the context or the prompt is."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(context_of(one), len(numbers)) for one in rows.inputs], dtype=np.int64)


def _fold(name: str, training: Rows, test: Rows | None, plan: Plan) -> Fold:
    share = plan.data.split.validation_share if STRATEGIES[plan.strategy].wants_validation else 0.0
    return Fold(name, *validated(plan.task, training, share, plan.seed), test)


def _read(plan: Plan, folder: Path) -> LabelledData:
    planned = plan.data
    source = _located(planned.train, folder)
    apart = planned.test if planned.test and isinstance(source, Path) else None
    data = load_labelled(
        DataSource(
            path=source,
            test=Path(_located(apart, folder)) if apart else None,
            text_column=planned.text_column,
            label_column=planned.label_column,
            pair_column=planned.pair_column,
        ),
        plan.task,
    )
    for part, expected in ((data.train_part, planned.train), (data.test_part, planned.test)):
        if part is not None and expected is not None and part.sha256 != expected.sha256:
            raise RunError(f"{part.path} changed since the plan was made; make the plan again (advisor plan)")
    return data


def _located(file: PlannedFile, folder: Path) -> Path | str:
    """Return a file's path, or the hub id of ``owner/name (split)``, whose test split comes with it."""
    path = folder / file.path
    return path if path.exists() or path.suffix else file.path.rpartition(" (")[0]


def _rows(plan: Plan, examples: Examples) -> Rows:
    try:
        return encode_rows(plan.task, examples.inputs, examples.labels, examples.rows, list(plan.labels))
    except KeyError as unknown:
        label = unknown.args[0]
        raise RunError(f"the data hold a label '{label}' that the plan does not name; make the plan again") from None
