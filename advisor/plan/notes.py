"""Notes: what a plan leaves out, cuts or does otherwise than usual, each a sentence."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from advisor.backend.tuning_settings import TuningSettings
from advisor.data.lengths import TokenLengths
from advisor.strategies.modifiers import DISTILLATION, MORE_PRETRAINING
from advisor.tasks import WRITING, Task


def left_out(modifiers: Mapping[str, Any]) -> list[str]:
    """Say what the stand-alone recipe does not do."""
    left = {
        MORE_PRETRAINING: "recipe.py starts from the encoder as it is: it leaves further pre-training out.",
        DISTILLATION: "recipe.py learns from the labelled rows alone: it leaves the teacher out.",
    }
    return [note for name, note in left.items() if name in modifiers]


def smaller_parts(settings: BaseModel, usual: BaseModel) -> list[str]:
    """Say that less than usual is computed at once."""
    if settings == usual:
        return []
    tokens = getattr(settings, "batch_tokens", 0)
    return [f"{tokens:,} tokens are computed at once, for more might not fit in memory; gradients add up to the same."]


def recipe_memory(settings: BaseModel) -> list[str]:
    """Say where the stand-alone recipe takes more memory."""
    if isinstance(settings, TuningSettings) and settings.recompute:
        return ["recipe.py keeps activations rather than computing them again: it takes more memory than the run."]
    return []


def cut_texts(task: Task, settings: BaseModel, lengths: TokenLengths | None) -> list[str]:
    """Say how many rows the model does not read whole, and what becomes of them."""
    if lengths is None or not lengths.truncated or task.predicts == "span":
        return []
    longer = (
        f"{lengths.truncated:.1%} of the {task.unit} are longer than the {lengths.limit} tokens that the model reads"
    )
    if task.predicts in WRITING:
        return [f"{longer}, with their answers; what is beyond is not learnt."]
    if task.predicts == "tags":
        return [f"{longer}; words beyond that get no tag."]
    how = getattr(settings, "long_texts", "truncate")
    if how == "windows":
        return [f"{longer}; they are read in windows."]
    lost = "their middle" if how == "head-tail" else "their end"
    wide = (
        " --hyper long_texts=windows reads them whole."
        if hasattr(settings, "long_texts") and task.reads == "text"
        else ""
    )
    return [f"{longer}; {lost} is cut off.{wide}"]
