"""Full fine-tuning: every weight of the encoder and a new head learn from the labels."""

from typing import cast

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import READING, FitJob, Fitted, Strategy, TextLoad, Workload
from advisor.strategies.tuning_work import tuned_parameters, tuning_work


class FullFineTuning(Strategy):
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
    wants_validation = True
    settings = TuningSettings

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: TuningSettings) -> Workload:  # type: ignore[override]
        """Forward and backward passes through everything."""
        return tuning_work(
            model, load, settings, backward_passes=2.0, trained_parameters=tuned_parameters(model, settings)
        )

    def fit(self, job: FitJob) -> Fitted:
        """Tune."""
        from advisor.backend.training import LabelledTexts
        from advisor.backend.tuning import fine_tune

        settings = cast(TuningSettings, job.settings)
        classifier = fine_tune(
            job.encoder,
            job.labels,
            LabelledTexts(job.texts, job.classes.tolist()),
            LabelledTexts(job.validation[0], job.validation[1].tolist()) if job.validation else None,
            settings.model_copy(
                update={
                    "max_length": job.max_length,
                    "class_weights": "balanced" if job.balanced else settings.class_weights,
                }
            ),
            seed=job.seed,
            metric=job.metric,
            device=job.device,
            checkpoints=job.workspace,
            progress=lambda step, steps, loss: job.progress(step, steps),
            on_event=job.event,
        )
        return Fitted(classifier, {"evaluations": classifier.history, "head": classifier.head_note})
