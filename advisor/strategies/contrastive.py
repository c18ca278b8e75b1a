"""Contrastive tuning: the encoder learns from pairs of texts which belong together, then a head is fitted."""

from typing import cast

from advisor.backend.contrastive_settings import ContrastiveSettings
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strategies.base import CLASSIFYING, FitJob, Fitted, Strategy, TextLoad, Workload
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
        batch = min(settings.batch_size, texts) * load.tokens
        encoded_twice = updates * batch if batch > settings.batch_tokens else 0.0
        fixed = model.embedding_parameters if settings.freeze_token_embeddings else 0
        return Workload(
            forward_flops=model.forward_flops(texts * load.tokens + encoded_twice, load.tokens),
            training_flops=3 * model.forward_flops(updates * batch, load.tokens),
            trained_parameters=model.parameters - fixed,
            stored_tokens=min(settings.batch_tokens, 2 * batch),
            updates=updates,
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
