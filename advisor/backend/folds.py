"""Folds of a cross-validation: which rows are held out together."""

import numpy as np

from advisor.backend.arrays import Indices


def stratified_folds(labels: Indices, folds: int, generator: np.random.Generator) -> Indices:
    """Return the fold of each row, classes dealt out evenly; -1 for the only row of a class."""
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    shared = order[counts[labels[order]] > 1]
    fold = np.full(len(labels), -1, dtype=np.int64)
    fold[shared] = np.arange(len(shared)) % folds
    return fold


def grouped_folds(groups: Indices, folds: int, generator: np.random.Generator) -> Indices:
    """Return the fold of each row, rows of one group in one fold; -1 for all where there is a single group."""
    names, place = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return np.full(len(groups), -1, dtype=np.int64)
    of_group = np.empty(len(names), dtype=np.int64)
    of_group[generator.permutation(len(names))] = np.arange(len(names)) % folds
    fold: Indices = of_group[place]
    return fold


def some_rows(rows: int, groups: Indices | None, most: int, generator: np.random.Generator) -> Indices:
    """Return at most ``most`` row numbers drawn at random; whole groups, two at least, where there are groups."""
    if groups is None:
        return generator.permutation(rows)[:most]
    if rows <= most:
        return np.arange(rows)
    names, sizes = np.unique(groups, return_counts=True)
    order = generator.permutation(len(names))
    taken = max(2, int(np.searchsorted(sizes[order].cumsum(), most, side="right")))
    return np.flatnonzero(np.isin(groups, names[order[:taken]]))
