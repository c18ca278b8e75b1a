"""LoRA: low-rank adapters on every linear layer and a new head learn; the pre-trained weights stay."""

from pydantic import Field

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import READING, Strategy, TextLoad, Workload
from advisor.strategies.tuning import tuning_work


class LoraSettings(TuningSettings):
    """Tuning of low-rank adapters.

    Attributes:
        rank: rank of the update of every linear layer.
    """

    rank: int = Field(ge=1)


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
    settings = LoraSettings
    settings_of = ("full-fine-tuning", "lora")

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: LoraSettings) -> Workload:  # type: ignore[override]
        """Adapters alone."""
        return adapter_work(model, load, settings)


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
