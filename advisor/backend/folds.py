"""Folds of a cross-validation, and weights that make rare classes count as much as common ones."""

import numpy as np

from advisor.backend.arrays import Floats, Indices


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


def rarest_class(held: Floats) -> Indices:
    """Return of each row of zeros and ones (rows, classes) its rarest class, and the number of classes if it has none.

    Dealt out by these, every fold gets its share of rare classes (the order in which Sechidis et al. 2011,
    https://doi.org/10.1007/978-3-642-23808-6_10, deal out rows, in one pass).
    """
    counts = held.sum(axis=0)
    rarity = np.where(held > 0, counts, np.inf)
    rarest: Indices = np.where(held.any(axis=1), rarity.argmin(axis=1), held.shape[1]).astype(np.int64)
    return rarest


def balanced_weights(labels: Indices, classes: int) -> Floats:
    """Return rows / (classes present × rows of the class) a class, scikit-learn's formula; 0 without rows."""
    counts = np.bincount(labels, minlength=classes)
    weights: Floats = np.zeros(classes, dtype=np.float32)
    present = counts > 0
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights


def balanced_decisions(held: Floats) -> Floats:
    """Return the weight of each decision of (rows, classes) zeros and ones: yes and no of a class count alike in all."""
    yes = held.sum(axis=0)
    no = len(held) - yes
    both = (yes > 0) & (no > 0)
    for_yes = np.where(both, len(held) / (2 * np.maximum(yes, 1)), 1)
    for_no = np.where(both, len(held) / (2 * np.maximum(no, 1)), 1)
    weights: Floats = np.where(held > 0, for_yes, for_no).astype(np.float32)
    return weights
