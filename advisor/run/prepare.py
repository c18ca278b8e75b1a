"""Prepared data: the plan's files checked against their hashes, labels numbered, rows split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advisor.data.reading import DataSource, LabelledData, load_labelled
from advisor.errors import RunError
from advisor.plan.plan import Plan, PlannedFile
from advisor.strategies import STRATEGIES


@dataclass(frozen=True)
class Rows:
    """Texts with their class numbers and their places in the file."""

    texts: list[str]
    classes: np.ndarray
    places: list[int]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, index: Sequence[int] | np.ndarray) -> "Rows":
        """Return some rows."""
        return Rows([self.texts[i] for i in index], self.classes[index], [self.places[i] for i in index])


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
    """

    labels: list[str]
    folds: list[Fold]
    measured: Rows


def prepare(plan: Plan, plan_folder: Path) -> Prepared:
    """Read the plan's data and split them as it says.

    Raises:
        RunError: a file changed since the plan was made.
        DataError: a file cannot be read.
    """
    data = _read(plan, plan_folder)
    labels = list(plan.labels)
    numbers = {label: number for number, label in enumerate(labels)}
    train = _rows(data.train.texts, data.train.classes, data.train.rows, numbers)
    split, seed = plan.data.split, plan.seed
    if data.test is not None:
        test = _rows(data.test.texts, data.test.classes, data.test.rows, numbers)
        return Prepared(labels, [_fold("final", train, test, plan)], test)
    if split.kind == "held-out":
        kept, held = stratified_split(train.classes, split.share or 0.0, seed)
        test = train.take(held)
        return Prepared(labels, [_fold("final", train.take(kept), test, plan)], test)
    if not STRATEGIES[plan.strategy].needs_labels:
        return Prepared(labels, [Fold("final", train, None, train)], train)
    folds = [
        _fold(f"fold-{number}", train.take(kept), train.take(held), plan)
        for number, (kept, held) in enumerate(stratified_folds(train.classes, split.folds or 2, seed), start=1)
    ]
    order = [place for fold in folds if fold.test for place in fold.test.places]
    by_place = {place: index for index, place in enumerate(train.places)}
    measured = train.take([by_place[place] for place in order])
    return Prepared(labels, [*folds, _fold("final", train, None, plan)], measured)


def stratified_split(classes: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split row numbers, class by class; a class with a single row stays whole in the first part.

    Returns:
        row numbers kept and held out, both ascending.
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(classes)
    single = np.flatnonzero(counts[classes] < 2)
    several = np.flatnonzero(counts[classes] >= 2)
    present = len(set(classes[several].tolist()))
    held_count = min(max(round(share * len(several)), present), len(several) - present)
    kept, held = train_test_split(several, test_size=held_count, random_state=seed, stratify=classes[several])
    return np.sort(np.concatenate([kept, single])), np.sort(held)


def stratified_folds(classes: np.ndarray, folds: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield row numbers kept and held out of each fold; a class with fewer rows than folds goes as far as it can."""
    import warnings

    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        yield from splitter.split(np.zeros(len(classes)), classes)


def _fold(name: str, training: Rows, test: Rows | None, plan: Plan) -> Fold:
    if not (STRATEGIES[plan.strategy].wants_validation and plan.data.split.validation_share):
        return Fold(name, training, None, test)
    kept, held = stratified_split(training.classes, plan.data.split.validation_share, plan.seed)
    return Fold(name, training.take(kept), training.take(held), test)


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
        )
    )
    for part, expected in ((data.train_part, planned.train), (data.test_part, planned.test)):
        if part is not None and expected is not None and part.sha256 != expected.sha256:
            raise RunError(f"{part.path} changed since the plan was made; make the plan again (advisor plan)")
    return data


def _located(file: PlannedFile, folder: Path) -> Path | str:
    """Return a file's path, or the hub id of ``owner/name (split)``, whose test split comes with it."""
    path = folder / file.path
    return path if path.exists() or path.suffix else file.path.rpartition(" (")[0]


def _rows(texts: list[str], labels: list[str], places: list[int], numbers: dict[str, int]) -> Rows:
    unknown = next((label for label in labels if label not in numbers), None)
    if unknown is not None:
        raise RunError(f"the data hold a label '{unknown}' that the plan does not name; make the plan again")
    return Rows(texts, np.array([numbers[label] for label in labels], dtype=np.int64), places)
