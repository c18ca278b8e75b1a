"""Tuning by gradient steps: what full, partial, low-rank and probe-first tuning have in common."""

from typing import TYPE_CHECKING, cast

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import FitJob, Fitted, Strategy, TextLoad, Workload

if TYPE_CHECKING:
    from advisor.backend.tuned import TunedModel
    from advisor.backend.tuning import Learn


def tuning_work(
    model: BaseModelFacts,
    load: TextLoad,
    settings: TuningSettings,
    *,
    backward_passes: float,
    trained_parameters: int,
    stored_share: float = 1.0,
    forward_flops: float = 0.0,
) -> Workload:
    """Return the work of as many updates as the settings ask for.

    A backward pass through a layer costs two forward passes where its weights learn, for the gradients of inputs and
    of weights (Kaplan et al. 2020, arXiv 2001.08361, section 2.1), and one where they stay and something below learns.

    Args:
        model: what is tuned.
        load: the data.
        settings: how long and in which batches.
        backward_passes: cost of the backward pass in forward passes.
        trained_parameters: parameters with optimiser states.
        stored_share: share of the layers whose activations are kept for the backward pass.
        forward_flops: operations without gradients that come before.
    """
    updates = settings.updates(load.rows)
    tokens = updates * min(settings.batch_size, load.rows) * load.tokens
    return Workload(
        forward_flops=forward_flops,
        training_flops=(1 + backward_passes) * model.forward_flops(tokens, load.tokens),
        trained_parameters=trained_parameters,
        stored_tokens=stored_share * min(settings.batch_tokens, settings.batch_size * 2 * load.tokens),
        updates=updates,
    )


def adapter_parameters(model: BaseModelFacts, rank: int) -> int:
    """Return how many parameters adapters on every linear layer have: rank x (inputs + outputs) each."""
    attention, feed_forward = 4 * 2 * model.hidden, 2 * (model.hidden + model.intermediate)
    return model.layers * rank * (attention + feed_forward)


def tuned_parameters(model: BaseModelFacts, settings: TuningSettings) -> int:
    """Return how many parameters learn when every layer does."""
    return model.parameters - (model.embedding_parameters if settings.freeze_token_embeddings else 0)


def tune(job: FitJob, learn: "Learn | None" = None) -> "TunedModel":
    """Tune an encoder and a new head on the rows of a job, with its settings.

    Args:
        job: what to fit.
        learn: decides which weights learn; as the settings say if left out.
    """
    from advisor.backend.layers import freeze
    from advisor.backend.tuning import fine_tune

    settings = cast(TuningSettings, job.settings)
    weights = "balanced" if job.balanced else settings.class_weights
    return fine_tune(
        job.encoder,
        job.task,
        job.labels,
        job.training,
        job.validation,
        settings.model_copy(update={"max_length": job.max_length, "class_weights": weights}),
        seed=job.seed,
        measure=job.measure,
        device=job.device,
        learn=learn or freeze,
        checkpoints=job.workspace,
        progress=lambda step, steps, loss: job.progress(step, steps),
        on_event=job.event,
    )


class Tuning(Strategy):
    """A strategy whose weights learn by gradient steps on the labelled texts; its settings say which."""

    wants_validation = True
    whole_model = True
    settings = TuningSettings

    def fit(self, job: FitJob) -> Fitted:
        """Tune."""
        model = tune(job)
        return Fitted(model, {"evaluations": model.history, "head": model.head_note})
