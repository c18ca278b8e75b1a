"""The hyper-parameters of tuning a generator, as the rules or a plan give them."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from advisor.backend.settings import Positive, Settings

GENERATOR_DETAILS = "generator.json"
"""What a run writes beside a generator."""

# A line with the speaker, what was said, and the end of an answer marked by the token that ends texts.
PLAIN_TEMPLATE = (
    "BOS{% for message in messages %}{% if not loop.first %}{{ '\\n\\n' }}{% endif %}"
    "{{ message['role'] | capitalize }}:{{ '\\n' }}{{ message['content'] | trim }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n\\nAssistant:\\n' }}{% endif %}"
)

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class AlignmentSettings(Settings):
    """How a generator learns from demonstrations and, after that, from preferences or judgements.

    Attributes:
        weights: what learns: low-rank adapters on every linear layer, or all weights.
        learning_rate: highest step size on demonstrations, of all weights.
        adapter_learning_rate: the same, of adapters.
        preference_learning_rate: highest step size on preferences and judgements, of all weights.
        preference_adapter_learning_rate: the same, of adapters.
        weight_decay: decoupled decay.
        warmup_fraction: share of the steps over which the rate rises linearly from 0.
        schedule: how the rate falls to 0 after its rise.
        epochs: passes over demonstrations.
        preference_epochs: passes over preferences and judgements.
        batch_size: rows an update is computed from; judgements need two.
        batch_tokens: tokens, padding included, that are in memory at once; more are accumulated.
        gradient_norm: gradients are scaled down to this norm.
        recompute: whether the backward pass computes activations again rather than keeping them, which takes less
            memory and more time.
        evaluations: how often the validation rows are looked at and a checkpoint is written, evenly over the steps.
        patience: evaluations without a lower loss after which training stops.
        beta: how dearly leaving the reference model is paid for (Rafailov et al. 2023, arXiv:2305.18290, equation 7).
        chosen_weight: of the cross-entropy of chosen answers beside the loss on pairs; 0 leaves it out.
        rank: rank of an adapter's update.
        alpha: the update is scaled by alpha / rank.
        adapter_dropout: share of an adapter's inputs left out while training.
        export: whether adapters are added to the weights, or kept beside the pre-trained model.
        max_length: cut prompt and answer at so many tokens where the model would read more; None for its own limit.
        answer_tokens: most tokens of an answer that is written.
    """

    weights: Literal["adapters", "all"]
    learning_rate: Positive
    adapter_learning_rate: Positive
    preference_learning_rate: Positive
    preference_adapter_learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0)]
    warmup_fraction: Share
    schedule: Literal["linear", "cosine"]
    epochs: Positive
    preference_epochs: Positive
    batch_size: Annotated[int, Field(ge=2)]
    batch_tokens: Count
    gradient_norm: Positive
    recompute: bool
    evaluations: Count
    patience: Count
    beta: Positive
    chosen_weight: Annotated[float, Field(ge=0)]
    rank: Count
    alpha: Count
    adapter_dropout: Share
    export: Literal["merged", "adapter"]
    max_length: Annotated[int, Field(ge=16)] | None
    answer_tokens: Count

    @model_validator(mode="after")
    def _adapters_to_keep(self) -> "AlignmentSettings":
        if self.weights == "all" and self.export == "adapter":
            raise ValueError(
                "all weights learn, so that there is no adapter to keep; export=merged or weights=adapters"
            )
        return self

    @property
    def freeze_token_embeddings(self) -> bool:
        """Whether the table of token embeddings stays where all weights learn: it does not."""
        return False

    def updates(self, rows: float, *, preferences: bool = False) -> int:
        """Return how many updates so many rows get, as demonstrations or as preferences and judgements."""
        epochs = self.preference_epochs if preferences else self.epochs
        return max(1, math.ceil(epochs * math.ceil(rows / self.batch_size)))

    def rate(self, *, preferences: bool) -> float:
        """Return the highest step size."""
        adapters = self.weights == "adapters"
        if preferences:
            return self.preference_adapter_learning_rate if adapters else self.preference_learning_rate
        return self.adapter_learning_rate if adapters else self.learning_rate
