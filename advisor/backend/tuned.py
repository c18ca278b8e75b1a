"""A tuned model: a transformers model with a task's head; inputs in, outputs out; saved as transformers saves."""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from advisor.backend.arrays import Floats
from advisor.backend.attention import able_device, attention, narrow_mask
from advisor.backend.batching import collate
from advisor.backend.devices import Device
from advisor.backend.loading import load_tokenizer, loading, pad_alike, quiet_transformers
from advisor.backend.objectives import Objective, Unit, objective_for
from advisor.backend.pooling_layer import head_logits, pooling_layer, text_vector
from advisor.backend.remote_code import allowed
from advisor.backend.task_head import output_layer
from advisor.backend.tuning_settings import ReadingSettings
from advisor.backend.within_memory import Progress, by_batch
from advisor.files import write_folder
from advisor.knowledge.hyperparameters import default_values
from advisor.knowledge.pretrained import length_limit
from advisor.settings import load_settings
from advisor.tasks import TASKS, Input

ADAPTATION = "adaptation"
NOT_LOADED = "no model can be loaded from there"
_TOO_LARGE = "not even one text fits in memory; set a smaller max_length"


@dataclass
class TunedModel:
    """A transformers model with a task's head, and its tokenizer.

    Attributes:
        objective: what it learns: how rows become units of tokens, and what its logits say.
        max_length: longest unit in tokens, special ones included.
        mean_pooled: the head reads the mean of the tokens, computed here; an export gets a layer for it.
        thresholds: probability from which each of several classes counts as given; None for other tasks.
        head_note: which head was discarded and which one put on, in words.
        history: one record an evaluation while tuning, as `advisor.backend.training` writes it.
        folder: where it was read from to give answers, its linear layers then held in bf16 on a bf16 device.
    """

    model: Any
    tokenizer: Any
    objective: Objective
    device: Device
    max_length: int
    mean_pooled: bool = False
    thresholds: Floats | None = None
    head_note: str = ""
    history: list[dict[str, float]] = field(default_factory=list)
    folder: Path | None = None

    @classmethod
    def load(cls, folder: Path, device: Device) -> "TunedModel":
        """Load what `save` wrote, or any transformers model with a head for one of the tasks, to give answers.

        Raises:
            InputError: the folder holds no model that can be loaded.
        """
        from transformers import AutoConfig

        with loading(folder, NOT_LOADED):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=allowed(folder))
            kept = getattr(config, ADAPTATION, None) or {}
            task = kept.get("task") or _task_of(config)
            labels = [config.id2label[number] for number in range(config.num_labels)]
            predicts = TASKS[task].predicts
            objective = objective_for(task, [] if predicts in ("number", "span") else labels, _reading(kept))
            device = able_device(device, folder)
            model = _read(folder, objective, dtype=torch.float32, attn_implementation=attention(device))
            tokenizer = load_tokenizer(folder, words=objective.prefix_space)
            limit = length_limit(folder)
        narrow_mask(model, device)
        pad_alike(model.config, tokenizer)
        thresholds = kept.get("thresholds")
        if device.bf16:
            hold_in_bf16(model)
        return cls(
            model=model.to(device.torch).eval(),
            tokenizer=tokenizer,
            objective=objective,
            device=device,
            max_length=min(limit, kept.get("max_length") or limit),
            thresholds=np.array(thresholds, dtype=np.float32) if thresholds else None,
            folder=folder,
        )

    @property
    def task(self) -> str:
        """Id of the task."""
        return self.objective.task.id

    @property
    def labels(self) -> list[str]:
        """Classes or tags in the order of the outputs."""
        return self.objective.labels

    def units(self, inputs: Sequence[Input]) -> list[Unit]:
        """Return inputs as units of tokens, within the limit."""
        with quiet_transformers():
            return self.objective.units(self.tokenizer, inputs, self.max_length)

    def logits(self, units: Sequence[Unit]) -> Tensor:
        """Return float32 logits of a batch, (units, …) as its head gives them, with gradients where enabled."""
        pad, device, width = int(self.tokenizer.pad_token_id or 0), self.device.torch, self._width(units)
        ids, mask = collate([unit.ids for unit in units], pad, device, width)
        told = getattr(self.model.config, "type_vocab_size", 0) > 1
        kinds = [unit.kinds for unit in units if unit.kinds is not None and told]
        known = {"token_type_ids": collate(kinds, 0, device, width)[0]} if kinds else {}
        with torch.autocast(self.device.kind, dtype=torch.bfloat16, enabled=self.device.bf16):
            if self.mean_pooled:
                hidden = self.model.base_model(input_ids=ids, attention_mask=mask, **known).last_hidden_state
                vectors = text_vector(hidden, mask, self.model.config.layer_norm_eps)
                return head_logits(self.model, vectors).float()
            return self.objective.read(self.model(input_ids=ids, attention_mask=mask, **known))

    def _width(self, units: Sequence[Unit]) -> int:
        """Return the tokens that units are padded to: few widths, for each brings kernels of its own.

        A single unit that is answered stays as it is: it is served in less time without padding.
        """
        longest = max(len(unit.ids) for unit in units)
        if len(units) == 1 and not torch.is_grad_enabled():
            return longest
        multiple = int(load_settings("computing.yaml")["width_multiple"])
        return max(longest, min(self.max_length, math.ceil(longest / multiple) * multiple))

    def outputs(self, inputs: Sequence[Input], progress: Progress | None = None) -> Floats:
        """Return the outputs of all rows, as `advisor.backend.predictor` defines them.

        Raises:
            RunError: memory runs out on a single unit.
        """
        units = self.units(inputs)
        found = self.by_batch(units, lambda batch: self.objective.found(self.logits(batch), batch), progress)
        return self.objective.merged(units, found, inputs)

    @property
    def output_layer(self) -> nn.Linear:
        """The layer whose outputs are the logits."""
        return output_layer(self.model)

    @torch.no_grad()
    def by_batch(
        self,
        units: Sequence[Unit],
        compute: Callable[[Sequence[Unit]], Sequence[Any]],
        progress: Progress | None = None,
    ) -> list[Any]:
        """Compute one result a unit without dropout, in batches that are halved where memory runs out.

        Raises:
            RunError: memory runs out on a single unit.
        """
        was_training = self.model.training
        self.model.eval()
        found: list[Any] = [None] * len(units)

        def fill(rows: NDArray[np.int64]) -> None:
            for row, result in zip(rows, compute([units[row] for row in rows]), strict=True):
                found[row] = result

        lengths = [len(unit.ids) for unit in units]
        tokens = int(load_settings("computing.yaml")["answered_tokens"])
        by_batch(lengths, fill, self.device, progress, tokens=tokens, too_large=_TOO_LARGE)
        self.model.train(was_training)
        return found

    def in_fp32(self) -> "TunedModel":
        """Return the same model computing without bf16, its fp32 weights read again where they are held in bf16."""
        device = self.device.in_fp32()
        return (
            TunedModel.load(self.folder, device) if self.folder and self.device.bf16 else replace(self, device=device)
        )

    def save(self, folder: Path) -> None:
        """Write a folder that ``transformers.pipeline`` and ``AutoModelFor…`` load.

        The folder is put in place whole; one that was there before is replaced.

        Raises:
            OSError: the place cannot be written or the disk is full.
        """
        kept = {"task": self.task, "max_length": self.max_length, **self.objective.reading.model_dump()}
        if self.thresholds is not None:
            kept["thresholds"] = [round(float(threshold), 6) for threshold in self.thresholds]
        setattr(self.model.config, ADAPTATION, kept)
        self.tokenizer.model_max_length = self.max_length
        self.tokenizer.padding_side = "right"
        write_folder(folder, self.write)

    def write(self, folder: Path) -> None:
        """Write model and tokenizer into an empty folder."""
        with quiet_transformers(), pooling_layer(self.model) if self.mean_pooled else nullcontext():
            self.model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)


def _read(folder: Path, objective: Objective, **options: Any) -> Any:
    """Load a model with its head; adapters that are kept apart are merged.

    Raises:
        ValueError: weights are missing, in whose place transformers puts random ones.
    """
    if not (folder / "adapter_config.json").exists():
        model, found = objective.model_class().from_pretrained(
            folder, trust_remote_code=allowed(folder), output_loading_info=True, **options
        )
        if found["missing_keys"]:
            raise ValueError(f"its weights lack {sorted(found['missing_keys'])[0]}, or it is no whole model")
        return model
    from advisor.backend.adapters import read_adapted

    return read_adapted(folder, objective.model_class(), **options)


def hold_in_bf16(model: Any) -> None:
    """Hold the weights of linear layers in bf16: autocast would convert them anew for every batch, to the same."""
    tied = {id(layer.weight) for layer in model.modules() if isinstance(layer, nn.Embedding)}
    for layer in model.modules():
        if isinstance(layer, nn.Linear) and id(layer.weight) not in tied:
            layer.to(torch.bfloat16)


def _reading(kept: dict[str, Any]) -> ReadingSettings:
    """Return how inputs are read: as the model's files say, else as the rules do."""
    defaults = default_values("full-fine-tuning")
    return ReadingSettings(**{name: kept.get(name, defaults[name]) for name in ReadingSettings.model_fields})


def _task_of(config: Any) -> str:
    """Return the task that a model's configuration tells, text classification where it tells none."""
    kind = (config.architectures or [""])[0]
    if kind.endswith("ForTokenClassification"):
        return "token-classification"
    if kind.endswith("ForQuestionAnswering"):
        return "question-answering"
    problems = {"multi_label_classification": "multi-label", "regression": "regression"}
    return problems.get(getattr(config, "problem_type", None) or "", "text-classification")
