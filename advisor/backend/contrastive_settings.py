"""The hyper-parameters of contrastive tuning, as the rules or a plan give them."""

from pydantic import Field

from advisor.backend.tuning_settings import StepSettings


class ContrastiveSettings(StepSettings):
    """What `advisor.backend.contrastive.tune_on_pairs` may be told; the defaults are in the rules.

    Attributes:
        epochs: passes over the training texts, if every one came as often as the others.
        most_steps: updates at most, whatever the passes come to.
        batch_size: texts in a batch; each makes a pair with each other one.
        texts_per_class: texts of a class that meet in a batch at least, as far as there are so many.
        temperature: what cosine similarities are divided by in the loss.
        kept_share: share of the way from the pre-trained weights to the tuned ones at which the encoder is kept
            (Wortsman et al. 2022, arXiv:2109.01903).
        freeze_token_embeddings: whether the table of token embeddings keeps its pre-trained values.
        names: whether what the plan says of a class in words, its name or description, is one more text of it.
        head_c: inverse regularisation strength of the head, scikit-learn's C. Cross-validation cannot choose it: the
            encoder has seen the labels of the rows it would hold out.
        threshold: probability from which a class holds where a text may have several.
    """

    most_steps: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    texts_per_class: int = Field(ge=2)
    temperature: float = Field(gt=0)
    kept_share: float = Field(gt=0, le=1)
    freeze_token_embeddings: bool
    names: bool
    head_c: float = Field(gt=0)
    threshold: float = Field(gt=0, lt=1)

    def updates(self, texts: float) -> int:
        """Return how many updates so many texts get."""
        passes = self.epochs * texts / min(self.batch_size, max(texts, 1.0))
        return min(self.most_steps, max(self.min_steps, -int(-passes // 1)))
