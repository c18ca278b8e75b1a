"""A typical project, for which the doctor says what fits and how long it takes."""

from advisor.knowledge.hardware import card_name
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine
from advisor.settings import load_settings


def typical_facts(machine: Machine, device: str) -> dict[str, Value]:
    """Return the facts of a text classification, trained and served on one device of this machine.

    Args:
        machine: this one.
        device: ``cpu`` or ``gpu``.
    """
    rules = load_settings("doctor.yaml")
    card = card_name(machine.cards[0]) if device == "gpu" and machine.cards else None
    return {
        "task.type": "text-classification",
        "classes": rules["doctor_classes"],
        "labels_per_class": rules["doctor_rows"] / rules["doctor_classes"],
        "data.labelled": rules["doctor_rows"],
        "data.tokens_median": rules["doctor_tokens"],
        "data.tokens_p95": rules["doctor_tokens_p95"],
        "compute.device": device,
        "compute.devices": 1,
        "compute.usd_per_hour": 0.0,
        "serving.device": device,
        "compute.card": card,
        "serving.card": card,
    }
