"""Zero-shot: texts compared with prompted label descriptions; no label is used and no parameter changes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from advisor.backend.settings import ZeroShotSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.settings import load_settings
from advisor.strategies.base import CLASSIFYING, PROMPTABLE, FitJob, Fitted, Passes, Strategy, TextLoad, Workload

if TYPE_CHECKING:
    from advisor.backend.encoder import Encoder


class ZeroShot(Strategy):
    """Prompting by instruction or label descriptions alone.

    On an encoder every label's name and description is put into several templates; a text gets the label whose
    averaged vector is nearest. That is prompting without a generator: it knows only what the words of the labels say.
    """

    id = "zero-shot"
    family = "prompting"
    title = "zero-shot prompting"
    verb = "Prompt it"
    changes = "nothing; the labels' names and descriptions are the prompt"
    task_head = "similarity to the prompted label descriptions, written as a fixed linear head"
    trains = "Nothing is trained: embed the prompted label descriptions."
    asks = "Nothing is trained: ask for a few labelled rows, if there are any, to choose how answers are calibrated."
    encoder_tasks = CLASSIFYING
    generator_tasks = PROMPTABLE
    frozen = True
    needs_labels = False
    settings = ZeroShotSettings

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: ZeroShotSettings) -> Workload:  # type: ignore[override]
        """A few prompts a class."""
        prompts = load.classes * (len(settings.templates) + len(settings.description_templates))
        tokens = load_settings("computing.yaml")["label_prompt_tokens"]
        return Workload((Passes(prompts * tokens, tokens),), features=1)

    def fit(self, job: FitJob) -> Fitted:
        """Embed the prompted labels; a language model is asked in words instead."""
        if job.place is not None:
            from advisor.backend.prompted.fitting import fit_prompt

            return fit_prompt(job, demonstrated=False)
        import numpy as np

        from advisor.backend.features import FeatureCache
        from advisor.backend.frozen import FrozenModel
        from advisor.backend.prompted_sets import zero_shot_sets
        from advisor.backend.prompting import zero_shot_head

        settings = cast(ZeroShotSettings, job.settings)
        encoder, cache = prompted_encoder(job, settings), FeatureCache(job.cache)
        background = cache.embed(encoder, cast("Sequence[str]", job.training.inputs), job.progress)
        if job.task == "multi-label":
            head = zero_shot_sets(encoder, job.labels, job.descriptions, settings, background)
            thresholds = np.full(len(job.labels), 0.5, dtype=np.float32)
            return Fitted(FrozenModel(encoder, head, list(job.labels), job.task, thresholds=thresholds, cache=cache))
        head = zero_shot_head(encoder, job.labels, job.descriptions, settings, background)
        return Fitted(FrozenModel(encoder, head, list(job.labels), cache=cache))


def prompted_encoder(job: FitJob, settings: ZeroShotSettings) -> "Encoder":
    """Return the job's encoder reading long texts as the settings say; tell how much it does not read."""
    from advisor.backend.encoder import shared_encoder
    from advisor.backend.truncation import read_long

    encoder = shared_encoder(job.encoder, job.device, job.max_length)
    return read_long(encoder, settings.long_texts, job.training.inputs, job.event)
