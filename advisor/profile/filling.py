"""Filling a profile: what a data file and this machine tell, taken only where the profile is silent."""

from collections import Counter
from pathlib import Path
from typing import Any

from advisor.data.lengths import quantiles
from advisor.data.reading import DataSource, LabelledData
from advisor.machine import Machine
from advisor.profile.profile import Profile

TOKENS_PER_WORD = 4 / 3
SPECIAL_TOKENS = 2


def data_source(profile: Profile, folder: Path) -> DataSource | None:
    """Return where the profile's data are, relative paths taken from ``folder``; None where it names none."""
    data = profile.data
    if data.path is None:
        return None
    local = folder / data.path
    return DataSource(
        path=local if local.exists() or data.path.startswith((".", "/")) or local.suffix else data.path,
        test=folder / data.test if data.test else None,
        text_column=data.text,
        label_column=data.label,
    )


def fill_from_data(profile: Profile, data: LabelledData) -> Profile:
    """Return the profile with what the data tell: counts, labels, lengths in tokens (estimated from words).

    A token count is the word count times 4/3, the usual ratio for English word pieces, plus two special tokens.
    """
    counts = Counter(data.train.labels)
    lengths = quantiles([len(text.split()) for text in data.train.texts])
    told: dict[str, Any] = {
        "task.type": "text-classification",
        "task.labels": {name: None for name in sorted(counts)},
        "data.labelled": len(data.train),
        "data.smallest_class": min(counts.values()),
        "data.unlabelled": len(data.unlabelled),
        "data.tokens_median": round(lengths.p50 * TOKENS_PER_WORD) + SPECIAL_TOKENS,
        "data.tokens_p95": round(lengths.p95 * TOKENS_PER_WORD) + SPECIAL_TOKENS,
    }
    if profile.data.classes is not None:
        told.pop("task.labels")
    return fill(profile, told)


def fill_from_machine(profile: Profile, machine: Machine) -> Profile:
    """Return the profile with this machine as the place of training, where none is named."""
    if profile.compute.device is not None:
        return profile
    told: dict[str, Any] = {"compute.device": "gpu" if machine.gpu else "cpu", "compute.devices": 1}
    if machine.memory_bytes and not machine.gpu:
        told["compute.memory_gb"] = round(machine.memory_bytes / 1e9, 1)
    return fill(profile, told)


def fill(profile: Profile, told: dict[str, Any]) -> Profile:
    """Return the profile with answers it lacks, marked as detected."""
    return profile.with_answers(
        {name: value for name, value in told.items() if value is not None and profile.get(name) is None},
        "detected",
    )
