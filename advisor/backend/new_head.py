"""A new head: a pre-trained encoder whose pre-training head gave way to an untrained one for the task."""

from pathlib import Path

import torch

from advisor.backend.attention import able_device, attention, narrow_mask
from advisor.backend.devices import Device
from advisor.backend.loading import load_tokenizer, loading, pad_alike
from advisor.backend.objectives import Objective
from advisor.backend.pooling import declared_pooling
from advisor.backend.pooling_layer import expressible, start_near_linear
from advisor.backend.remote_code import allowed
from advisor.backend.task_head import head_note, output_layer, read_encoder, renew, unread
from advisor.backend.tuned import NOT_LOADED, TunedModel
from advisor.backend.untrained import draw_unset, unset_shown
from advisor.knowledge.pretrained import length_limit


def with_new_head(
    encoder: Path, objective: Objective, device: Device, *, seed: int, max_length: int | None = None
) -> TunedModel:
    """Load a pre-trained encoder, discard its pre-training head and put an untrained one for the task on.

    A head on whole texts reads the mean of the tokens where the encoder's files declare that it was trained so and
    its type allows the export of that; else it is the stock head.

    Raises:
        InputError: the folder holds no encoder that can be loaded.
    """
    with loading(encoder, NOT_LOADED), torch.random.fork_rng(), unset_shown():
        torch.manual_seed(seed)
        device = able_device(device, encoder)
        model, found = objective.model_class().from_pretrained(
            encoder,
            **objective.configuration(),
            dtype=torch.float32,
            attn_implementation=attention(device),
            trust_remote_code=allowed(encoder),
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
        tokenizer = load_tokenizer(encoder, words=objective.prefix_space)
        limit = length_limit(encoder)
        pooling, declared = declared_pooling(encoder)
        missing = {*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])}
        draw_unset(model, missing)
        dropped = [*found["unexpected_keys"], *renew(model, missing)]
        if unread(model, missing):
            read_encoder(model, encoder)
            dropped = []
    if declared and hasattr(model.config, "classifier_pooling"):
        model.config.classifier_pooling = pooling
    pools = objective.auto_class == "AutoModelForSequenceClassification" and expressible(model.config)
    mean_pooled = pools and declared and pooling == "mean"
    if mean_pooled:
        start_near_linear(model)
    narrow_mask(model, device)
    pad_alike(model.config, tokenizer)
    objective.offset = output_layer(model).bias is not None
    mean = mean_pooled or getattr(model.config, "classifier_pooling", None) == "mean"
    return TunedModel(
        model=model.to(device.torch).eval(),
        tokenizer=tokenizer,
        objective=objective,
        device=device,
        max_length=min(limit, max_length or limit),
        mean_pooled=mean_pooled,
        head_note=head_note(encoder, model, objective, dropped=dropped, missing=missing, mean=mean),
    )
