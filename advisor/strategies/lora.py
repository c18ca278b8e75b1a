"""LoRA: low-rank adapters on every linear layer and a new head learn; the pre-trained weights stay."""

from functools import partial
from typing import cast

from advisor.backend.adapter_settings import LoraSettings
from advisor.backend.alignment.settings import AlignmentSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.alignment import align_generator, writing_work
from advisor.strategies.base import READING, FitJob, Fitted, Strategy, TextLoad, Workload
from advisor.strategies.tuning import adapter_parameters, tune, tuning_work


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
    generator_settings = AlignmentSettings
    generator_settings_of = ("alignment",)

    def workload(
        self,
        model: BaseModelFacts,
        load: TextLoad,
        settings: LoraSettings | AlignmentSettings,  # type: ignore[override]
    ) -> Workload:
        """Adapters alone."""
        if isinstance(settings, AlignmentSettings):
            return writing_work(model, load, settings)
        return adapter_work(model, load, settings)

    def fit(self, job: FitJob) -> Fitted:
        """Tune adapters and head; merge the adapters or keep them apart. A generator learns from demonstrations."""
        if isinstance(job.settings, AlignmentSettings):
            return align_generator(job, ("sft",))
        from advisor.backend.adapters import AdaptedModel, add_adapters, merge_adapters

        settings = cast(LoraSettings, job.settings)
        model = tune(job, partial(add_adapters, seed=job.seed, base=job.encoder))
        if settings.export == "adapter":
            model = AdaptedModel.around(model, job.encoder, settings)
        else:
            merge_adapters(model.model)
        return Fitted(model, {"evaluations": model.history, "head": model.head_note})


def adapter_work(model: BaseModelFacts, load: TextLoad, settings: LoraSettings) -> Workload:
    """Return the work of tuning adapters: gradients pass through every layer, and no frozen weight has one."""
    trained = adapter_parameters(model, settings.rank)
    return tuning_work(model, load, settings, backward=1.0, trained_parameters=trained, adapters=settings.rank)
