"""Linear probe: logistic regression on the features of a frozen encoder."""

from advisor.backend.settings import ProbeSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import FitJob, Fitted, Strategy, TextLoad, Workload


class LinearProbe(Strategy):
    """Freezing: the encoder stays as it was pre-trained, a linear head learns on its features."""

    id = "linear-probe"
    family = "freezing"
    title = "a linear probe on frozen features"
    verb = "Freeze it"
    changes = "a new linear head; every pre-trained weight stays"
    task_head = "a linear layer on the normalised text vector"
    trains = "Embed every text once, fit logistic regression, choose its regularisation by cross-validation."
    engines = ("encoder",)
    settings = ProbeSettings

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: ProbeSettings) -> Workload:  # type: ignore[override]
        """One pass over the texts, then L-BFGS: two products of rows, features and classes an iteration."""
        rows = min(load.rows, settings.search_rows)
        fits = len(settings.grid) * settings.folds * rows + load.rows
        head = 4.0 * fits * model.hidden * load.classes * settings.max_iterations / 4
        return Workload(
            forward_flops=model.forward_flops(load.rows * load.tokens, load.tokens) + head,
            trained_parameters=(model.hidden + 1) * load.classes,
        )

    def fit(self, job: FitJob) -> Fitted:
        """Embed and fit."""
        from advisor.backend.frozen import fit_linear_probe

        return fit_linear_probe(job)
