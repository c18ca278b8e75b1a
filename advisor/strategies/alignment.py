"""Alignment: a generator learns from demonstrations (SFT), preference pairs (DPO) or thumbs (KTO)."""

from typing import ClassVar

from advisor.backend.adapter_settings import LoraSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import ALIGNING, Strategy, TextLoad, Workload
from advisor.strategies.lora import adapter_work


class Alignment(Strategy):
    """What SFT, DPO and KTO have in common; each trains adapters on a frozen generator, or all weights if asked.

    Attributes:
        reference_passes: passes through the frozen reference model for each pass through the trained one.
        texts_per_example: answers that an example holds.
    """

    family = "alignment"
    verb = "Align it"
    changes = "low-rank adapters of a generator, or all its weights"
    task_head = "none; the language-model head stays, because the task is what it was pre-trained for"
    encoder_tasks = frozenset()
    generator_tasks = ALIGNING
    wants_validation = True
    worth_a_part = True
    settings = LoraSettings
    settings_of = ("full-fine-tuning", "lora", "alignment")
    reference_passes: ClassVar[float] = 0.0
    texts_per_example: ClassVar[float] = 1.0

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: LoraSettings) -> Workload:  # type: ignore[override]
        """Adapters learn; preference losses also pass every text through the frozen reference."""
        examples = load._replace(tokens=load.tokens * self.texts_per_example)
        return adapter_work(model, examples, settings, self.reference_passes)


class Sft(Alignment):
    """Supervised fine-tuning on demonstrations."""

    id = "sft"
    title = "supervised fine-tuning on demonstrations (SFT)"
    trains = "Learn to write the demonstrations, given their prompts."


class Dpo(Alignment):
    """Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290)."""

    id = "dpo"
    title = "SFT, then direct preference optimisation (DPO)"
    trains = "Learn the preferred answers, then to prefer them over the rejected ones, near to the reference model."
    reference_passes = 1.0
    texts_per_example = 2.0


class Kto(Alignment):
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024, arXiv 2402.01306)."""

    id = "kto"
    title = "SFT, then learning from thumbs up and down (KTO)"
    trains = "Learn the approved answers, then from single judgements, near to the reference model."
    reference_passes = 1.0
