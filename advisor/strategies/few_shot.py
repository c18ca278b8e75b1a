"""Few-shot: demonstrations weighed against prompted label descriptions; no parameter changes."""

from advisor.backend.settings import FewShotSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import FitJob, Fitted, Strategy, TextLoad, Workload


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
    engines = ("encoder", "llm-local", "llm-api")
    settings = FewShotSettings

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: FewShotSettings) -> Workload:  # type: ignore[override]
        """One pass over the demonstrations."""
        return Workload(forward_flops=model.forward_flops(load.rows * load.tokens, load.tokens))

    def fit(self, job: FitJob) -> Fitted:
        """Embed the demonstrations and weigh them."""
        from advisor.backend.frozen import fit_few_shot

        return fit_few_shot(job)
