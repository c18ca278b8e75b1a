"""The hyper-parameters of low-rank adapters, as the rules or a plan give them."""

from typing import Literal

from pydantic import Field

from advisor.backend.tuning_settings import TuningSettings


class LoraSettings(TuningSettings):
    """Tuning of low-rank adapters.

    Attributes:
        adapter_learning_rate: highest step size of the adapters; ``learning_rate`` is that of the head's hidden layer.
        rank: rank of the update of every linear layer.
        alpha: the update is scaled by alpha / rank.
        adapter_dropout: share of an adapter's inputs left out while training, where dropout is on.
        export: whether the adapters are added to the weights, or kept beside the pre-trained model.
    """

    adapter_learning_rate: float = Field(gt=0)
    rank: int = Field(ge=1)
    alpha: int = Field(ge=1)
    adapter_dropout: float = Field(ge=0, lt=1)
    export: Literal["merged", "adapter"]
