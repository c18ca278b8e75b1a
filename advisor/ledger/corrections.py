"""Corrections: what past runs on a machine teach about forecasts for it."""

from collections.abc import Iterable, Sequence

from advisor.correction import Correction
from advisor.ledger.conformal import Checked, calibrate
from advisor.ledger.entry import Entry
from advisor.settings import load_settings

# Whether passes and updates are apart: how long an answer takes does not depend on how the model was trained.
_APART = {"train_seconds": True, "train_memory_bytes": True, "latency_ms_p50": False, "latency_ms_p95": False}


def corrections(entries: Iterable[Entry], machine: str, basis: str) -> tuple[Correction, ...]:
    """Return the corrections that there are enough runs for.

    A run counts where it ran undisturbed, as planned, on this machine, and its forecast was made from what forecasts
    are made from today. Of several that did the same to the same data the latest counts alone, for they are not
    independent.

    Args:
        entries: of the ledger, oldest first.
        machine: fingerprint of the machine.
        basis: fingerprint of what forecasts are made from.
    """
    usable: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        if entry.machine == machine and entry.basis == basis and _undisturbed(entry):
            did = (entry.data, entry.strategy, entry.model, entry.device, entry.serving_device)
            usable.pop(did, None)
            usable[did] = entry
    found = []
    for quantity, apart in _APART.items():
        at = "serving_device" if quantity.startswith("latency") else "device"
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in usable.values():
            groups.setdefault((getattr(entry, at), entry.work if apart else "any"), []).append(entry)
        for (device, work), group in groups.items():
            correction = _correction(quantity, device, work, group)
            if correction:
                found.append(correction)
    return tuple(found)


def _undisturbed(entry: Entry) -> bool:
    """Return whether it was an encoder's plain run on the devices that its forecast was for."""
    planned = {entry.device, entry.serving_device}
    return (
        entry.kind == "run"
        and entry.engine == "encoder"
        and not entry.resumed
        and not entry.modifiers
        and planned == {entry.ran_on}
    )


def _correction(quantity: str, device: str, work: str, entries: Sequence[Entry]) -> Correction | None:
    settings = load_settings("ledger.yaml")
    checked = [
        Checked(told, measured)
        for entry in entries
        if (told := entry.first_told(quantity)) and told.point > 0 and (measured := entry.found(quantity) or 0) > 0
    ][-int(settings["latest_runs"]) :]
    found = calibrate(checked, settings["coverage"], int(settings["fewest_for_bias"]))
    if found is None:
        return None
    return Correction(quantity, device, work, len(checked), found.bias, found.margin)
