"""Partial unfreezing: the top layers of the encoder and a new head learn, all below stays as it was pre-trained."""

import math

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import READING, TextLoad, Workload
from advisor.strategies.tuning import Tuning, tuning_work


class PartialUnfreezing(Tuning):
    """Freezing of all but the top layers."""

    id = "partial-unfreezing"
    family = "freezing"
    title = "tuning the top layers alone"
    verb = "Freeze most of it"
    changes = "the top layers and a new head; embeddings and lower layers stay"
    task_head = "a classification head on the mean of the tokens where the encoder was pre-trained so, else on [CLS]"
    trains = "Tune the top layers and the head with warm-up and enough steps; keep the best checkpoint, stop early."
    encoder_tasks = READING
    settings_of = ("full-fine-tuning", "partial-unfreezing")

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: TuningSettings) -> Workload:  # type: ignore[override]
        """A forward pass through every layer, a backward pass and stored activations only for the trained ones."""
        layers = math.ceil(settings.trained_share * model.layers)
        share = layers / model.layers
        return tuning_work(
            model,
            load,
            settings,
            backward=2 * share,
            trained_parameters=round(share * model.body_parameters),
            layers=layers,
        )
