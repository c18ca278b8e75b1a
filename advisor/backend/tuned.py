"""A tuned model: a transformers model with a task's head; inputs in, outputs out; saved as transformers saves."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from advisor.backend.arrays import Floats
from advisor.backend.batching import token_batches
from advisor.backend.devices import Device
from advisor.backend.encoder import (
    collate,
    declared_pooling,
    is_decoder,
    load_tokenizer,
    loading,
    quiet_transformers,
)
from advisor.backend.head_start import probe_weights
from advisor.backend.objectives import Objective, Unit, objective_for
from advisor.backend.pooling_layer import expressible, head_logits, pooling_layer, start_near_linear, text_vector
from advisor.backend.remote_code import allowed
from advisor.backend.task_head import head_note, output_layer, read_encoder, renew, unread
from advisor.backend.tuning_settings import ReadingSettings
from advisor.backend.within_memory import out_of_memory
from advisor.errors import RunError
from advisor.knowledge.hyperparameters import default_values
from advisor.knowledge.pretrained import length_limit
from advisor.tasks import TASKS, Input

Progress = Callable[[int, int], None]
ADAPTATION = "adaptation"
_FAILED = "no model can be loaded from there"
_PREDICTION_TOKENS = 4096
_MOST_PROBED = 5000


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
    def with_new_head(
        cls, encoder: Path, objective: Objective, device: Device, *, seed: int, max_length: int | None = None
    ) -> "TunedModel":
        """Load a pre-trained encoder, discard its pre-training head and put an untrained one for the task on.

        A head on whole texts reads the mean of the tokens where the encoder's files declare that it was trained so and
        its type allows the export of that; else it is the stock head.

        Raises:
            InputError: the folder holds no encoder that can be loaded.
        """
        with loading(encoder, _FAILED), torch.random.fork_rng():
            torch.manual_seed(seed)
            model, found = _model_class(objective).from_pretrained(
                encoder,
                **objective.configuration(),
                dtype=torch.float32,
                attn_implementation=_attention(device),
                trust_remote_code=allowed(encoder),
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
            tokenizer = _tokenizer(encoder, objective)
            limit = length_limit(encoder)
            pooling, declared = declared_pooling(encoder)
            missing = {*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])}
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
        _pad(model.config, tokenizer)
        objective.offset = output_layer(model).bias is not None
        mean = mean_pooled or getattr(model.config, "classifier_pooling", None) == "mean"
        return cls(
            model=model.to(device.torch).eval(),
            tokenizer=tokenizer,
            objective=objective,
            device=device,
            max_length=min(limit, max_length or limit),
            mean_pooled=mean_pooled,
            head_note=head_note(encoder, model, objective, dropped=dropped, missing=missing, mean=mean),
        )

    @classmethod
    def load(cls, folder: Path, device: Device) -> "TunedModel":
        """Load what `save` wrote, or any transformers model with a head for one of the tasks, to give answers.

        Raises:
            InputError: the folder holds no model that can be loaded.
        """
        from transformers import AutoConfig

        with loading(folder, _FAILED):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=allowed(folder))
            kept = getattr(config, ADAPTATION, None) or {}
            task = kept.get("task") or _task_of(config)
            labels = [config.id2label[number] for number in range(config.num_labels)]
            predicts = TASKS[task].predicts
            objective = objective_for(task, [] if predicts in ("number", "span") else labels, _reading(kept))
            model = _read(folder, objective, dtype=torch.float32, attn_implementation=_attention(device))
            tokenizer = _tokenizer(folder, objective)
            limit = length_limit(folder)
        _pad(model.config, tokenizer)
        thresholds = kept.get("thresholds")
        if device.bf16:
            _narrow(model)
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
        pad, device = int(self.tokenizer.pad_token_id or 0), self.device.torch
        ids, mask = collate([unit.ids for unit in units], pad, device)
        told = getattr(self.model.config, "type_vocab_size", 0) > 1
        kinds = [unit.kinds for unit in units if unit.kinds is not None and told]
        known = {"token_type_ids": collate(kinds, 0, device)[0]} if kinds else {}
        with torch.autocast(self.device.kind, dtype=torch.bfloat16, enabled=self.device.bf16):
            if self.mean_pooled:
                hidden = self.model.base_model(input_ids=ids, attention_mask=mask, **known).last_hidden_state
                vectors = text_vector(hidden, mask, self.model.config.layer_norm_eps)
                return head_logits(self.model, vectors).float()
            return self.objective.read(self.model(input_ids=ids, attention_mask=mask, **known))

    def outputs(self, inputs: Sequence[Input], progress: Progress | None = None) -> Floats:
        """Return the outputs of all rows, as `advisor.backend.predictor` defines them.

        Raises:
            RunError: memory runs out on a single unit.
        """
        units = self.units(inputs)
        found = self.by_batch(units, lambda batch: self.objective.found(self.logits(batch), batch), progress)
        return self.objective.merged(units, found, inputs)

    def head_inputs(self, units: Sequence[Unit]) -> Floats:
        """Return what the output layer reads for each item it answers for, float32 (items, width of the head)."""
        read: list[Tensor] = []
        hook = self.output_layer.register_forward_pre_hook(lambda layer, inputs: read.append(inputs[0]))

        def inputs(batch: Sequence[Unit]) -> list[Floats]:
            read.clear()
            self.logits(batch)
            return self.objective.split(self.objective.items(read[0].float(), batch).cpu().numpy(), batch)

        try:
            return np.concatenate(self.by_batch(units, inputs))
        finally:
            hook.remove()

    def start_head(self, units: Sequence[Unit], aims: Sequence[Any], c: float) -> None:
        """Set the output layer to a regularised linear model of what it reads, so that tuning starts from a probe.

        Then the first gradients do not distort the encoder to suit a random head (Kumar et al. 2022,
        arXiv:2202.10054). Where the layer has no bias (decoders), the bias is given along the mean of what it reads.

        Args:
            units: training units; a few thousand of many do.
            aims: the target of each.
            c: inverse regularisation strength, scikit-learn's C.
        """
        some = np.random.default_rng(0).permutation(len(units))[:_MOST_PROBED]
        features = self.head_inputs([units[number] for number in some])
        targets = self.objective.item_targets([aims[number] for number in some])
        weight, bias = probe_weights(self.objective.task.predicts, features, targets, self.objective.width, c)
        with torch.no_grad():
            self.output_layer.weight.copy_(torch.from_numpy(weight))
            if self.output_layer.bias is not None:
                self.output_layer.bias.copy_(torch.from_numpy(bias))
            else:
                mean = features.mean(axis=0)
                self.output_layer.weight.add_(torch.from_numpy(np.outer(bias, mean / (mean @ mean))))

    @torch.no_grad()
    def start_bias(self, bias: Floats) -> None:
        """Set the output layer's constants, (width,), where it has some."""
        if self.output_layer.bias is not None:
            self.output_layer.bias.copy_(torch.from_numpy(bias))

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
        lengths = np.array([len(unit.ids) for unit in units], dtype=np.int64)
        left, done, budget = np.arange(len(units)), np.zeros(len(units), dtype=bool), _PREDICTION_TOKENS
        while len(left):
            try:
                for batch in token_batches(lengths[left].tolist(), budget):
                    rows = left[batch]
                    for row, result in zip(rows, compute([units[row] for row in rows]), strict=True):
                        found[row] = result
                    done[rows] = True
                    if progress:
                        progress(int(done.sum()), len(units))
            except (MemoryError, RuntimeError) as failure:
                if not out_of_memory(failure):
                    raise
                if budget <= lengths.max():
                    raise RunError("not even one text fits in memory; set a smaller max_length") from None
                budget //= 2
            left = np.flatnonzero(~done)
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
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        kept = {"task": self.task, "max_length": self.max_length, **self.objective.reading.model_dump()}
        if self.thresholds is not None:
            kept["thresholds"] = [round(float(threshold), 6) for threshold in self.thresholds]
        setattr(self.model.config, ADAPTATION, kept)
        try:
            self.tokenizer.model_max_length = self.max_length
            self.tokenizer.padding_side = "right"
            self.write(temporary)
            temporary.chmod(0o755)
            if folder.exists():
                shutil.rmtree(folder)
            temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def write(self, folder: Path) -> None:
        """Write model and tokenizer into an empty folder."""
        with quiet_transformers(), pooling_layer(self.model) if self.mean_pooled else nullcontext():
            self.model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)


def _model_class(objective: Objective) -> Any:
    import transformers

    return getattr(transformers, objective.auto_class)


def _read(folder: Path, objective: Objective, **options: Any) -> Any:
    """Load a model with its head; adapters that are kept apart are merged.

    Raises:
        ValueError: weights are missing, in whose place transformers puts random ones.
    """
    if not (folder / "adapter_config.json").exists():
        model, found = _model_class(objective).from_pretrained(
            folder, trust_remote_code=allowed(folder), output_loading_info=True, **options
        )
        if found["missing_keys"]:
            raise ValueError(f"its weights lack {sorted(found['missing_keys'])[0]}, or it is no whole model")
        return model
    from advisor.backend.adapters import read_adapted

    return read_adapted(folder, _model_class(objective), **options)


def _narrow(model: Any) -> None:
    """Hold the weights of linear layers in bf16: autocast would convert them anew for every batch, to the same."""
    tied = {id(layer.weight) for layer in model.modules() if isinstance(layer, nn.Embedding)}
    for layer in model.modules():
        if isinstance(layer, nn.Linear) and id(layer.weight) not in tied:
            layer.to(torch.bfloat16)


def _tokenizer(folder: Path, objective: Objective) -> Any:
    """Load a tokenizer; one that tells a word's start by a space must be told so to read words apart."""
    tokenizer = load_tokenizer(folder)
    if objective.prefix_space and getattr(tokenizer, "add_prefix_space", None) is False:
        return load_tokenizer(folder, add_prefix_space=True)
    return tokenizer


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


def _attention(device: Device) -> str | None:
    """Return the attention that is fastest on short texts: eager on a CPU, elsewhere fused where the type has it."""
    return "eager" if device.kind == "cpu" else None


def _pad(config: Any, tokenizer: Any) -> None:
    """Tell a decoder what its tokenizer pads with: its head looks for the last token before."""
    text = config.get_text_config()
    if text.pad_token_id is None or is_decoder(text):
        text.pad_token_id = tokenizer.pad_token_id
