"""Zero-shot: texts compared with prompted label descriptions; no label is used and no parameter changes."""

from advisor.backend.settings import ZeroShotSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import FitJob, Fitted, Strategy, TextLoad, Workload


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
    engines = ("encoder", "llm-local", "llm-api")
    needs_labels = False
    settings = ZeroShotSettings

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: ZeroShotSettings) -> Workload:  # type: ignore[override]
        """A few prompts a class."""
        prompts = load.classes * (len(settings.templates) + len(settings.description_templates))
        return Workload(forward_flops=model.forward_flops(prompts * 16, 16))

    def fit(self, job: FitJob) -> Fitted:
        """Embed the prompted labels."""
        from advisor.backend.frozen import fit_zero_shot

        return fit_zero_shot(job)
