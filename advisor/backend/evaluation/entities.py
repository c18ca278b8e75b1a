"""Tags of words: F1, precision and recall of whole entities, and the accuracy of single tags."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.chunks import Chunks, TagSet
from advisor.backend.evaluation.classes import log_loss
from advisor.backend.evaluation.judgement import Judgement, Values, Weights, alike, class_table, macro_f1, ratio
from advisor.backend.evaluation.scores import ClassScores
from advisor.backend.rows import Rows


class Entities(Judgement):
    """Entities by conlleval's definition, found where start, end and type are all right.

    The mean F1 is over the types that are in the test set or predicted. The accuracy of tags is that of the tags as
    they are answered: repaired, as the true ones are.

    Args:
        outputs: (words in all, tags) probabilities, the sentences one after the other.
        rows: sentences with their true tags.
        labels: name of each tag.
        thresholds: not used; the most probable tag is the answer.
    """

    def __init__(self, outputs: Floats, rows: Rows, labels: Sequence[str], thresholds: Floats | None = None) -> None:
        self.outputs, self.tag_set = outputs, TagSet(labels)
        lengths = [len(tags) for tags in rows.targets]
        self.truth = np.concatenate(rows.targets).astype(np.int64)
        given = outputs.argmax(axis=1)
        sentence = np.repeat(np.arange(len(rows)), lengths)
        true, claimed = (self.tag_set.chunks(tags, lengths) for tags in (self.truth, given))
        right = np.isin(self._codes(true), self._codes(claimed))
        found = Chunks(*(part[right] for part in true))
        tags_right = self.tag_set.repaired(self.truth, lengths) == self.tag_set.repaired(given, lengths)
        tables = [self._by_sentence(chunks, sentence, len(rows)) for chunks in (found, true, claimed)]
        words = np.stack([np.bincount(sentence, weights=tags_right, minlength=len(rows)), lengths], axis=1)
        self.kinds, self.counts = alike(np.hstack([*tables, words]))

    def measures(self, weights: Weights) -> Values:
        """Return micro-F1, macro-F1, precision and recall of entities, and the accuracy of tags."""
        right, true, claimed, words = self._split(weights @ self.kinds)
        all_right, all_true, all_claimed = (part.sum(axis=-1) for part in (right, true, claimed))
        return {
            "micro_f1": ratio(2 * all_right, all_true + all_claimed),
            "macro_f1": macro_f1(right, true, claimed),
            "precision": ratio(all_right, all_claimed),
            "recall": ratio(all_right, all_true),
            "token_accuracy": ratio(words[..., 0], words[..., 1]),
        }

    def extras(self) -> dict[str, float]:
        """Return the log loss of a word."""
        return {"log_loss": log_loss(self.outputs, self.truth)}

    def classes(self) -> list[ClassScores]:
        """Return the table of types of entity."""
        right, true, claimed, _ = self._split(self.counts @ self.kinds)
        return class_table(self.tag_set.kinds, right, true, claimed)

    def _codes(self, chunks: Chunks) -> NDArray[np.int64]:
        """Return a number for each entity that no other start, end and type has."""
        words = len(self.truth) + 1
        return (chunks.kind * words + chunks.start) * words + chunks.end

    def _by_sentence(self, chunks: Chunks, sentence: NDArray[np.int64], sentences: int) -> NDArray[np.int64]:
        """Return (sentences, types) numbers of entities."""
        types = len(self.tag_set.kinds)
        cells = np.bincount(sentence[chunks.start] * types + chunks.kind, minlength=sentences * types)
        return cells.reshape(sentences, types)

    def _split(self, sums: Weights) -> tuple[Weights, Weights, Weights, Weights]:
        types = len(self.tag_set.kinds)
        parts = np.split(sums, [types, 2 * types, 3 * types], axis=-1)
        return parts[0], parts[1], parts[2], parts[3]
