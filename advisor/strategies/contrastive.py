"""Contrastive tuning: the encoder learns from pairs of texts which belong together, then a head is fitted."""

from typing import cast

from advisor.backend.contrastive_settings import ContrastiveSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import CLASSIFYING, FitJob, Fitted, Passes, Strategy, TextLoad, Workload
from advisor.tasks import TASKS


class Contrastive(Strategy):
    """Fine-tuning by pairs, in the manner of SetFit (Tunstall et al. 2022, arXiv 2209.11055)."""

    id = "contrastive"
    family = "fine-tuning"
    title = "contrastive tuning, then a head"
    verb = "Fine-tune it on pairs"
    changes = "all weights of the encoder, by pairs of texts; then a new linear head"
    task_head = "a linear layer on the text vectors that the tuned encoder gives"
    trains = "Draw texts of one class together and others apart, then fit a head on the features."
    encoder_tasks = CLASSIFYING
    settings = ContrastiveSettings

    def workload(self, model: BaseModelFacts, load: TextLoad, settings: ContrastiveSettings) -> Workload:  # type: ignore[override]
        """Every text of a batch forward and backward, and all texts forward for the head."""
        texts = load.rows + (load.classes if settings.names else 0)
        updates = settings.updates(texts)
        batch = min(settings.batch_size, texts)
        # What is more than fits at once is encoded without gradients first, then again part by part.
        again = 1.0 if batch * load.longest > settings.batch_tokens else 0.0
        fixed = model.embedding_parameters if settings.freeze_token_embeddings else 0
        return Workload(
            passes=(
                Passes(texts * load.tokens, load.tokens),
                Passes(updates * batch * load.tokens, load.tokens, 2.0, again),
            ),
            updates=updates,
            trained_parameters=model.parameters - fixed,
            stored_layers=model.layers,
            batch_texts=batch,
            batch_tokens=settings.batch_tokens,
            weight_copies=1,
        )

    def fit(self, job: FitJob) -> Fitted:
        """Tune on pairs, then fit the head."""
        import numpy as np

        from advisor.backend.contrastive import tune_on_pairs, with_names
        from advisor.backend.frozen import FrozenModel
        from advisor.backend.head import LinearHead
        from advisor.backend.head_start import probe_weights

        settings, labels = cast(ContrastiveSettings, job.settings), list(job.labels)
        learnt = job.training
        if settings.names:
            learnt = with_names(learnt, labels, job.descriptions)
        texts, targets = cast("list[str]", learnt.inputs), learnt.targets
        encoder = tune_on_pairs(
            job.encoder,
            texts,
            targets,
            settings,
            seed=job.seed,
            device=job.device,
            workspace=job.workspace,
            max_length=job.max_length,
            progress=lambda step, steps, loss: job.progress(step, steps),
            on_event=job.event,
        )
        predicts, c = TASKS[job.task].predicts, settings.head_c
        weights = probe_weights(predicts, encoder.embed(texts), targets, len(labels), c, balanced=job.balanced)
        thresholds = np.full(len(labels), settings.threshold, dtype=np.float32) if predicts == "classes" else None
        chosen = {"c": c, "updates": settings.updates(len(texts)), "names": len(texts) - len(job.training)}
        model = FrozenModel(encoder, LinearHead(*weights), labels, job.task, "text", thresholds, chosen=chosen)
        return Fitted(model, chosen)
