"""The hyper-parameters of more pre-training on unlabelled texts, as the rules or a plan give them."""

from pydantic import Field

from advisor.backend.tuning_settings import StepSettings


class PretrainingSettings(StepSettings):
    """What `advisor.backend.pretraining.pretrain` may be told; the defaults are in the rules.

    Attributes:
        masked_share: share of a text's tokens that are to be guessed, by a masked model.
        replaced_by_mask: share of those that the mask token stands for.
        replaced_at_random: share of those that any other token stands for; the rest stays as it is.
        head_learning_rate: highest step size of a language-model head that is not in the files.
        head_steps: updates of such a head alone, before the encoder learns too.
        most_steps: updates at most, whatever the passes come to.
        update_tokens: tokens, padding included, that an update is computed from.
        held_out_share: share of the texts that only measure.
        most_held_out: texts held out at most.
    """

    masked_share: float = Field(gt=0, lt=1)
    replaced_by_mask: float = Field(ge=0, le=1)
    replaced_at_random: float = Field(ge=0, le=1)
    head_learning_rate: float = Field(gt=0)
    head_steps: int = Field(ge=0)
    most_steps: int = Field(ge=1)
    update_tokens: int = Field(ge=1)
    held_out_share: float = Field(gt=0, lt=1)
    most_held_out: int = Field(ge=1)
