"""Linear probe: logistic regression on the features of a frozen encoder."""

from typing import cast

from advisor.backend.settings import ProbeSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.settings import load_settings
from advisor.strategies.base import ENCODING, FitJob, Fitted, Passes, Strategy, TextLoad, Workload
from advisor.tasks import Task

_HEADS = {
    "pair-classification": "a linear layer on both texts' vectors u and v, their distance |u - v| and product u * v",
    "regression": "one linear output on the normalised vector of a text, or on u, v, |u - v| and u * v of a pair",
    "token-classification": "a linear layer on the normalised vector of each word, the mean of its tokens'",
}


class LinearProbe(Strategy):
    """Freezing: the encoder stays as it was pre-trained, a linear head learns on its features.

    Classes take logistic regression, one for each where several may hold, tags one on words; numbers ridge regression.
    """

    id = "linear-probe"
    family = "freezing"
    title = "a linear probe on frozen features"
    verb = "Freeze it"
    changes = "a new linear head; every pre-trained weight stays"
    task_head = "a linear layer on the normalised text vector"
    trains = "Embed every row once, fit a linear head, choose its regularisation by cross-validation."
    encoder_tasks = ENCODING
    frozen = True
    worth_a_part = True
    settings = ProbeSettings

    def head_for(self, task: Task) -> str:
        """Return the head put on for a task, in words."""
        return _HEADS.get(task.id, self.task_head)

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: ProbeSettings) -> Workload:  # type: ignore[override]
        """A pass over the rows, one over some to choose a layer; then L-BFGS, two products of rows an iteration."""
        rows = min(load.rows, settings.search_rows)
        read = load.rows + (min(load.rows, settings.layer_rows) if settings.layers == "best" else 0)
        fits = len(settings.grid) * settings.folds * rows + load.rows
        iterations = settings.max_iterations * load_settings("computing.yaml")["solver_share"]
        head = 4.0 * fits * model.hidden * load.classes * iterations
        return Workload(
            passes=(Passes(read * load.tokens, load.tokens),),
            head_flops=head,
            features=model.layers + 1 if settings.layers == "best" else 1,
            compared=min(load.rows, settings.layer_rows),
        )

    def fit(self, job: FitJob) -> Fitted:
        """Embed and fit."""
        from advisor.backend.encoder import shared_encoder
        from advisor.backend.features import FeatureCache
        from advisor.backend.probe import Probe

        probe = Probe(
            encoder=shared_encoder(job.encoder, job.device, job.max_length),
            cache=FeatureCache(job.cache),
            task=job.task,
            labels=job.labels,
            settings=cast(ProbeSettings, job.settings),
            balanced=job.balanced,
            seed=job.seed,
            progress=job.progress,
            event=job.event,
        )
        model = probe.fit(job.training)
        return Fitted(model, model.chosen)
