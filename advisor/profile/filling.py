"""Filling a profile: what a data file and this machine tell, taken only where the profile is silent."""

from pathlib import Path
from typing import Any

from advisor.data.counts import count_labels
from advisor.data.examples import in_order
from advisor.data.feedback import feedback_kind, whole_lengths
from advisor.data.lengths import estimated_tokens, word_counts
from advisor.data.reading import DataSource, LabelledData
from advisor.machine import Machine
from advisor.profile.profile import Profile

FEWEST_CLASSES = 2
"""An entity of the only type, or none: so many classes has the smallest task."""


def data_source(profile: Profile, folder: Path) -> DataSource | None:
    """Return where the profile's data are, relative paths taken from ``folder``; None where it names none."""
    data = profile.data
    if data.path is None:
        return None
    local = folder / data.path
    return DataSource(
        path=data.path if not local.exists() and _is_elsewhere(data.path) else local,
        test=folder / data.test if data.test else None,
        text_column=data.text,
        label_column=data.label,
        pair_column=data.pair,
    )


def _is_elsewhere(path: str) -> bool:
    """Return whether a path may be a hub id, or is an address, rather than a file that is missing."""
    return "://" in path or not (path.startswith((".", "/")) or Path(path).suffix)


def fill_from_data(profile: Profile, data: LabelledData) -> Profile:
    """Return the profile with what the data tell: task, counts, labels, lengths in tokens (estimated from words).

    Words that are tagged count by sentences, their classes are the types of entities; the rarest type counts by its
    entities, as far as there are so many sentences. Prompts count with their answers. Where no row has a label, lengths
    are those of the rows without.
    """
    kind = feedback_kind(data.train.labels)
    read = data.train.inputs or data.train_part.unlabelled
    words = whole_lengths(data.train) if kind else word_counts(read)
    median, p95 = estimated_tokens(words, 1 if data.pair_column is None else 2)
    return profile.with_detected(
        {
            "task.type": data.task,
            **_told_of_labels(profile, data),
            "lifecycle.feedback": kind,
            "data.labelled": len(data.train),
            "data.unlabelled": len(data.unlabelled),
            "data.tokens_median": median,
            "data.tokens_p95": p95,
        },
    )


def _told_of_labels(profile: Profile, data: LabelledData) -> dict[str, Any]:
    """Return the names or the number of classes and the rows of the rarest; nothing for numbers and answers.

    Where the profile counts other rows than the data have, labels are taken to come in the data's proportions.
    """
    counts = count_labels(data.task, data.train)
    if not counts:
        return {}
    labelled = len(data.train) if profile.data.labelled is None else profile.data.labelled
    told: dict[str, Any] = {"data.smallest_class": min(min(counts.values()) * labelled // len(data.train), labelled)}
    if profile.data.classes is not None or profile.task.labels:
        return told
    if len(counts) < FEWEST_CLASSES:
        told["data.classes"] = FEWEST_CLASSES
    else:
        told["task.labels"] = {name: None for name in in_order(set(counts))}
    return told


def fill_from_machine(profile: Profile, machine: Machine) -> Profile:
    """Return the profile with this machine as the place of training, where none is named."""
    if profile.compute.device is not None:
        return profile
    told: dict[str, Any] = {"compute.device": "gpu" if machine.gpu else "cpu", "compute.devices": 1}
    if machine.memory_bytes and not machine.gpu:
        told["compute.memory_gb"] = round(machine.memory_bytes / 1e9, 1)
    return profile.with_detected(told)
