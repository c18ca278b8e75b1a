"""Settings of the strategies that leave the encoder frozen; their values come from the rules."""

from typing import Annotated, Literal

from pydantic import Field

from advisor.strict import Strict

Positive = Annotated[float, Field(gt=0)]
LongTexts = Literal["truncate", "head-tail", "windows"]
Layers = Literal["last", "mean", "best"]


class Settings(Strict):
    """Base of settings: frozen, unknown keys refused."""


class ProbeSettings(Settings):
    """How a linear probe reads rows, is fitted, and has its regularisation chosen.

    Attributes:
        layers: what a text's vector is made of: the last hidden state, the mean of all layers, or the best layer by
            ridge regression of the targets.
        word_layers: the same for words.
        layer_rows: most rows that layers are compared on.
        layer_words: most words that they are compared on.
        layer_sureness: standard errors by which another layer must be better than the last to be taken.
        long_texts: what happens to a text beyond the encoder's limit: its end is cut off, its middle is, or it is read
            in windows whose vectors are averaged.
        most_words: words that a head of tags is fitted on, about; words outside of entities are drawn.
        outside_margins: how much to lower the logit of the tag outside, candidates, 0 among them.
        ridge_grid: penalties of ridge regression to try for numbers, as shares of the features' variance.
        grid: inverse regularisation strengths C to try, ascending; scikit-learn's C (summed loss, L2
            penalty 1/2C).
        patience: how many values of C in a row may score worse than the best before the search stops.
        default_c: C where no class has two rows, so that nothing can be held out.
        folds: folds of the cross-validation.
        folds_when_large: folds where there are more than ``large_rows`` rows.
        large_rows: rows above which fewer folds do.
        calibration_rows: held-out rows from which their logits choose a temperature.
        search_rows: most rows used to choose C; the final fit takes all.
        search_tolerance: relative decrease of the loss at which a fit during the search stops.
        tolerance: the same for the final fit.
        max_iterations: L-BFGS iterations of one fit.
    """

    layers: Layers
    word_layers: Layers
    layer_rows: Annotated[int, Field(ge=2)]
    layer_words: Annotated[int, Field(ge=2)]
    layer_sureness: Annotated[float, Field(ge=0)]
    long_texts: LongTexts
    most_words: Annotated[int, Field(ge=100)]
    outside_margins: Annotated[tuple[float, ...], Field(min_length=1)]
    ridge_grid: Annotated[tuple[Positive, ...], Field(min_length=1)]
    grid: Annotated[tuple[Positive, ...], Field(min_length=1)]
    patience: Annotated[int, Field(ge=1)]
    default_c: Positive
    folds: Annotated[int, Field(ge=2)]
    folds_when_large: Annotated[int, Field(ge=2)]
    large_rows: Annotated[int, Field(ge=1)]
    calibration_rows: Annotated[int, Field(ge=1)]
    search_rows: Annotated[int, Field(ge=10)]
    search_tolerance: Positive
    tolerance: Positive
    max_iterations: Annotated[int, Field(ge=1)]


class ZeroShotSettings(Settings):
    """How label names and descriptions become a head.

    Attributes:
        templates: texts with ``{label}`` in them, one vector each, averaged.
        description_templates: texts with ``{description}`` and perhaps ``{label}``, for labels that have one.
        scale: factor from cosine similarity to logit (an inverse temperature).
        centring: share of the mean text vector that is taken out of texts and labels, 0 to 1; needs
            unlabelled texts.
        labels_per_text: labels that a text is expected to have, where it may have several.
        long_texts: what happens to a text beyond the encoder's limit, as for a probe.
    """

    templates: Annotated[tuple[str, ...], Field(min_length=1)]
    description_templates: tuple[str, ...]
    scale: Positive
    centring: Annotated[float, Field(ge=0, le=1)]
    labels_per_text: Positive
    long_texts: LongTexts


class FewShotSettings(Settings):
    """How demonstrations are weighed against label descriptions.

    Attributes:
        description_weights: candidates for k, the number of demonstrations that a description counts for; a
            class with n demonstrations gives them the weight n / (n + k).
        scales: candidates for the factor from similarity to logit.
        default_description_weight: k expected beforehand, and taken where no demonstration can be left out.
        default_scale: the factor, likewise.
        description_weight_deviation: how far k may be expected to lie from its default, as the standard
            deviation of its natural logarithm.
        scale_deviation: the same of the scale.
    """

    description_weights: Annotated[tuple[Positive, ...], Field(min_length=1)]
    scales: Annotated[tuple[Positive, ...], Field(min_length=1)]
    default_description_weight: Positive
    default_scale: Positive
    description_weight_deviation: Positive
    scale_deviation: Positive
