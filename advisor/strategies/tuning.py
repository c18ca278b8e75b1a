"""Tuning by gradient steps: what full, partial, low-rank and probe-first tuning have in common."""

from typing import TYPE_CHECKING, cast

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import FitJob, Fitted, Passes, Strategy, TextLoad, Workload

if TYPE_CHECKING:
    from advisor.backend.tuned import TunedModel
    from advisor.backend.tuning import Learn


def tuning_work(
    model: BaseModelFacts,
    load: TextLoad,
    settings: TuningSettings,
    *,
    backward: float,
    trained_parameters: int,
    layers: int | None = None,
    adapters: int = 0,
    probed: bool = False,
) -> Workload:
    """Return the work of as many updates as the settings ask for, and of looking at the validation rows meanwhile.

    A backward pass through a layer costs two forward passes where its weights learn, for the gradients of inputs and
    of weights (Kaplan et al. 2020, arXiv 2001.08361, section 2.1), and one where they stay and something below learns.

    Args:
        model: what is tuned.
        load: the data.
        settings: how long and in which batches.
        backward: cost of the backward pass in forward passes.
        trained_parameters: parameters with optimiser states.
        layers: that keep activations for the backward pass; all of them if left out.
        adapters: rank of low-rank adapters.
        probed: whether a pass over the rows comes before.
    """
    held_out = Tuning.validation_share(load.rows)
    rows = load.rows * (1 - held_out)
    texts = min(settings.batch_size, rows)
    updates = settings.updates(rows)
    looked_at = settings.evaluations * held_out * load.rows + (rows if probed else 0.0)
    return Workload(
        passes=(
            Passes(looked_at * load.tokens, load.tokens),
            Passes(updates * texts * load.tokens, load.tokens, backward, 1.0 if settings.recompute else 0.0),
        ),
        updates=updates,
        trained_parameters=trained_parameters,
        stored_layers=model.layers if layers is None else layers,
        batch_texts=texts,
        batch_tokens=settings.batch_tokens,
        adapters=adapters,
        recompute=settings.recompute,
        weight_copies=1 if held_out else 0,
    )


def adapter_parameters(model: BaseModelFacts, rank: int) -> int:
    """Return how many parameters adapters on every linear layer have: rank x (inputs + outputs) each."""
    units = model.head_dim or model.hidden // model.heads
    queries, keys = model.heads * units, (model.kv_heads or model.heads) * units
    attention = 2 * (model.hidden + queries) + 2 * (model.hidden + keys)
    feed_forward = (3 if model.gated_mlp else 2) * (model.hidden + model.intermediate)
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
