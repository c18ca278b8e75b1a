"""Hidden states of the texts read last, so that the folds of a cross-validation read each text once."""

from collections.abc import Sequence

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.encoder import Encoder
from advisor.backend.features import identity
from advisor.backend.within_memory import Progress
from advisor.settings import load_settings


class LayerMemory:
    """Vectors by text, of one encoder at a time; forgotten where more would be too many."""

    def __init__(self) -> None:
        self._of = ""
        self._vectors: dict[str, Floats] = {}

    def read(self, encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return what ``encoder.embed_layers`` does, (texts, layers + 1, hidden); only unseen texts are read."""
        reader = identity(encoder)
        if reader != self._of:
            self._of, self._vectors = reader, {}
        wanted = list(dict.fromkeys(texts))
        missing = [text for text in wanted if text not in self._vectors]
        each, most = (encoder.depth + 1) * encoder.hidden_size, load_settings("computing.yaml")["layer_memory_numbers"]
        if (len(self._vectors) + len(missing)) * each > most:
            self._vectors, missing = {}, wanted
        if missing:
            self._vectors |= zip(missing, encoder.embed_layers(missing, progress), strict=True)
        return np.stack([self._vectors[text] for text in texts])


MEMORY = LayerMemory()
