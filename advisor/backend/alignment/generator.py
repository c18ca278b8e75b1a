"""A generator: a causal language model with its chats, which writes answers and tells how likely given ones are."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advisor.backend.adapters import CONFIG as ADAPTER
from advisor.backend.adapters import hub_name
from advisor.backend.alignment.chats import Answered, Chats
from advisor.backend.alignment.settings import GENERATOR_DETAILS
from advisor.backend.arrays import Floats
from advisor.backend.batching import collate
from advisor.backend.devices import Device
from advisor.backend.loading import is_decoder, load_tokenizer, loading, quiet_transformers
from advisor.backend.predictor import Observed
from advisor.backend.remote_code import allowed
from advisor.backend.rows import Rows
from advisor.backend.within_memory import Progress, by_batch
from advisor.errors import InputError
from advisor.files import write_json
from advisor.knowledge.pretrained import length_limit
from advisor.tasks import Input


@dataclass
class Generator:
    """A model that writes.

    Attributes:
        task: id of the task.
        max_length: most tokens of a prompt and its answer.
        answer_tokens: most tokens of an answer.
        base: folder of the pre-trained model whose adapters are kept apart; None where the model is whole.
        reference: loads the model that preferences are measured against; None where there is none.
        labels, thresholds: there are none.
    """

    task: str
    model: Any
    chats: Chats
    device: Device
    max_length: int
    answer_tokens: int
    base: Path | None = None
    reference: Callable[[], "Generator"] | None = None
    labels: list[str] = field(default_factory=list)
    thresholds: Floats | None = None

    @classmethod
    def load(cls, folder: Path, device: Device) -> "Generator":
        """Load what a run wrote.

        Raises:
            InputError: a file is absent or damaged.
        """
        try:
            kept = json.loads((folder / GENERATOR_DETAILS).read_text(encoding="utf-8"))
            task, limits = str(kept["task"]), (int(kept["max_length"]), int(kept["answer_tokens"]))
        except (OSError, ValueError, KeyError, TypeError) as failure:
            raise InputError(f"{folder / GENERATOR_DETAILS}: cannot be read ({failure}); run the plan again") from None
        return cls.pretrained(folder, device, task=task, max_length=limits[0], answer_tokens=limits[1])

    @classmethod
    def pretrained(
        cls, folder: Path, device: Device, *, task: str, max_length: int | None, answer_tokens: int,
        adapter: Path | None = None, apart: bool = False,
    ) -> "Generator":  # fmt: skip
        """Load a causal language model, ready to write.

        Args:
            folder: of the model, or of adapters with their tokenizer, which are then added to their model's weights.
            device: where to compute.
            task: id of the task.
            max_length: most tokens of a prompt and its answer; the model's own limit where None, and at most.
            answer_tokens: most tokens of an answer.
            adapter: folder of adapters to put on.
            apart: whether they are kept apart, rather than added to the weights.

        Raises:
            InputError: the folder holds no model that writes.
        """
        limit = length_limit(folder)
        with loading(folder, "no language model that writes can be loaded from there"):
            model = load_causal(folder)
            if adapter is not None:
                from peft import PeftModel

                model = PeftModel.from_pretrained(model, str(adapter))
                model = model if apart else model.merge_and_unload()
            chats = Chats(load_tokenizer(folder))
        model.generation_config.pad_token_id = chats.tokenizer.pad_token_id
        return cls(
            task=task,
            model=as_computed(model, device).eval(),
            chats=chats,
            device=device,
            max_length=min(limit, max_length or limit),
            answer_tokens=answer_tokens,
            base=folder if apart else None,
        )

    def write(self, inputs: Sequence[Input], progress: Progress | None = None) -> list[str]:
        """Return an answer a prompt, by the likeliest token at each step; a prompt too long is cut at its start."""
        room = min(self.answer_tokens, self.max_length // 2)
        prompts = [self.chats.prompt(one)[-(self.max_length - room) :] for one in inputs]
        found = [""] * len(inputs)
        ends = self.chats.ends(self.model.generation_config)
        tokenizer = self.chats.tokenizer

        def fill(batch: NDArray[np.int64]) -> None:
            ids, mask = _right_aligned([prompts[row] for row in batch], tokenizer.pad_token_id, self.device.torch)
            with torch.inference_mode(), self._precision():
                written = self.model.generate(
                    input_ids=ids, attention_mask=mask, max_new_tokens=room, do_sample=False, num_beams=1,
                    eos_token_id=ends, pad_token_id=tokenizer.pad_token_id, temperature=None, top_p=None, top_k=None,
                )  # fmt: skip
            for row, tokens in zip(batch.tolist(), written[:, ids.shape[1] :].tolist(), strict=True):
                kept = tokens[: next((place for place, token in enumerate(tokens) if token in ends), len(tokens))]
                found[row] = tokenizer.decode(kept, skip_special_tokens=True).strip()

        by_batch([len(ids) + room for ids in prompts], fill, self.device, progress)
        return found

    def likelihoods(self, inputs: Sequence[Input], answers: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return how likely answers are, with their end.

        An answer that does not fit behind its prompt is cut.

        Returns:
            (rows, 2): log-likelihood (natural logarithm, summed over its tokens) and number of tokens.
        """
        pairs = zip(inputs, answers, strict=True)
        return self._scored([self.chats.answered(one, answer) for one, answer in pairs], progress)

    def observe(self, rows: Rows, progress: Progress | None = None) -> Observed:
        """Measure the model on rows with known answers, see `advisor.backend.alignment.observing`."""
        from advisor.backend.alignment.observing import observe

        return observe(self, rows, progress)

    def outputs(self, inputs: Sequence[Input], progress: Progress | None = None) -> Floats:
        """Return what another process must repeat for the same prompts.

        Returns:
            (rows, 2): mean log-likelihood of the prompt's own tokens, and the log-probability of the likeliest token
            after it.
        """
        prompts = [self.chats.prompt(one)[: self.max_length] for one in inputs]
        found = np.zeros((len(prompts), 2), dtype=np.float32)

        def fill(batch: NDArray[np.int64]) -> None:
            rows = [prompts[row] for row in batch]
            logits = self._logits(rows)
            for row, ids, own in zip(batch.tolist(), rows, logits, strict=True):
                chances = own[: len(ids)].float().log_softmax(-1)
                right = chances[:-1].gather(1, torch.tensor(ids[1:], device=chances.device)[:, None])
                found[row] = float(right.mean()) if len(ids) > 1 else 0.0, float(chances[-1].max())

        by_batch([len(ids) for ids in prompts], fill, self.device, progress)
        return found

    def in_fp32(self) -> "Generator":
        """Return the model computing in fp32; its weights are turned into fp32 in place."""
        return replace(self, model=self.model.float(), device=self.device.in_fp32())

    def save(self, folder: Path) -> None:
        """Write the model as transformers or, where adapters are kept apart, PEFT reads it."""
        with quiet_transformers():
            if self.base is not None:
                config = self.model.peft_config["default"]
                config.base_model_name_or_path, config.revision = hub_name(self.base)
                self.model.get_base_model().config.save_pretrained(folder)
                self.model.save_pretrained(folder)
                for card in folder.glob("README.md"):
                    card.unlink()
            else:
                computed = self.model.dtype
                self.model.to(stored_dtype(self.model.config)).save_pretrained(folder)
                self.model.to(computed)
            self.chats.tokenizer.save_pretrained(folder)
        details = {"schema": 1, "task": self.task, "max_length": self.max_length, "answer_tokens": self.answer_tokens}
        write_json(folder / GENERATOR_DETAILS, details)

    def _scored(self, rows: Sequence[Answered], progress: Progress | None) -> Floats:
        found = np.zeros((len(rows), 2), dtype=np.float32)
        cut = [row.ids[: self.max_length] for row in rows]

        def fill(batch: NDArray[np.int64]) -> None:
            logits = self._logits([cut[row] for row in batch])
            for row, own in zip(batch.tolist(), logits, strict=True):
                ids, start = cut[row], max(1, rows[row].prompt)
                if start >= len(ids):
                    continue
                chances = own[start - 1 : len(ids) - 1].float().log_softmax(-1)
                right = chances.gather(1, torch.tensor(ids[start:], device=chances.device)[:, None])
                found[row] = float(right.double().sum()), len(ids) - start

        by_batch([len(ids) for ids in cut], fill, self.device, progress)
        return found

    @torch.inference_mode()
    def _logits(self, rows: Sequence[Sequence[int]]) -> Tensor:
        ids, mask = collate(rows, self.chats.tokenizer.pad_token_id, self.device.torch)
        with self._precision():
            logits: Tensor = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        return logits

    @contextmanager
    def _precision(self) -> Iterator[None]:
        with torch.autocast(self.device.kind, dtype=torch.bfloat16, enabled=self.device.bf16):
            yield


def load_causal(folder: Path, dtype: torch.dtype | None = None) -> Any:
    """Return a causal language model with its weights, as its files hold them unless another number format is named.

    Raises:
        OSError, ValueError: it is none, or cannot be loaded.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    trusted = allowed(folder)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=trusted)
    if not (is_decoder(config) or trusted):
        raise ValueError(f"a {config.model_type} fills gaps or labels texts; name a causal language model")
    if (folder / ADAPTER).exists():
        from advisor.backend.adapters import read_adapted

        return read_adapted(folder, AutoModelForCausalLM, dtype=dtype or "auto")
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype or "auto", use_safetensors=True, trust_remote_code=trusted
    )


def stored_dtype(config: Any) -> torch.dtype:
    """Return the number format that a model's files hold its weights in, as its configuration says."""
    named = getattr(config, "dtype", None)
    named = getattr(torch, named) if isinstance(named, str) else named
    return named if isinstance(named, torch.dtype) else torch.float32


def as_computed(model: Any, device: Device) -> Any:
    """Return a model on its device; weights held in 16 bits stay so where the device computes in them."""
    held = model.dtype if device.bf16 and device.kind != "cpu" else torch.float32
    return model.to(device=device.torch, dtype=held)


def _right_aligned(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return ids and mask with the padding before each row, so that all answers begin at one place."""
    ids, mask = collate([row[::-1] for row in rows], pad, device)
    return ids.flip(1), mask.flip(1)
