"""What would make a strategy fit: changes that suffice, what costs least first, and parts of a batch for a plan."""

from typing import Any

import pytest

from advisor.estimates.forecast import Forecast, default_settings, forecast_encoder
from advisor.estimates.parts import fitting_parts
from advisor.estimates.remedies import Case, Remedy, remedies
from advisor.knowledge.catalogue import load_catalogue
from advisor.machine import Machine
from advisor.strategies import STRATEGIES

CPU = Machine(2, 8 * 10**9, "avx2", False)
BERT = "google-bert/bert-base-uncased"
FACTS: dict[str, Any] = {
    "task.type": "text-classification", "classes": 2, "mean_per_class": 1000, "data.labelled": 2000,
    "data.tokens_median": 60, "data.tokens_p95": 200, "compute.device": "cpu", "compute.devices": 1,
    "compute.memory_gb": 8.0, "compute.usd_per_hour": 0.0, "serving.device": "cpu",
}  # fmt: skip


def found(strategy: str, **least: float) -> dict[str, Remedy]:
    """Return the remedies, by their change, for limits on the upper bound of room or the points of others."""

    def enough(_: Any, __: Any, forecast: Forecast) -> bool:
        room = least.get("gb", float("inf")) * 1e9
        return (
            forecast.room_bytes.high <= room
            and forecast.train_seconds.point <= least.get("seconds", float("inf"))
            and forecast.latency_ms_p95.point <= least.get("ms", float("inf"))
        )

    model = load_catalogue().models[BERT]
    case = Case(
        STRATEGIES[strategy], "encoder", BERT, model, FACTS, CPU,
        speaks=lambda other: bool({"en", "multilingual"} & set(other.languages)), enough=enough,
    )  # fmt: skip
    made = remedies(case)
    assert all(enough(None, None, remedy.forecast) for remedy in made)
    assert [remedy.cost for remedy in made] == sorted(remedy.cost for remedy in made)
    return {remedy.change: remedy for remedy in made}


def test_what_costs_only_time_comes_first_when_memory_is_short() -> None:
    made = found("full-fine-tuning", gb=8)
    first = next(iter(made.values()))
    assert first.cost == 0
    assert first.settings
    recomputed = made["activations computed again rather than kept"]
    assert recomputed.settings == {"recompute": True}
    assert 1.2 < recomputed.slower < 1.4
    assert "lora instead" not in made or made["lora instead"].strategy == "lora"


def test_nothing_helps_where_weights_and_moments_alone_are_too_large() -> None:
    assert not [
        r for r in found("full-fine-tuning", gb=1.2).values() if r.model == BERT and r.strategy != "linear-probe"
    ]


def test_a_smaller_model_and_shorter_texts_answer_sooner() -> None:
    model = load_catalogue().models[BERT]
    now = forecast_encoder(STRATEGIES["full-fine-tuning"], model, FACTS, CPU).latency_ms_p95.point
    made = found("full-fine-tuning", ms=now / 2)
    others = {remedy.model for remedy in made.values()} - {BERT}
    assert others
    assert all(load_catalogue().models[name].encodes for name in others)
    assert any("max_length" in remedy.settings for remedy in made.values())
    assert not any("batch_tokens" in remedy.settings for remedy in made.values())


def test_fewer_passes_take_less_time() -> None:
    now = forecast_encoder(STRATEGIES["full-fine-tuning"], load_catalogue().models[BERT], FACTS, CPU).train_seconds
    made = found("full-fine-tuning", seconds=now.point / 1.8)
    assert any("epochs" in remedy.settings and remedy.slower < 0.6 for remedy in made.values())


@pytest.mark.parametrize(("memory_gb", "as_usual"), [(64.0, True), (6.0, False), (0.5, True), (None, True)])
def test_a_plan_takes_parts_that_fit(memory_gb: float | None, as_usual: bool) -> None:
    usual = default_settings("full-fine-tuning")
    model, facts = load_catalogue().models[BERT], FACTS | {"compute.memory_gb": memory_gb}

    def forecast(settings: Any) -> Forecast:
        return forecast_encoder(STRATEGIES["full-fine-tuning"], model, facts, CPU, settings)

    chosen = fitting_parts(usual, forecast)
    assert (chosen == usual) is as_usual
    if not as_usual:
        assert forecast(usual).fits == "tight"
        assert forecast(chosen).fits == "fits"
