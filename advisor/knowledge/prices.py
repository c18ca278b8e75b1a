"""Prices of cards by the hour and of tokens: examples with their day and source, the user's own before them."""

import os
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import Field

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import DocumentError, InputError, RuleBaseError
from advisor.knowledge.hardware import card_name
from advisor.profile import Profile
from advisor.strict import Strict

VARIABLE = "ADVISOR_PRICES"


class Price(Strict):
    """A price with the day it was seen and where; without a day it holds until its owner changes it."""

    as_of: date | None = None
    source: str = "your price list"


class CardPrice(Price):
    """What an hour of one card costs."""

    usd_per_hour: float = Field(ge=0, allow_inf_nan=False)


class TokenPrice(Price):
    """What a million tokens read and written cost."""

    usd_per_million_in: float = Field(ge=0, allow_inf_nan=False)
    usd_per_million_out: float = Field(ge=0, allow_inf_nan=False)


class Prices(Strict):
    """A list of prices: of cards by name, of language models by the name their interface takes."""

    warn_after_days: int | None = Field(default=None, gt=0)
    cards: dict[str, CardPrice] = {}
    models: dict[str, TokenPrice] = {}


class Priced(NamedTuple):
    """A profile with prices filled in, and what to tell of them."""

    profile: Profile
    notes: tuple[str, ...]


def own_list() -> Path | None:
    """Return the user's own list: the file that ``ADVISOR_PRICES`` names, or ``prices.yaml`` in the folder of settings.

    Raises:
        InputError: the variable names no file.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_file():
            raise InputError(f"{VARIABLE} names {named}, which is no file; name one, or unset it")
        return Path(named)
    settings = os.environ.get("XDG_CONFIG_HOME")
    usual = (Path(settings) if settings else Path.home() / ".config") / "advisor" / "prices.yaml"
    return usual if usual.is_file() else None


def load_prices(own: Path | None = None) -> Prices:
    """Return the shipped prices with the user's laid over them, entry by entry; cards by the catalogue's names.

    Args:
        own: the user's list, if there is one.

    Raises:
        DocumentError: the user's list breaks its schema.
        RuleBaseError: the shipped one does.
    """
    shipped = _shipped()
    if own is None:
        return shipped
    theirs = _read(own, DocumentError)
    return Prices(
        warn_after_days=theirs.warn_after_days or shipped.warn_after_days,
        cards=_over(shipped.cards, theirs.cards),
        models=_over(shipped.models, theirs.models),
    )


def fill_from_prices(profile: Profile, today: date) -> Priced:
    """Return the profile with prices where it is silent: of a rented card, and of tokens of a model behind an API.

    Args:
        profile: what is known.
        today: the day by which a price is old.

    Raises:
        DocumentError: the user's list breaks its schema.
        InputError: ``ADVISOR_PRICES`` names no file.
    """
    rented = profile.compute.card if profile.compute.rented and profile.compute.usd_per_hour is None else None
    model, asked = profile.model, (profile.model.llm_usd_per_million_in, profile.model.llm_usd_per_million_out)
    prompted = model.llm_name if model.llm == "api" and None in asked else None
    if rented is None and prompted is None:
        return Priced(profile, ())
    prices, notes = load_prices(own_list()), []
    if rented and (hour := prices.cards.get(card_name(rented) or rented)):
        profile = profile.with_detected({"compute.usd_per_hour": hour.usd_per_hour})
        notes.append(_said(f"an hour of {rented} is taken to cost ${hour.usd_per_hour:g}", hour, prices, today))
    elif rented:
        notes.append(f"no price of {rented} is known: name compute.usd_per_hour, or put it into {VARIABLE}")
    if prompted and (tokens := prices.models.get(prompted)):
        told = {
            "model.llm_usd_per_million_in": tokens.usd_per_million_in,
            "model.llm_usd_per_million_out": tokens.usd_per_million_out,
        }
        profile = profile.with_detected(told)
        shown = f"${tokens.usd_per_million_in:g} and ${tokens.usd_per_million_out:g}"
        notes.append(_said(f"a million tokens of {prompted} are taken to cost {shown}", tokens, prices, today))
    return Priced(profile, tuple(notes))


def _said(what: str, price: Price, prices: Prices, today: date) -> str:
    """Say a price with its source and, where it is old, how old and what to do."""
    if price.as_of is None:
        return f"{what} ({price.source})"
    age, most = (today - price.as_of).days, prices.warn_after_days
    old = f", {age} days old: check it, and name yours in the profile or in {VARIABLE}" if most and age > most else ""
    return f"{what} ({price.source}, {price.as_of}{old})"


PriceT = TypeVar("PriceT", bound=Price)


def _over(below: Mapping[str, PriceT], above: Mapping[str, PriceT]) -> dict[str, PriceT]:
    return {**below, **{card_name(name) or name: price for name, price in above.items()}}


@cache
def _shipped() -> Prices:
    return _read(asset("rules", "prices.yaml"), RuleBaseError)


def _read(path: Path, kind: type[DocumentError]) -> Prices:
    document = read_document(path, kind=kind)
    return Prices() if document.data is None else document.validate(Prices, kind=kind)
