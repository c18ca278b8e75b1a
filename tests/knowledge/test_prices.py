"""Prices: the shipped examples, the user's own before them, and how old they are."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from advisor.errors import DocumentError, InputError
from advisor.knowledge.hardware import load_cards
from advisor.knowledge.prices import VARIABLE, fill_from_prices, load_prices, own_list
from advisor.profile import Profile

SHIPPED = load_prices()
TODAY = date(2026, 11, 1)
RENTED = {"compute.card": "A100 80GB", "compute.rented": True}
BY_API = {"model.llm": "api", "model.llm_name": "gpt-4.1-mini"}


@pytest.fixture(autouse=True)
def no_list_of_mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))


def profile(answers: dict[str, object]) -> Profile:
    return Profile().with_answers(answers, "file")


def test_every_shipped_price_is_dated_sourced_and_in_range() -> None:
    assert set(SHIPPED.cards) <= set(load_cards())
    assert len(SHIPPED.cards) >= 12
    assert len(SHIPPED.models) >= 8
    for name, price in {**SHIPPED.cards, **SHIPPED.models}.items():
        assert price.as_of is not None and date(2024, 1, 1) <= price.as_of <= date(2026, 11, 26), name
        assert price.source != "your price list", name
    assert all(0.1 <= price.usd_per_hour <= 20 for price in SHIPPED.cards.values())
    for name, tokens in SHIPPED.models.items():
        assert 0.01 <= tokens.usd_per_million_in < tokens.usd_per_million_out <= 100, name


def test_a_rented_card_and_a_model_behind_an_api_are_priced() -> None:
    filled, notes = fill_from_prices(profile({**RENTED, **BY_API}), TODAY)
    hour = SHIPPED.cards["NVIDIA A100 80GB SXM"]
    assert filled.compute.usd_per_hour == hour.usd_per_hour
    assert filled.model.llm_usd_per_million_out == SHIPPED.models["gpt-4.1-mini"].usd_per_million_out
    assert filled.source("compute.usd_per_hour") == "detected"
    assert len(notes) == 2
    assert hour.source in notes[0]
    assert "days old: check it" in notes[0]


@pytest.mark.parametrize(
    "answers",
    [
        {"compute.card": "A100 80GB"},
        {**RENTED, "compute.usd_per_hour": 2.0},
        {**BY_API, "model.llm": "local"},
        {**BY_API, "model.llm_name": "a model of ours"},
        {**BY_API, "model.llm_usd_per_million_in": 1.0, "model.llm_usd_per_million_out": 2.0},
        {},
    ],
)
def test_nothing_else_is_priced(answers: dict[str, object]) -> None:
    known = profile(answers)
    assert fill_from_prices(known, TODAY) == (known, ())


def test_a_rented_card_without_a_price_is_told_of() -> None:
    known = profile({**RENTED, "compute.card": "RTX 3060"})
    filled, (note,) = fill_from_prices(known, TODAY)
    assert filled == known
    assert note.startswith("no price of RTX 3060 is known: name compute.usd_per_hour")


def test_a_price_is_old_after_thirty_days() -> None:
    seen = SHIPPED.cards["NVIDIA A100 80GB SXM"].as_of
    assert seen is not None
    assert SHIPPED.warn_after_days == 30
    for days, old in ((30, False), (31, True)):
        _, (note,) = fill_from_prices(profile(RENTED), seen + timedelta(days=days))
        assert ("old" in note) is old


def test_ones_own_prices_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usual = tmp_path / "settings" / "advisor" / "prices.yaml"
    usual.parent.mkdir(parents=True)
    usual.write_text("cards: {a100 80gb: {usd_per_hour: 1.1}}\n", encoding="utf-8")
    filled, (note,) = fill_from_prices(profile(RENTED), TODAY)
    assert filled.compute.usd_per_hour == 1.1
    assert note.endswith("(your price list)")
    named = tmp_path / "mine.yaml"
    named.write_text("models: {ours: {usd_per_million_in: 1, usd_per_million_out: 2, as_of: 2026-10-20}}\n", "utf-8")
    monkeypatch.setenv(VARIABLE, str(named))
    assert own_list() == named
    filled, (note,) = fill_from_prices(profile({**BY_API, "model.llm_name": "ours"}), TODAY)
    assert filled.model.llm_usd_per_million_in == 1
    assert "old" not in note
    assert load_prices(named).cards == SHIPPED.cards


def test_a_list_that_is_not_one_is_pointed_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match=r"ADVISOR_PRICES names .*none\.yaml, which is no file"):
        fill_from_prices(profile(RENTED), TODAY)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("cards:\n  T4: {usd_per_hour: free}\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"wrong\.yaml:2:22: cards\.T4\.usd_per_hour: 'free' is not a number"):
        load_prices(wrong)
