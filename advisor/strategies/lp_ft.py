"""LP-FT: a linear probe first, then full fine-tuning that starts from its head."""

from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import ENCODING, TextLoad, Workload
from advisor.strategies.tuning import Tuning, tuned_parameters, tuning_work


class ProbeThenTune(Tuning):
    """Fine-tuning from a probe's head, so that good features are not bent by a random one (arXiv 2202.10054)."""

    id = "lp-ft"
    family = "fine-tuning"
    title = "a linear probe first, then full fine-tuning"
    verb = "Fine-tune it from a probe"
    changes = "a new linear head first, then all weights"
    task_head = "a linear head fitted on frozen features before anything else learns"
    trains = "Fit the head on frozen features, then tune all weights from there."
    encoder_tasks = ENCODING
    settings_of = ("full-fine-tuning", "lp-ft")

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: TuningSettings) -> Workload:  # type: ignore[override]
        """Full tuning after one pass over the texts."""
        return tuning_work(
            model,
            load,
            settings,
            backward=2.0,
            trained_parameters=tuned_parameters(model, settings),
            probed=True,
        )
