"""Trainers: a stage of alignment carried out by trl, taken up again from its last checkpoint.

trl and datasets are imported when something is trained and not before.
"""

import contextlib
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.backend.alignment.lessons import Lessons, Stage
from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.devices import Device
from advisor.backend.loading import quiet_transformers
from advisor.backend.updates import OnEvent
from advisor.backend.within_memory import out_of_memory
from advisor.errors import InputError, RunError

_STATE = "trainer_state.json"
_CHECKPOINT = "checkpoint-"
_LOGGED = 50
_FEWEST_AT_ONCE = {"kto": 2}


@dataclass(frozen=True)
class Course:
    """What a stage is trained with.

    Attributes:
        model: makes the model, its adapters put on where they learn; called anew after running out of memory.
        validation: lessons that choose the checkpoint; None trains to the end.
        folder: of checkpoints.
        progress: called with steps done and in all.
    """

    stage: Stage
    model: Callable[[], Any]
    tokenizer: Any
    training: Lessons
    validation: Lessons | None
    settings: AlignmentSettings
    max_length: int
    seed: int
    device: Device
    folder: Path
    progress: Callable[[int, int], None]
    notify: OnEvent

    @property
    def steps(self) -> int:
        """Updates in all."""
        return self.settings.updates(len(self.training.records), preferences=self.stage != "sft")


def train(course: Course) -> tuple[Any, list[dict[str, float]]]:
    """Train a stage, or go on with it; the checkpoint with the lowest validation loss is taken where there are some.

    Running out of memory halves what is in memory at once, down to a row (two judgements).

    Returns:
        the model, and the losses on the way.

    Raises:
        InputError: trl is not installed.
        RunError: a row does not fit in memory, or training diverged.
    """
    fewest = _FEWEST_AT_ONCE.get(course.stage, 1)
    per_text = 2 if course.stage == "dpo" else 1
    wished = course.settings.batch_tokens // (per_text * max(1, course.training.longest))
    at_once = max(fewest, _divisor(course.settings.batch_size, max(fewest, wished)))
    while True:
        try:
            return _trained(course, at_once)
        except (MemoryError, RuntimeError) as failure:
            if not out_of_memory(failure):
                raise
            if at_once <= fewest:
                raise RunError(
                    f"out of memory on a single text of {course.training.longest} tokens; set a smaller max_length"
                ) from None
        at_once = max(fewest, _divisor(course.settings.batch_size, at_once // 2))
        course.notify({"event": "out of memory", "stage": course.stage, "rows_at_once": at_once})


def _trained(course: Course, at_once: int) -> tuple[Any, list[dict[str, float]]]:
    with _quiet():
        trainer = _trainer(course, at_once)
        found = _whole_checkpoint(course.folder)
        if found:
            course.notify(
                {"event": "resumed", "stage": course.stage, "step": int(found.name.removeprefix(_CHECKPOINT))}
            )
        course.notify({"event": "training", "stage": course.stage, "steps": course.steps, "rows_at_once": at_once})
        trainer.train(resume_from_checkpoint=str(found) if found else None)
    history = [_numbers(entry) for entry in trainer.state.log_history]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    if not all(map(math.isfinite, losses)):
        raise RunError(f"{course.stage} diverged; set a lower learning rate")
    return trainer.model, history


def _trainer(course: Course, at_once: int) -> Any:
    """Return trl's trainer of the stage."""
    try:
        import datasets
        from trl.trainer.dpo_config import DPOConfig
        from trl.trainer.dpo_trainer import DPOTrainer
        from trl.trainer.kto_config import KTOConfig
        from trl.trainer.kto_trainer import KTOTrainer
        from trl.trainer.sft_config import SFTConfig
        from trl.trainer.sft_trainer import SFTTrainer
    except ImportError as missing:
        raise InputError(
            f"{missing.name} is needed to tune a generator: pip install adaptation-advisor[align]"
        ) from None
    from transformers import EarlyStoppingCallback, PrinterCallback

    settings, validated = course.settings, course.validation is not None
    preferring = {"beta": settings.beta, "precompute_ref_log_probs": True}
    kinds: dict[Stage, tuple[Any, Any, dict[str, Any]]] = {
        "sft": (SFTTrainer, SFTConfig, {"completion_only_loss": True}),
        "dpo": (DPOTrainer, DPOConfig, preferring | _losses(settings)),
        "kto": (KTOTrainer, KTOConfig, preferring),
    }
    kind, config, own = kinds[course.stage]
    if course.stage == "kto":
        own = own | _weights(course.training)
    often = max(1, course.steps // settings.evaluations)
    arguments = config(
        output_dir=str(course.folder),
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=max(1, settings.batch_size // at_once),
        learning_rate=settings.rate(preferences=course.stage != "sft"),
        weight_decay=settings.weight_decay,
        warmup_steps=round(settings.warmup_fraction * course.steps),
        lr_scheduler_type=settings.schedule,
        max_steps=course.steps,
        max_grad_norm=settings.gradient_norm,
        max_length=course.max_length,
        gradient_checkpointing=settings.recompute,
        bf16=course.device.bf16,
        use_cpu=course.device.kind == "cpu",
        dataloader_pin_memory=course.device.kind == "cuda",
        seed=course.seed,
        data_seed=course.seed,
        logging_steps=max(1, course.steps // _LOGGED),
        eval_strategy="steps" if validated else "no",
        eval_steps=often if validated else None,
        save_strategy="steps",
        save_steps=often,
        save_total_limit=2,
        load_best_model_at_end=validated,
        metric_for_best_model="eval_loss" if validated else None,
        greater_is_better=False if validated else None,
        report_to=[],
        disable_tqdm=True,
        **own,
    )
    trainer = kind(
        model=course.model(),
        args=arguments,
        train_dataset=datasets.Dataset.from_list(course.training.records),
        eval_dataset=datasets.Dataset.from_list(course.validation.records) if course.validation else None,
        processing_class=course.tokenizer,
        callbacks=[_watcher(course), *([EarlyStoppingCallback(settings.patience)] if validated else [])],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _losses(settings: AlignmentSettings) -> dict[str, Any]:
    """Return the losses on pairs: that of the pair, and that of writing the chosen answer.

    The first alone can make both answers less likely, as long as the rejected one loses more (Pang et al. 2024,
    arXiv:2404.19733, section 4).
    """
    if not settings.chosen_weight:
        return {}
    return {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, settings.chosen_weight]}


def _weights(found: Lessons) -> dict[str, float]:
    """Return weights by which approved and disapproved answers count alike, as the method's authors advise.

    Ethayarajh et al. 2024 (arXiv:2402.01306), section 4.2, weigh the rarer kind up.
    """
    good = sum(record["label"] for record in found.records)
    bad = len(found.records) - good
    if not good or not bad:
        raise InputError("kto needs approved and disapproved answers; the data hold one kind alone")
    return {"desirable_weight": max(1.0, bad / good), "undesirable_weight": max(1.0, good / bad)}


def _watcher(course: Course) -> Any:
    """Return what tells of steps and losses while trl trains."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            course.progress(state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
            found = _numbers({**(logs or {}), "step": state.global_step})
            if "loss" in found or "eval_loss" in found:
                course.notify({"event": "losses", "stage": course.stage, **found})

    return Watcher()


def _numbers(entry: dict[str, Any]) -> dict[str, float]:
    """Return what is worth keeping of a log entry of trl."""
    names = ("step", "loss", "eval_loss", "eval_rewards/accuracies", "rewards/accuracies", "rewards/margins")
    return {name: round(float(entry[name]), 6) for name in names if isinstance(entry.get(name), int | float)}


def _whole_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint that was written to its end; remove those that were not."""
    found = {}
    for path in folder.glob(f"{_CHECKPOINT}*"):
        if (path / _STATE).exists():
            found[int(path.name.removeprefix(_CHECKPOINT))] = path
        else:
            shutil.rmtree(path, ignore_errors=True)
    return found[max(found)] if found else None


def _divisor(whole: int, most: int) -> int:
    """Return the largest divisor that is no more than ``most``."""
    return next(number for number in range(min(whole, max(1, most)), 0, -1) if whole % number == 0)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep trl, datasets and transformers from writing to the terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import datasets
        except ImportError:
            yield
            return
        bars, asked = datasets.are_progress_bars_disabled(), os.environ.get("TQDM_DISABLE")
        datasets.disable_progress_bars()
        os.environ["TQDM_DISABLE"] = "1"
        try:
            with quiet_transformers():
                yield
        finally:
            if asked is None:
                del os.environ["TQDM_DISABLE"]
            else:
                os.environ["TQDM_DISABLE"] = asked
            if not bars:
                datasets.enable_progress_bars()
