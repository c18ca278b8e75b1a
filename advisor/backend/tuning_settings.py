"""The hyper-parameters of tuning by gradient steps, as the rules or a plan give them."""

import math
from typing import Literal

from pydantic import Field

from advisor.strict import Strict


class ReadingSettings(Strict):
    """How long inputs are read; an export keeps it in the model's configuration.

    Attributes:
        long_texts: what happens to a text beyond the limit: its end is cut off, its middle is, or it is read in
            windows whose outputs are averaged. Contexts of questions are always read in windows.
        overlap: share of a question's window that the next one repeats.
        longest_answer: most tokens of an answer to a question.
    """

    long_texts: Literal["truncate", "head-tail", "windows"]
    overlap: float = Field(ge=0, le=0.9)
    longest_answer: int = Field(ge=1)


class StepSettings(Strict):
    """How weights learn by optimiser steps.

    Attributes:
        learning_rate: highest step size of the encoder's weights.
        weight_decay: decoupled decay, of matrices only (not of biases and normalisation).
        warmup_fraction: share of the steps over which the rate rises linearly from 0.
        epochs: passes over the training rows.
        min_steps: updates at least, by further passes.
        batch_tokens: tokens, padding included, that are in memory at once; more are accumulated.
        gradient_norm: gradients are scaled down to this norm.
        dropout: whether the encoder's own dropout is on.
    """

    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    warmup_fraction: float = Field(ge=0, lt=1)
    epochs: float = Field(gt=0)
    min_steps: int = Field(ge=1)
    batch_tokens: int = Field(ge=1)
    gradient_norm: float = Field(gt=0)
    dropout: bool


class TuningSettings(StepSettings, ReadingSettings):
    """What `advisor.backend.tuning.fine_tune` may be told; the defaults are in the rules.

    Attributes:
        learning_rate: also of the head's hidden layer.
        min_steps: small data need them (Mosbach et al. 2021, arXiv:2006.04884).
        enough_steps: updates beyond which there are no further passes, ``fewest_epochs`` of them apart: many rows need
            fewer passes than few.
        fewest_epochs: passes at least.
        head_learning_rate: highest step size of the output layer, which starts from nothing.
        head_c: the output layer starts as logistic regression on the untuned encoder with this C (inverse
            regularisation strength); None starts it at zero, or at random on a stock head.
        schedule: how the rate falls to 0 after its rise.
        batch_size: rows an update is computed from.
        label_smoothing: probability mass spread over all classes in the loss.
        freeze_token_embeddings: whether the table of token embeddings keeps its pre-trained values.
        trained_share: share of the encoder's layers that learn, counted from the top and rounded up; all below stays.
        layer_decay: factor on the learning rate from each layer to the one below it (Howard and Ruder 2018,
            arXiv:1801.06146); 1 for the same rate everywhere.
        gradual_share: share of the steps over which layers begin to learn one after the other, from the top (same
            source); 0 for all at once.
        class_weights: ``balanced`` weighs a row by rows / (classes · rows of its class), as scikit-learn.
        evaluations: how often the validation rows are looked at, evenly over the steps.
        patience: evaluations without a better one after which training stops.
        recompute: whether the backward pass computes a layer's activations again rather than keeping them, which takes
            less memory and more time, with the same gradients.
        max_length: cut texts at this many tokens where the encoder would allow more; None for its own limit.
    """

    enough_steps: int = Field(ge=1)
    fewest_epochs: float = Field(gt=0)
    head_learning_rate: float = Field(gt=0)
    head_c: float | None = Field(default=None, gt=0)
    schedule: Literal["linear", "cosine"]
    batch_size: int = Field(ge=1)
    label_smoothing: float = Field(ge=0, lt=1)
    freeze_token_embeddings: bool
    evaluations: int = Field(ge=1)
    patience: int = Field(ge=1)
    trained_share: float = Field(default=1.0, gt=0, le=1)
    layer_decay: float = Field(gt=0, le=1)
    gradual_share: float = Field(ge=0, le=1)
    recompute: bool = False
    class_weights: Literal["none", "balanced"] = "none"
    max_length: int | None = Field(default=None, ge=8)

    def updates(self, rows: float) -> int:
        """Return how many updates so many rows get."""
        epoch = math.ceil(rows / self.batch_size)
        wished = min(self.epochs * epoch, max(self.fewest_epochs * epoch, self.enough_steps))
        return max(self.min_steps, math.ceil(wished))
