"""LoRA: low-rank adapters on every linear layer and a new head learn; the pre-trained weights stay."""

from functools import partial
from typing import cast

from advisor.backend.adapter_settings import LoraSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import READING, FitJob, Fitted, Strategy, TextLoad, Workload
from advisor.strategies.tuning import tune, tuning_work


class Lora(Strategy):
    """Freezing with low-rank adapters (Hu et al. 2021, arXiv 2106.09685)."""

    id = "lora"
    family = "freezing"
    title = "low-rank adapters (LoRA)"
    verb = "Freeze it and add adapters"
    changes = "low-rank adapters on all linear layers and a new head; every pre-trained weight stays"
    task_head = "a task head as for full fine-tuning; none for generation"
    trains = "Tune the adapters at about ten times full tuning's learning rate; merge them or keep them apart."
    encoder_tasks = READING
    generator_tasks = frozenset({"generation"})
    wants_validation = True
    worth_a_part = True
    whole_model = True
    settings = LoraSettings
    settings_of = ("full-fine-tuning", "lora")

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: LoraSettings) -> Workload:  # type: ignore[override]
        """Adapters alone."""
        return adapter_work(model, load, settings)

    def fit(self, job: FitJob) -> Fitted:
        """Tune adapters and head; merge the adapters or keep them apart."""
        from advisor.backend.adapters import AdaptedModel, add_adapters, merge_adapters

        settings = cast(LoraSettings, job.settings)
        model = tune(job, partial(add_adapters, seed=job.seed, base=job.encoder))
        if settings.export == "adapter":
            model = AdaptedModel.around(model, job.encoder, settings)
        else:
            merge_adapters(model.model)
        return Fitted(model, {"evaluations": model.history, "head": model.head_note})


def adapter_work(
    model: BaseModelFacts, load: TextLoad, settings: LoraSettings, reference_passes: float = 0.0
) -> Workload:
    """Return the work of tuning adapters; an adapter has rank x (inputs + outputs) parameters.

    Gradients pass through every layer, and no frozen weight has one.
    """
    attention, feed_forward = 4 * 2 * model.hidden, 2 * (model.hidden + model.intermediate)
    return tuning_work(
        model,
        load,
        settings,
        backward_passes=1.0,
        trained_parameters=model.layers * settings.rank * (attention + feed_forward),
        reference_passes=reference_passes,
    )
