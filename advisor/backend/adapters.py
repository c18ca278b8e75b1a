"""Low-rank adapters (LoRA) on a model with a task's head, by PEFT: put on, merged, or kept beside the model.

Every linear layer of the encoder gets one (Hu et al. 2021, arXiv:2106.09685; Schulman et al. 2025, "LoRA without
regret": all layers, not attention alone); the head is new and learns whole.

A kept adapter is PEFT's own folder: ``adapter_config.json``, ``adapter_model.safetensors`` with the adapters and the
head, and beside them ``config.json`` and the tokenizer. The pre-trained weights stay where they were. A head that reads
the mean of the tokens does so by a layer of fixed weights (`advisor.backend.pooling_layer`), which is kept with the
head and counted in ``config.json``; so the base must be loaded with that file::

    base = AutoModelForSequenceClassification.from_pretrained(BASE, config=AutoConfig.from_pretrained("model"))
    model = PeftModel.from_pretrained(base, "model")

``BASE`` is what ``adapter_config.json`` calls ``base_model_name_or_path``.
"""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from advisor.backend.adapter_settings import LoraSettings
from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.loading import quiet_transformers
from advisor.backend.pooling_layer import pooling_layer
from advisor.backend.remote_code import allowed
from advisor.backend.tuned import TunedModel
from advisor.errors import RunError
from advisor.knowledge.pretrained import body_prefix

CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."
_TASK_TYPES = {
    "AutoModelForSequenceClassification": "SEQ_CLS",
    "AutoModelForTokenClassification": "TOKEN_CLS",
    "AutoModelForQuestionAnswering": "QUESTION_ANS",
}


@dataclass
class AdaptedModel(TunedModel):
    """A model whose adapters are kept apart.

    Attributes:
        base: folder of the pre-trained encoder.
        settings: of the adapters.
    """

    base: Path = field(kw_only=True)
    settings: LoraSettings = field(kw_only=True)

    @classmethod
    def around(cls, model: TunedModel, base: Path, settings: LoraSettings) -> "AdaptedModel":
        """Return ``model``, whose adapters are not merged, as one that keeps them."""
        return cls(**{one.name: getattr(model, one.name) for one in fields(model)}, base=base, settings=settings)

    def write(self, folder: Path) -> None:
        """Write the adapters, the head and the configuration as PEFT reads them."""
        config = lora_config(self.model, self.settings)
        config.task_type = _TASK_TYPES[self.objective.auto_class]
        config.base_model_name_or_path, config.revision = hub_name(self.base)
        config.inference_mode = True
        own = head_parts(self.model)
        with quiet_transformers(), pooling_layer(self.model) if self.mean_pooled else nullcontext():
            if self.mean_pooled:
                own.append(f"encoder.layer.{self.model.config.num_hidden_layers - 1}")
            kept = {
                _PREFIX + name.replace(".default.", "."): weight.detach().cpu().contiguous()
                for name, weight in self.model.named_parameters()
                if ".lora_" in name or _lies_in(name, own)
            }
            self.model.config.architectures = [type(self.model).__name__]
            self.model.config.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        config.modules_to_save = own
        config.save_pretrained(str(folder))
        save_file(kept, folder / _WEIGHTS, metadata={"format": "pt"})


def add_adapters(model: Any, settings: LoraSettings, seed: int, base: Path) -> None:
    """Put adapters on every linear layer of the encoder; they and the head learn, the rest does not.

    Args:
        model: a transformers model with its head.
        settings: of the adapters.
        seed: source of their first weights.
        base: folder of the pre-trained encoder.

    Raises:
        RunError: the adapters shall be kept apart, and others could not load the pre-trained model under the head.
    """
    from peft import inject_adapter_in_model

    if settings.export == "adapter" and allowed(base):
        raise RunError(
            f"{base.name} comes with code of its own, which adapters kept apart would lack; export them merged"
        )
    if settings.export == "adapter" and body_prefix(base) not in ("", f"{model.base_model_prefix}."):
        raise RunError(
            f"{type(model).__name__} does not find its encoder in the files of {base.name}, so adapters cannot be kept "
            "apart; export them merged"
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        inject_adapter_in_model(lora_config(model, settings), model)
    head = head_parts(model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".lora_" in name or _lies_in(name, head))


def merge_adapters(model: Any) -> None:
    """Add the adapters to the weights that they adapt, and take them off."""
    from peft.tuners.lora import LoraLayer

    for name, layer in list(model.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge()
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, layer.get_base_layer())


def read_adapted(folder: Path, kind: Any, **options: Any) -> Any:
    """Load a pre-trained model with the adapters and the head that ``folder`` keeps, and merge them.

    Args:
        folder: what `AdaptedModel.write` wrote.
        kind: an ``AutoModelFor…``.
        options: of its ``from_pretrained``.

    Raises:
        OSError: the pre-trained model is not where it was.
    """
    from peft import PeftModel
    from transformers import AutoConfig

    kept = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    base, revision = kept["base_model_name_or_path"], kept.get("revision")
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    pretrained = kind.from_pretrained(
        base, revision=revision or "main", config=config, trust_remote_code=False, **options
    )
    return PeftModel.from_pretrained(pretrained, str(folder)).merge_and_unload()


def lora_config(model: Any, settings: LoraSettings | AlignmentSettings) -> Any:
    """Return PEFT's configuration of the adapters."""
    from peft import LoraConfig

    layers = dict(adapted_layers(model))
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.adapter_dropout,
        target_modules=list(layers),
        fan_in_fan_out=not all(isinstance(layer, nn.Linear) for layer in layers.values()),
    )


def adapted_layers(model: Any) -> Iterator[tuple[str, nn.Module]]:
    """Yield the encoder's linear layers by name: those of its layers, not of embeddings or a pooler."""
    from transformers.pytorch_utils import Conv1D

    encoder = {id(module) for module in model.base_model.modules()}
    head = head_parts(model)
    for name, module in model.named_modules():
        if not isinstance(module, nn.Linear | Conv1D) or id(module) not in encoder:
            continue
        plain = name.removesuffix(".base_layer")
        if not ("embed" in plain or ".lora_" in plain or _lies_in(plain, head)):
            yield plain, module


def head_parts(model: Any) -> list[str]:
    """Return the names of the modules that are the task's head: all beside the encoder, and its pooler."""
    beside = [
        name
        for name, child in model.named_children()
        if name != model.base_model_prefix and any(True for _ in child.parameters())
    ]
    return [*beside, "pooler"] if getattr(model.base_model, "pooler", None) is not None else beside


def _lies_in(name: str, parts: list[str]) -> bool:
    return any(f".{part}." in f".{name}." for part in parts)


def hub_name(folder: Path) -> tuple[str, str | None]:
    """Return what PEFT shall call a model: hub id and commit where it lies in the hub's cache, else its folder."""
    kept = folder.parent.parent.name
    if folder.parent.name == "snapshots" and kept.startswith("models--"):
        return kept.removeprefix("models--").replace("--", "/"), folder.name
    return str(folder.resolve()), None
