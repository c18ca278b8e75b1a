"""Typical texts: dense among their like, each of another kind, so that a few of them stand for all.

TypiClust (Hacohen, Dekel and Weinshall 2022, https://arxiv.org/abs/2202.02794): texts are clustered into as many groups
as there will be labelled ones, and of every group without a label the text is taken whose nearest neighbours in it are
nearest.
"""

from itertools import islice
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from advisor.backend.arrays import Floats, Indices


class Grouping(NamedTuple):
    """How texts are grouped.

    Attributes:
        neighbours: nearest ones in its group that a text's typicality is of.
        least: texts of a group that is more than a few outliers.
        most: groups.
    """

    neighbours: int
    least: int
    most: int


def typical(texts: Floats, labelled: Floats, count: int, grouping: Grouping, seed: int) -> Indices:
    """Return the numbers of ``count`` texts, or of all where they are fewer, those to label first before the others.

    Large groups that hold no labelled text come first, outliers last; a second text of a group comes after a first one
    of every group.

    Args:
        texts: (texts, hidden) features of those to choose from.
        labelled: (labelled, hidden) features of those that have a label.
        count: how many to choose.
        grouping: how to group them.
        seed: of the clusters.
    """
    every = np.concatenate([texts, labelled])
    clusters = min(len(labelled) + count, grouping.most, len(every))
    if not len(texts) or not count:
        return np.empty(0, dtype=np.int64)
    of = KMeans(clusters, n_init=1, random_state=seed).fit_predict(every)
    sizes, known = np.bincount(of, minlength=clusters), np.bincount(of[len(texts) :], minlength=clusters)
    own = of[: len(texts)]
    order = sorted(np.unique(own).tolist(), key=lambda one: (sizes[one] < grouping.least, known[one], -sizes[one]))
    ranked = [_most_typical(texts, np.flatnonzero(own == one), grouping.neighbours) for one in order]
    rounds = (some[place] for place in range(max(map(len, ranked))) for some in ranked if place < len(some))
    return np.fromiter(islice(rounds, count), dtype=np.int64)


def _most_typical(texts: Floats, members: Indices, neighbours: int) -> Indices:
    """Return the members of a group, those nearest to their nearest neighbours first."""
    near = min(neighbours, len(members) - 1)
    if near < 1:
        return members
    # Without an argument of its own a text is no neighbour of itself.
    distances, _ = NearestNeighbors(n_neighbors=near).fit(texts[members]).kneighbors()
    return members[np.argsort(distances.mean(axis=1), kind="stable")]
