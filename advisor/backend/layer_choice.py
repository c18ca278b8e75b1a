"""The layer whose vectors serve a task best, found cheaply on some of its rows."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from advisor.backend.arrays import Floats
from advisor.backend.axes import PrincipalAxes
from advisor.backend.encoder import Encoder
from advisor.backend.layer_memory import MEMORY
from advisor.backend.pairs import PairScale, combine
from advisor.backend.ridge import Ridge
from advisor.backend.settings import ProbeSettings
from advisor.backend.within_memory import Progress
from advisor.tasks import Input, Pair, Words


def choose_layers(
    encoder: Encoder,
    how: str,
    inputs: Sequence[Input],
    targets: NDArray[Any],
    settings: ProbeSettings,
    progress: Progress | None = None,
) -> tuple[tuple[int, ...], list[float]]:
    """Return the hidden states to average, none for the last, and the score of each where they were compared.

    ``best`` is the hidden state from which ridge regression predicts the targets best, class by class as zeros and
    ones, by the squared error of items left out in closed form: one decomposition a layer, nothing is trained. The last
    one stays where it is worse by less than ``settings.layer_sureness`` standard errors of the difference.

    Args:
        encoder: reads the inputs.
        how: ``last``, ``mean`` of all layers, or ``best``.
        inputs: rows to compare on, of one kind.
        targets: (items, columns) numbers, an item being a row, or a word where words are tagged.
        settings: strengths of the regression to try.
        progress: called with rows done and rows in all.

    Returns:
        numbers of hidden states from 0, the embeddings, none where the model does not give them; and their left-out
        errors as shares of the variance.
    """
    layers = encoder.depth
    if how != "last" and not encoder.shows_layers:
        return (), []
    if how == "mean":
        return tuple(range(1, layers + 1)), []
    if how == "last" or len(targets) < 2:
        return (), []
    states = _states(encoder, inputs, progress)
    errors = np.stack([_left_out_errors(states(layer), targets, settings) for layer in range(layers + 1)])
    best = int(errors.mean(axis=1).argmin())
    gains = errors[layers] - errors[best]
    sure = gains.mean() > settings.layer_sureness * gains.std() / np.sqrt(len(gains))
    spread = float(np.square(targets - targets.mean(axis=0)).sum(axis=1).mean()) or 1.0
    shares = [round(float(error), 4) for error in errors.mean(axis=1) / spread]
    return (best,) if best < layers and sure else (), shares


def _states(encoder: Encoder, inputs: Sequence[Input], progress: Progress | None) -> Any:
    """Return a function from the number of a hidden state to the features that it gives."""
    if isinstance(inputs[0], Pair):
        pairs = cast(Sequence[Pair], inputs)
        both = MEMORY.read(encoder, [pair.first for pair in pairs] + [pair.second for pair in pairs], progress)

        def stretched(layer: int) -> Floats:
            combined = combine(*np.split(both[:, layer], 2))
            return PairScale.of(combined).stretch(combined)

        return stretched
    if isinstance(inputs[0], tuple):
        of_words, _ = encoder.embed_word_layers(cast(Sequence[Words], inputs), progress)
        return lambda layer: of_words[:, layer]
    vectors = MEMORY.read(encoder, cast(Sequence[str], inputs), progress)
    return lambda layer: vectors[:, layer]


def _left_out_errors(features: Floats, targets: NDArray[Any], settings: ProbeSettings) -> Floats:
    """Return the squared error of each item when it is left out, at the strength that suits them all best."""
    axes = PrincipalAxes.of(features)
    ridge = Ridge(axes, targets)
    errors = [
        np.square(ridge.left_out_errors(strength * axes.variance)).sum(axis=1).astype(np.float32)
        for strength in settings.ridge_grid
    ]
    return min(errors, key=lambda error: float(error.mean()))
