"""Classifiers of three sentiments with a new head."""

from pathlib import Path

from advisor.backend.devices import Device
from advisor.backend.new_head import with_new_head
from advisor.backend.objectives import objective_for
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning_settings import ReadingSettings

LABELS = ["negative", "neutral", "positive"]


def new_model(folder: Path, cpu: Device, seed: int = 0, max_length: int | None = None) -> TunedModel:
    reading = ReadingSettings(long_texts="truncate", overlap=0.3, longest_answer=30)
    objective = objective_for("text-classification", LABELS, reading)
    return with_new_head(folder, objective, cpu, seed=seed, max_length=max_length)
