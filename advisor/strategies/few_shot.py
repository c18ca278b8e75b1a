"""Few-shot: demonstrations weighed against prompted label descriptions; no parameter changes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from advisor.backend.settings import FewShotSettings, ZeroShotSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import CLASSIFYING, PROMPTABLE, FitJob, Fitted, Passes, Strategy, TextLoad, Workload
from advisor.strategies.zero_shot import prompted_encoder

if TYPE_CHECKING:
    from advisor.backend.frozen import FrozenModel


class PromptedSettings(ZeroShotSettings, FewShotSettings):
    """How label descriptions are prompted, and how demonstrations are weighed against them."""


class FewShot(Strategy):
    """Prompting with demonstrations.

    On an encoder the labelled examples stand beside the label descriptions as prototypes; how much a description counts
    against them is chosen by leaving one example out at a time.
    """

    id = "few-shot"
    family = "prompting"
    title = "few-shot prompting"
    verb = "Prompt it"
    changes = "nothing; demonstrations stand beside the labels' descriptions"
    task_head = "similarity to prototypes of demonstrations and label descriptions, written as a fixed linear head"
    trains = "Nothing is trained: embed demonstrations and descriptions, weigh them by leaving one out."
    asks = (
        "Nothing is trained: ask for a few labelled rows to choose how demonstrations are found and answers calibrated."
    )
    encoder_tasks = CLASSIFYING
    generator_tasks = PROMPTABLE
    frozen = True
    settings = PromptedSettings
    settings_of = ("zero-shot", "few-shot")

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: PromptedSettings) -> Workload:  # type: ignore[override]
        """One pass over the demonstrations."""
        return Workload((Passes(load.rows * load.tokens, load.tokens),), features=1)

    def fit(self, job: FitJob) -> Fitted:
        """Embed the demonstrations and weigh them; a language model is shown them in words instead."""
        if job.place is not None:
            from advisor.backend.prompted.fitting import fit_prompt

            return fit_prompt(job, demonstrated=True)
        from advisor.backend.features import FeatureCache
        from advisor.backend.frozen import FrozenModel
        from advisor.backend.prompted_sets import few_shot_sets, zero_shot_sets
        from advisor.backend.prompting import few_shot_head, zero_shot_head

        settings, labels = cast(PromptedSettings, job.settings), list(job.labels)
        encoder, cache = prompted_encoder(job, settings), FeatureCache(job.cache)
        features = cache.embed(encoder, cast("Sequence[str]", job.training.inputs), job.progress)
        if job.task == "multi-label":
            described = zero_shot_sets(encoder, labels, job.descriptions, settings, features)
            sets = few_shot_sets(features, job.training.targets, described, settings)
            return _fitted(
                FrozenModel(encoder, sets.head, labels, job.task, thresholds=sets.thresholds, cache=cache),
                description_weight=sets.description_weight,
                scale=sets.scale,
                leave_one_out_log_loss=sets.log_loss,
            )
        described = zero_shot_head(encoder, labels, job.descriptions, settings, features)
        fit = few_shot_head(features, job.training.targets, described, settings)
        return _fitted(
            FrozenModel(encoder, fit.head, labels, cache=cache),
            description_weight=fit.description_weight,
            scale=fit.scale,
            leave_one_out_accuracy=fit.accuracy,
        )


def _fitted(model: "FrozenModel", **chosen: float | None) -> Fitted:
    model.chosen = chosen
    return Fitted(model, chosen)
