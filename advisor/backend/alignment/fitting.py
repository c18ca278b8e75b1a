"""Fitting a generator: the stages of a strategy one after the other, each finished once, then the model to keep."""

import gc
import hashlib
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from advisor.backend.adapters import lora_config
from advisor.backend.alignment.chats import Chats
from advisor.backend.alignment.generator import Generator, load_causal, stored_dtype
from advisor.backend.alignment.lessons import Lessons, Stage, lessons
from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.alignment.trainers import Course, train
from advisor.backend.devices import Device
from advisor.backend.loading import load_tokenizer, loading, quiet_transformers
from advisor.backend.remote_code import allow, allowed
from advisor.backend.rows import Rows
from advisor.backend.updates import OnEvent, StepProgress
from advisor.errors import RunError
from advisor.files import write_json
from advisor.knowledge.pretrained import content_digest, length_limit

_FOLDER = "last"
_RECORD = "stages.json"


class Aligned(NamedTuple):
    """A fitted generator, and what was found on the way by stage."""

    model: Generator
    stages: dict[str, dict[str, Any]]


def align(
    base: Path,
    task: str,
    stages: Sequence[Stage],
    training: Rows,
    validation: Rows | None,
    settings: AlignmentSettings,
    *,
    seed: int,
    device: Device,
    workspace: Path,
    max_length: int | None = None,
    progress: StepProgress | None = None,
    on_event: OnEvent | None = None,
) -> Aligned:
    """Tune a causal language model; the same call again goes on from where it stopped.

    Every stage starts where the one before ended, which is also what a stage on preferences is measured against.

    Args:
        base: folder of the pre-trained model.
        task: id of the task.
        stages: what it learns from, in order: demonstrations, then preferences or judgements.
        training: rows to learn from.
        validation: rows that choose the checkpoint; None trains to the end.
        settings: hyper-parameters.
        seed: of adapters, of the order of rows and of dropout.
        device: where to compute.
        workspace: where checkpoints and finished stages are kept, in ``last/``.
        max_length: cut prompt and answer at so many tokens.
        progress: told step, steps in all and no loss after every update.
        on_event: told, as a dict with ``event``, of stages, losses, resumption and memory.

    Raises:
        InputError: the folder holds no model that writes, the data hold nothing that a stage learns from, or trl is not
            installed.
        RunError: what is kept belongs to other settings or data, a row does not fit in memory, or training diverged.
    """
    if settings.export == "adapter" and allowed(base):
        raise RunError(f"{base.name} comes with code of its own, which adapters kept apart would lack; export=merged")
    notify = on_event or (lambda event: None)
    folder = workspace / _FOLDER
    limit = length_limit(base)
    length = min(limit, max_length or limit, settings.max_length or limit)
    _claim(folder, [base, task, list(stages), training, validation, settings, seed, length])
    with loading(base, "no language model that writes can be loaded from there"):
        chats = Chats(load_tokenizer(base))
    taught = [_taught(stage, training, validation, chats, length, seed, notify) for stage in stages]
    counts = [
        settings.updates(len(one[0].records), preferences=stage != "sft")
        for stage, one in zip(stages, taught, strict=True)
    ]
    found: dict[str, dict[str, Any]] = {}
    before: Path | None = None
    for number, (stage, (learnt, held)) in enumerate(zip(stages, taught, strict=True)):
        done = folder / stage
        if not done.exists():
            earlier = sum(counts[:number])
            course = Course(
                stage=stage,
                model=partial(_trainable, base, before, settings, device, seed, chats.tokenizer),
                tokenizer=chats.tokenizer,
                training=learnt,
                validation=held,
                settings=settings,
                max_length=length,
                seed=seed,
                device=device,
                folder=folder / f"{stage}-checkpoints",
                progress=lambda step, steps, earlier=earlier: (  # type: ignore[misc]
                    progress(earlier + step, sum(counts), float("nan")) if progress else None
                ),
                notify=notify,
            )
            model, history = train(course)
            _keep(model, chats, base, done, _told(learnt, history, course.steps))
            del model
            _forget()
            shutil.rmtree(course.folder, ignore_errors=True)
        found[stage] = json.loads((done / _RECORD).read_text(encoding="utf-8"))
        notify({"event": "tuned", "stage": stage, "steps": found[stage]["steps"]})
        before = done
    assert before is not None
    model = partial(_tuned, base, task, settings, device, length)
    fitted = model(before)
    if len(stages) > 1:
        fitted.reference = partial(model, folder / stages[-2])
    return Aligned(fitted, found)


def _taught(
    stage: Stage, training: Rows, validation: Rows | None, chats: Chats, length: int, seed: int, notify: OnEvent
) -> tuple[Lessons, Lessons | None]:
    learnt = lessons(stage, training, chats, length, seed)
    if learnt.left_out or learnt.cut:
        notify({"event": "too long", "stage": stage, "left_out": learnt.left_out, "cut": learnt.cut, "limit": length})
    return learnt, lessons(stage, validation, chats, length, seed) if validation is not None else None


def _trainable(
    base: Path, before: Path | None, settings: AlignmentSettings, device: Device, seed: int, tokenizer: Any
) -> Any:
    """Return the model that a stage starts from, its adapters put on."""
    adapters = settings.weights == "adapters"
    # Weights that stay may be held in 16 bits; those that learn would lose small steps.
    held = torch.bfloat16 if adapters and device.bf16 and device.kind != "cpu" else torch.float32
    with quiet_transformers():
        if not adapters:
            return load_causal(before or base, held)
        from peft import PeftModel, get_peft_model

        model = load_causal(base, held)
        if before is not None:
            return PeftModel.from_pretrained(model, str(before), is_trainable=True)
        config = lora_config(model, settings)
        config.task_type = "CAUSAL_LM"
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return get_peft_model(model, config)


def _keep(model: Any, chats: Chats, base: Path, target: Path, record: dict[str, Any]) -> None:
    """Write a stage's model to ``target``, whole or not at all."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with quiet_transformers():
        for name in list(getattr(model, "peft_config", {})):
            if name != "default":
                model.delete_adapter(name)
        model.save_pretrained(unfinished)
        chats.tokenizer.save_pretrained(unfinished)
    if allowed(base):
        allow(target)
    write_json(unfinished / _RECORD, record)
    unfinished.rename(target)


def _tuned(base: Path, task: str, settings: AlignmentSettings, device: Device, length: int, stage: Path) -> Generator:
    """Return the model that a stage ended with, its weights rounded as the pre-trained model's files hold them."""
    load = partial(
        Generator.pretrained, device=device, task=task, max_length=length, answer_tokens=settings.answer_tokens
    )
    if settings.weights == "adapters":
        return load(base, adapter=stage, apart=settings.export == "adapter")
    model = load(stage)
    from transformers import AutoConfig

    with quiet_transformers():
        held = stored_dtype(AutoConfig.from_pretrained(base, trust_remote_code=allowed(base)))
    computed = model.model.dtype
    model.model.to(held).to(computed)
    model.model.config.dtype = held
    return model


def _told(learnt: Lessons, history: list[dict[str, float]], steps: int) -> dict[str, Any]:
    losses = [entry["loss"] for entry in history if "loss" in entry]
    return {
        "steps": steps,
        "rows": len(learnt.records),
        "left_out": learnt.left_out,
        "cut": learnt.cut,
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
        "evaluations": [entry for entry in history if "eval_loss" in entry],
    }


def _claim(folder: Path, parts: list[Any]) -> None:
    """Mark a folder as this run's.

    Raises:
        RunError: it is another's.
    """
    told = [
        content_digest(part) if isinstance(part, Path)
        else [list(part.inputs), [list(target) for target in part.targets]] if isinstance(part, Rows)
        else part.model_dump() if isinstance(part, AlignmentSettings)
        else part
        for part in parts
    ]  # fmt: skip
    identity = hashlib.sha256(json.dumps(told).encode("utf-8", "surrogatepass")).hexdigest()
    path = folder / "of.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != {"fingerprint": identity}:
        raise RunError(
            f"{folder}: holds checkpoints of other settings, data or model; write to another folder, or remove this "
            "one to start over"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, {"fingerprint": identity})


def _forget() -> None:
    """Give memory back before the next model is loaded."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
