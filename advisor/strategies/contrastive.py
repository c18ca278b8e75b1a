"""Contrastive tuning: the encoder learns from pairs of texts which belong together, then a head is fitted."""

import math

from pydantic import Field

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import CLASSIFYING, Strategy, TextLoad, Workload


class ContrastiveSettings(TuningSettings):
    """Tuning on pairs.

    Attributes:
        pairs_per_text: pairs that a text stands in, over the whole training.
        most_steps: updates at most.
    """

    pairs_per_text: int = Field(ge=1)
    most_steps: int = Field(ge=1)


class Contrastive(Strategy):
    """Fine-tuning by pairs, in the manner of SetFit (Tunstall et al. 2022, arXiv 2209.11055)."""

    id = "contrastive"
    family = "fine-tuning"
    title = "contrastive tuning, then a head"
    verb = "Fine-tune it on pairs"
    changes = "all weights of the encoder, by pairs of texts; then a new linear head"
    task_head = "a linear layer on the text vectors that the tuned encoder gives"
    trains = "Draw texts of one class together and others apart, then fit a head on the features."
    encoder_tasks = CLASSIFYING
    settings = ContrastiveSettings
    settings_of = ("full-fine-tuning", "contrastive")

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: ContrastiveSettings) -> Workload:  # type: ignore[override]
        """Two texts a pair, forward and backward, and one pass for the head."""
        pairs = load.rows * settings.pairs_per_text / 2
        updates = max(1, min(settings.most_steps, math.ceil(pairs / settings.batch_size)))
        tokens = 2 * updates * settings.batch_size * load.tokens
        return Workload(
            forward_flops=model.forward_flops(load.rows * load.tokens, load.tokens),
            training_flops=3 * model.forward_flops(tokens, load.tokens),
            trained_parameters=model.body_parameters,
            stored_tokens=min(settings.batch_tokens, 2 * settings.batch_size * 2 * load.tokens),
            updates=updates,
        )
