"""Full fine-tuning: every weight of the encoder and a new head learn from the labels."""

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import READING, TextLoad, Workload
from advisor.strategies.tuning import Tuning, tuned_parameters, tuning_work


class FullFineTuning(Tuning):
    """Fine-tuning of all weights by a recipe that is stable on small data."""

    id = "full-fine-tuning"
    family = "fine-tuning"
    title = "full fine-tuning"
    verb = "Fine-tune it"
    changes = "all weights of the encoder, and a new head"
    task_head = "a classification head on the mean of the tokens where the encoder was pre-trained so, else on [CLS]"
    trains = "Tune all weights with warm-up and enough steps; keep the best checkpoint, stop early."
    encoder_tasks = READING
    generator_tasks = frozenset({"generation"})

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: TuningSettings) -> Workload:  # type: ignore[override]
        """Forward and backward passes through everything."""
        return tuning_work(
            model, load, settings, backward_passes=2.0, trained_parameters=tuned_parameters(model, settings)
        )
