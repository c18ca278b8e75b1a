"""Alignment: a generator learns from demonstrations (SFT), preference pairs (DPO) or thumbs (KTO)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from advisor.backend.alignment.settings import AlignmentSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import ALIGNING, KEPT_HEAD, FitJob, Fitted, Passes, Strategy, TextLoad, Workload
from advisor.strategies.tuning import adapter_parameters

if TYPE_CHECKING:
    from advisor.backend.alignment.lessons import Stage


class Alignment(Strategy):
    """What SFT, DPO and KTO have in common; each trains adapters on a frozen generator, or all weights if asked.

    Attributes:
        stages: what the generator learns from, in order.
        texts_per_example: answers that an example of preferences or judgements holds.
    """

    family = "alignment"
    verb = "Align it"
    changes = "low-rank adapters of a generator, or all its weights"
    task_head = KEPT_HEAD
    encoder_tasks = frozenset()
    generator_tasks = ALIGNING
    wants_validation = True
    worth_a_part = True
    whole_model = True
    settings = AlignmentSettings
    settings_of = ("alignment",)
    stages: ClassVar[Sequence["Stage"]] = ("sft",)
    texts_per_example: ClassVar[float] = 1.0

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: AlignmentSettings) -> Workload:  # type: ignore[override]
        """Return the work of all stages; preference losses also pass every text through the frozen reference."""
        work = writing_work(model, load, settings)
        if len(self.stages) == 1:
            return work
        more = writing_work(model, load, settings, texts=self.texts_per_example)
        return more._replace(passes=work.passes + more.passes, updates=work.updates + more.updates)

    def fit(self, job: FitJob) -> Fitted:
        """Tune the generator stage by stage."""
        return align_generator(job, self.stages)


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
    stages = ("sft", "dpo")
    texts_per_example = 2.0


class Kto(Alignment):
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024, arXiv 2402.01306)."""

    id = "kto"
    title = "SFT, then learning from thumbs up and down (KTO)"
    trains = "Learn the approved answers, then from single judgements, near to the reference model."
    stages = ("sft", "kto")


def writing_work(
    model: BaseModelFacts, load: TextLoad, settings: AlignmentSettings, *, texts: float | None = None
) -> Workload:
    """Return the work of tuning a generator on prompts with answers.

    Args:
        model: what is tuned.
        load: rows, and tokens of a prompt with its answers.
        settings: how long and in which batches.
        texts: answers of a row of preferences or judgements, which a reference model reads once too; None for
            demonstrations.
    """
    each = texts or 1.0
    updates = settings.updates(load.rows, preferences=texts is not None)
    batch = min(settings.batch_size, load.rows) * each
    adapters = settings.weights == "adapters"
    learnt = Passes(
        updates * batch * load.tokens, load.tokens, 1.0 if adapters else 2.0, 1.0 if settings.recompute else 0.0
    )
    reference = (Passes(load.rows * each * load.tokens, load.tokens),) if texts else ()
    return Workload(
        passes=(*reference, learnt),
        updates=updates,
        trained_parameters=adapter_parameters(model, settings.rank) if adapters else model.parameters,
        stored_layers=model.layers,
        batch_texts=batch,
        batch_tokens=settings.batch_tokens,
        adapters=settings.rank if adapters else 0,
        recompute=settings.recompute,
        writes=True,
    )


def align_generator(job: FitJob, stages: Sequence["Stage"]) -> Fitted:
    """Tune the generator of a job on its rows, stage by stage."""
    from advisor.backend.alignment.fitting import align

    found = align(
        job.encoder,
        job.task,
        stages,
        job.training,
        job.validation,
        cast(AlignmentSettings, job.settings),
        seed=job.seed,
        device=job.device,
        workspace=job.workspace,
        max_length=job.max_length,
        progress=lambda step, steps, loss: job.progress(step, steps),
        on_event=job.event,
    )
    return Fitted(found.model, {"stages": found.stages})
