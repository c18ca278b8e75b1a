"""A project: a profile with its data read, and with what data, cards, prices and machine tell filled in."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from advisor.data.checks import no_label_in
from advisor.data.reading import DataSource, LabelledData, load_labelled
from advisor.errors import InputError
from advisor.knowledge.catalogue import describe_model, unknown_model
from advisor.knowledge.hardware import card_name, fill_from_card
from advisor.knowledge.hub import fetch_configuration, looks_like_hub_id
from advisor.knowledge.prices import fill_from_prices
from advisor.machine import Machine, this_machine
from advisor.profile import Profile, load_profile
from advisor.profile.filling import data_source, fill_from_data, fill_from_machine
from advisor.tasks import TASKS


class Project(NamedTuple):
    """A profile as far as it is known, and its data where there are any; perhaps no row of them has a label.

    Attributes:
        notes: what a person should know of how it was filled in, a sentence each.
    """

    profile: Profile
    data: LabelledData | None
    notes: tuple[str, ...] = ()


def open_project(
    profile: Path | None = None,
    *,
    data: DataSource | None = None,
    settings: Mapping[str, Any] | None = None,
    machine: Machine | None = None,
) -> Project:
    """Read a profile and its data; either may be left out.

    Args:
        profile: the profile's file; an empty profile if left out.
        data: what takes the place of the data that the profile names.
        settings: answers by dotted name that take precedence over the profile's.
        machine: where training happens unless the profile says otherwise; this machine if left out.

    Raises:
        InputError: a file is absent or breaks its schema, or a card is named that is not known.
        DataError: the data cannot be read as those of the profile's task, or of any task where it names none.
    """
    known = load_profile(profile) if profile else _unnamed(data)
    if profile and known.model.base and (profile.parent / known.model.base).is_dir():
        known = known.with_answers({"model.base": str((profile.parent / known.model.base).resolve())}, "file")
    known = known.with_answers(settings or {}, "flag")
    source = data or data_source(known, profile.parent if profile else Path())
    labelled = _read(known, source)
    filled, prices = fill_from_prices(_filled(known, labelled, machine or this_machine()), date.today())
    return Project(filled, labelled, (*_unlabelled(labelled), *prices, *_learn_models(filled)))


def fill_project(profile: Profile, folder: Path, machine: Machine) -> Profile:
    """Return a profile with what its data and the machine tell, relative paths taken from ``folder``.

    Raises:
        DataError: the data cannot be read as those of the profile's task, or of any task where it names none.
    """
    return _filled(profile, _read(profile, data_source(profile, folder)), machine)


def _read(profile: Profile, source: DataSource | None) -> LabelledData | None:
    if source is None or profile.task.type not in (None, *TASKS):
        return None
    return load_labelled(source, profile.task.type, labels_needed=False)


def _unlabelled(data: LabelledData | None) -> list[str]:
    if data is None or data.train:
        return []
    part = data.train_part
    return [f"{part.path}: {no_label_in(part, data.label_column)}, so they count as unlabelled"]


def _filled(profile: Profile, data: LabelledData | None, machine: Machine) -> Profile:
    told = fill_from_card(fill_from_data(profile, data) if data else profile)
    here = fill_from_machine(told, machine)
    card = card_name(machine.cards[0]) if machine.cards else None
    if card is None or told.compute.device is not None or here.compute.device != "gpu":
        return here
    return fill_from_card(here.with_detected({"compute.card": card}))


def _learn_models(profile: Profile) -> list[str]:
    """Fetch the configurations of hub models that are not known yet; return why one cannot be had, or is no model."""
    model = profile.model
    named = [model.base, model.llm_name if model.llm == "local" else None]
    notes = []
    for name in named:
        if name in (None, "auto") or describe_model(name):
            continue
        if not looks_like_hub_id(name):
            notes += [f"{unknown_model(name)}; forecasts leave it open"] if name == model.base else []
            continue
        try:
            if profile.constraints.air_gapped:
                raise InputError(f"{name}: unknown here, and no network may be used; name a folder")
            fetch_configuration(name, model.revision if name == model.base else None)
            describe_model.cache_clear()
        except InputError as failure:
            notes.append(f"{failure}; forecasts leave it open")
    return notes


def _unnamed(data: DataSource | None) -> Profile:
    path = Path(data.path) if data else Path("project")
    return Profile(name=(path.stem if path.suffix else path.name) or "project")
