"""Latency and cache: the formulas by hand, and how they narrow where the machine was measured."""

from dataclasses import replace
from typing import Any

import pytest

from advisor.estimates.forecast import forecast_encoder
from advisor.estimates.latency import cache_bytes, writing_ms
from advisor.estimates.place import serving_place, training_place
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.interval import Interval
from advisor.machine import Machine, MachineRates
from advisor.strategies import STRATEGIES

CPU = Machine(2, 8 * 10**9, "avx2", False)
LLAMA = load_catalogue().models["meta-llama/Llama-3.1-8B"]
FACTS: dict[str, Any] = {
    "task.type": "text-classification", "classes": 2, "mean_per_class": 1000, "data.labelled": 2000,
    "data.tokens_median": 60, "data.tokens_p95": 200, "compute.device": "cpu", "compute.devices": 1,
    "compute.memory_gb": 8.0, "compute.usd_per_hour": 0.0, "serving.device": "cpu",
}  # fmt: skip


def test_heads_that_share_keys_share_the_cache() -> None:
    assert LLAMA.kv_heads == 8
    assert cache_bytes(LLAMA, 1000) == 2 * 32 * 8 * 128 * 1000 * 2


def test_local_layers_keep_their_window_alone() -> None:
    local = LLAMA.model_copy(update={"window": 100, "global_every": 4})
    assert cache_bytes(local, 1000) == 2 * 8 * 128 * (8 * 1000 + 24 * 100) * 2
    assert cache_bytes(local, 50) == cache_bytes(LLAMA, 50)
    everywhere = LLAMA.model_copy(update={"window": 100})
    assert cache_bytes(everywhere, 1000) == cache_bytes(LLAMA, 100)


def test_writing_takes_at_least_reading_the_weights_once_a_token() -> None:
    place = serving_place({"serving.device": "gpu", "serving.card": "NVIDIA A100 40GB SXM"}, CPU)
    ten = writing_ms(LLAMA, 100, Interval.exactly(10.0), place)["writing"]
    read = 2 * LLAMA.parameters / 1555e9 * 1e3
    assert ten.low > 10 * read
    twenty = writing_ms(LLAMA, 100, Interval.exactly(20.0), place)["writing"]
    assert twenty.point == pytest.approx(2 * ten.point, rel=0.01)


def test_published_speed_of_writing_lies_within_the_interval() -> None:
    """LitGPT's table of 2023-10: Llama 2 7B in bf16 on an A100 writes 30.97 tokens a second."""
    llama2 = LLAMA.model_copy(
        update={"parameters": 6738415616, "layers": 32, "kv_heads": 32, "intermediate": 11008, "context": 4096}
    )
    place = serving_place({"serving.device": "gpu", "serving.card": "NVIDIA A100 40GB SXM"}, CPU)
    one = writing_ms(llama2, 50, Interval.exactly(100.0), place)["writing"].times(1 / 100)
    assert one.low <= 1e3 / 30.97 <= one.high


def test_a_named_card_narrows_what_any_card_may_do() -> None:
    some, named = (
        training_place(FACTS | {"compute.device": "gpu", "compute.card": card}, CPU) for card in (None, "T4")
    )
    assert named.precision == "fp32"
    assert some.precision is None
    narrow, wide = named.reading_gb_per_s, some.reading_gb_per_s
    assert narrow.high / narrow.low < wide.high / wide.low


def test_measured_rates_narrow_time_and_latency() -> None:
    rates = MachineRates(
        "cpu", forward_gflops=80.0, training_gflops=70.0, single_gflops=40.0, matmul_gflops=90.0,
        forward_ns_per_unit=1.0, forward_ns_per_score=1.0, training_ns_per_unit=3.0, training_ns_per_score=3.0,
        optimizer_ns_per_parameter=4.0, update_layer_overhead_ms=1.0, update_ns_per_weight=0.1, layer_overhead_ms=0.3,
        single_ns_per_weight=0.3, tuned_single_gflops=40.0, tuned_layer_overhead_ms=0.4, tuned_ns_per_weight=0.3,
        start_seconds=5.0, tuning_start_seconds=6.0, precision="fp32",
    )  # fmt: skip
    bert, strategy = load_catalogue().models["google-bert/bert-base-uncased"], STRATEGIES["full-fine-tuning"]
    wide = forecast_encoder(strategy, bert, FACTS, CPU)
    narrow = forecast_encoder(strategy, bert, FACTS, replace(CPU, rates=(rates,)))
    for name in ("train_seconds", "latency_ms_p50"):
        before, after = getattr(wide, name), getattr(narrow, name)
        assert after.high / after.low < before.high / before.low
    assert narrow.train_memory_bytes == wide.train_memory_bytes
