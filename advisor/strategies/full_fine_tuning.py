"""Full fine-tuning: every weight of the encoder and a new head learn from the labels."""

from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.alignment import align_generator, writing_work
from advisor.strategies.base import READING, FitJob, Fitted, TextLoad, Workload
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
    generator_settings = AlignmentSettings
    generator_settings_of = ("alignment", "alignment-of-all-weights")

    def workload(
        self,
        model: BaseModelFacts,
        load: TextLoad,
        settings: TuningSettings | AlignmentSettings,  # type: ignore[override]
    ) -> Workload:
        """Forward and backward passes through everything."""
        if isinstance(settings, AlignmentSettings):
            return writing_work(model, load, settings)
        return tuning_work(model, load, settings, backward=2.0, trained_parameters=tuned_parameters(model, settings))

    def fit(self, job: FitJob) -> Fitted:
        """Tune everything; a generator learns from demonstrations."""
        if isinstance(job.settings, AlignmentSettings):
            return align_generator(job, ("sft",))
        return super().fit(job)
