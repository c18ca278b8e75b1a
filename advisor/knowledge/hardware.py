"""Graphics cards as data: memory, bandwidth and peak rates by name; what a named card tells of a project."""

import re
from difflib import get_close_matches
from functools import cache

from pydantic import Field

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import InputError, RuleBaseError
from advisor.profile import Profile
from advisor.strict import Strict

_MAKERS = ("nvidia", "geforce", "tesla", "amd", "instinct")


class Peaks(Strict):
    """Dense peak rates of a card in 10^12 operations a second; fp32 without tensor cores; None where unknown."""

    bf16: float | None = Field(default=None, gt=0)
    fp16: float | None = Field(default=None, gt=0)
    fp32: float | None = Field(default=None, gt=0)


class Card(Strict):
    """A graphics card.

    Attributes:
        names: what else it is called by drivers and clouds.
        memory_gb: nominal memory in 10^9 bytes.
        bandwidth_gb_per_s: peak of its memory.
        accumulate: precision that tensor cores add up in at their peak.
        bf16: whether bf16 is computed in hardware.
        watts: power limit of the board.
        weak: why a figure is doubtful; None where none is.
    """

    names: tuple[str, ...] = ()
    memory_gb: float | None = Field(default=None, gt=0)
    bandwidth_gb_per_s: float | None = Field(default=None, gt=0)
    dense_tflops: Peaks = Peaks()
    accumulate: str | None = Field(default=None, pattern="^(fp16|fp32)$")
    bf16: bool | None = None
    watts: float | None = Field(default=None, gt=0)
    source: str
    weak: str | None = None


@cache
def load_cards() -> dict[str, Card]:
    """Return the cards of ``rules/hardware.yaml`` by name.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "hardware.yaml"), kind=RuleBaseError)
    return {name: document.validate(Card, kind=RuleBaseError, at=(name,)) for name in document.data}


def card_name(called: str) -> str | None:
    """Return the catalogue's name of a card that a driver, a cloud or a person calls otherwise; None if unknown."""
    return _names().get(_plain(called))


def find_card(called: str) -> Card | None:
    """Return a card by any of its names; None if unknown."""
    name = card_name(called)
    return load_cards()[name] if name else None


def fill_from_card(profile: Profile) -> Profile:
    """Return the profile with what its named cards tell where it is silent: a device is there, and how much memory.

    Raises:
        InputError: a named card is not in the catalogue.
    """
    told = {}
    if training := _named(profile, "compute.card"):
        told = {"compute.device": "gpu", "compute.memory_gb": training.memory_gb}
    if _named(profile, "serving.card"):
        told["serving.device"] = "gpu"
    return profile.with_detected(told)


def _named(profile: Profile, asked: str) -> Card | None:
    called = profile.get(asked)
    if called is None:
        return None
    if card := find_card(called):
        return card
    near = get_close_matches(_plain(called), _names(), n=1)
    meant = f"did you mean '{_names()[near[0]]}'? Otherwise leave" if near else "leave"
    instead = " and name compute.memory_gb" if asked == "compute.card" else ""
    raise InputError(f"{asked}: no card '{called}' in rules/hardware.yaml; {meant} it out{instead}")


@cache
def _names() -> dict[str, str]:
    return {_plain(other): name for name, card in load_cards().items() for other in (name, *card.names)}


def _plain(called: str) -> str:
    """Return a name without makers, spaces and case, in which drivers, clouds and people differ."""
    words = re.findall("[a-z0-9]+", called.lower())
    return "".join(word for word in words if word not in _MAKERS)
