"""The work of tuning by gradient steps: what full, partial, low-rank and probe-first tuning have in common."""

import math

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import TextLoad, Workload


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

    A backward pass through a layer costs two forward passes where its weights learn, for the gradients of inputs and of
    weights (Kaplan et al. 2020, arXiv 2001.08361, section 2.1), and one where they are frozen below something that learns.

    Args:
        backward_passes: cost of the backward pass in forward passes.
        trained_parameters: parameters with optimiser states.
        stored_share: share of the layers whose activations are kept for the backward pass.
        forward_flops: operations without gradients that come before.
    """
    updates = max(settings.min_steps, math.ceil(settings.epochs * load.rows / settings.batch_size))
    tokens = updates * min(settings.batch_size, load.rows) * load.tokens
    return Workload(
        forward_flops=forward_flops,
        training_flops=(1 + backward_passes) * model.forward_flops(tokens, load.tokens),
        trained_parameters=trained_parameters,
        stored_tokens=stored_share * min(settings.batch_tokens, settings.batch_size * 2 * load.tokens),
        updates=updates,
    )


def tuned_parameters(model: BaseModelFacts, settings: TuningSettings) -> int:
    """Return how many parameters learn when every layer does."""
    return model.parameters - (model.embedding_parameters if settings.freeze_token_embeddings else 0)
