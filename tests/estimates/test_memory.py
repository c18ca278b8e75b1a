"""Training memory: published tables that no constant was taken from, and how its terms move."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from advisor.estimates import memory
from advisor.estimates.blocks import Kept, Way, kept, load_blocks
from advisor.estimates.constants import load_constants
from advisor.estimates.forecast import default_settings, forecast_encoder
from advisor.estimates.memory import total, training_memory
from advisor.estimates.place import Place, training_place
from advisor.knowledge.catalogue import BaseModelFacts, load_catalogue
from advisor.knowledge.interval import Interval
from advisor.machine import Machine, MachineRates
from advisor.strategies import STRATEGIES, TextLoad, Workload

PUBLISHED = yaml.safe_load((Path(__file__).parent / "litgpt.yaml").read_text(encoding="utf-8"))
MEASURED = [(row["model"], row["texts"], row["gb"]) for row in PUBLISHED["measured"]]
CPU = Machine(2, 8 * 10**9, "avx2", False)
MODELS = load_catalogue().models
FACTS: dict[str, Any] = {
    "task.type": "text-classification", "classes": 2, "mean_per_class": 50, "data.labelled": 100,
    "data.tokens_median": 64, "data.tokens_p95": 64, "compute.device": "cpu", "compute.devices": 1,
    "compute.memory_gb": 8.0, "compute.usd_per_hour": 0.0, "serving.device": "cpu",
}  # fmt: skip


def card(precision: str) -> Place:
    rates = MachineRates("gpu", precision=precision)
    return training_place({"compute.device": "gpu"}, Machine(8, None, "avx2", True, rates=(rates,)))


def published(name: str, texts: int) -> float:
    """Return the forecast of a published run in GB."""
    told = PUBLISHED["models"][name]
    model = BaseModelFacts(
        architecture=told["architecture"], parameters=told["parameters"], layers=told["layers"],
        embedding_parameters=2 * told["vocabulary"] * told["hidden"], hidden=told["hidden"],
        intermediate=told["inner"], heads=told["heads"], vocabulary=told["vocabulary"],
        gated_mlp=told["architecture"] == "llama", context=4096, languages=("en",), licence="any",
        objective="causal", pretraining_head="", source="",
    )  # fmt: skip
    work = Workload(
        updates=1, trained_parameters=8 * 4 * told["hidden"] * told["layers"], stored_layers=told["layers"],
        batch_texts=texts, batch_tokens=1e9, adapters=8, writes=True,
    )  # fmt: skip
    tokens = float(told["tokens"])
    load = TextLoad(rows=1000, tokens=tokens, classes=2, longest=tokens)
    return total(training_memory(work, model, load, Interval.exactly(tokens), card("bf16"))).point / 1e9


@pytest.mark.parametrize(("name", "texts", "gb"), [row for row in MEASURED if row[0].startswith("Llama")])
def test_published_memory_of_llama_as_shipped(name: str, texts: int, gb: float) -> None:
    assert published(name, texts) == pytest.approx(gb, rel=0.03)


@pytest.mark.parametrize(("name", "texts", "gb"), MEASURED)
def test_published_memory_as_their_own_code_computes(
    name: str, texts: int, gb: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Kept(**PUBLISHED["models"][name]["kept"])
    monkeypatch.setattr(memory, "kept", lambda model, way: own)
    monkeypatch.setitem(load_constants(), "bytes_per_token_score", Interval.exactly(PUBLISHED["bytes_per_score"]))
    assert published(name, texts) == pytest.approx(gb, rel=0.12)


# What twelve fits on a processor peaked at, in MB: some served for the constants of the heap, the others not.
@pytest.mark.parametrize(
    ("strategy", "model", "length", "rows", "settings", "peak"),
    [
        ("full-fine-tuning", "embedded/all-MiniLM-L6-v2", 128, 16, {}, 1221),
        ("full-fine-tuning", "distilbert/distilbert-base-uncased", 64, 8, {}, 1390),
        ("full-fine-tuning", "google-bert/bert-base-uncased", 32, 1, {}, 1957),
        ("full-fine-tuning", "BAAI/bge-small-en-v1.5", 64, 16, {"batch_tokens": 256}, 1082),
        ("lora", "distilbert/distilbert-base-uncased", 64, 8, {}, 1163),
        ("partial-unfreezing", "distilbert/distilbert-base-uncased", 64, 16, {}, 1060),
        ("contrastive", "embedded/all-MiniLM-L6-v2", 64, 32, {}, 1228),
        ("linear-probe", "distilbert/distilbert-base-uncased", 64, 64, {}, 809),
        ("few-shot", "distilbert/distilbert-base-uncased", 64, 64, {}, 733),
    ],
)
def test_measured_peaks_lie_within_the_interval(
    strategy: str, model: str, length: int, rows: int, settings: dict[str, int], peak: float
) -> None:
    facts = FACTS | {"data.tokens_median": length, "data.tokens_p95": length, "data.labelled": rows}
    changed = default_settings(strategy).model_copy(update=settings)
    found = forecast_encoder(STRATEGIES[strategy], MODELS[model], facts, CPU, changed).train_memory_bytes
    assert found.low <= peak * 1e6 <= found.high
    assert found.point == pytest.approx(peak * 1e6, rel=0.12)


def test_terms_add_up() -> None:
    found = forecast_encoder(STRATEGIES["full-fine-tuning"], MODELS["google-bert/bert-base-uncased"], FACTS, CPU)
    assert total(dict(found.terms["train_memory_bytes"])) == found.train_memory_bytes
    assert total(dict(found.terms["train_seconds"])) == found.train_seconds
    assert total(dict(found.terms["latency_ms_p50"])) == found.latency_ms_p50


def test_nothing_is_kept_below_the_lowest_layer_that_learns() -> None:
    bert = MODELS["google-bert/bert-base-uncased"]
    few, all_layers = (
        forecast_encoder(STRATEGIES[strategy], bert, FACTS, CPU).terms["train_memory_bytes"]["activations"].point
        for strategy in ("partial-unfreezing", "full-fine-tuning")
    )
    assert few == pytest.approx(all_layers / 4)


def test_recomputation_keeps_the_inputs_of_layers_and_one_layer() -> None:
    llama = MODELS["meta-llama/Llama-3.1-8B"]
    work = Workload(
        updates=1, trained_parameters=10**7, stored_layers=llama.layers, batch_texts=4, batch_tokens=1e9, adapters=16,
        writes=True,
    )  # fmt: skip
    load, longest = TextLoad(100, 512, 2, 512), Interval.exactly(512.0)
    whole, again = (
        training_memory(work._replace(recompute=on), llama, load, longest, card("bf16"))["activations"].point
        for on in (False, True)
    )
    layer = whole / llama.layers
    assert again == pytest.approx(4 * 512 * llama.layers * llama.hidden * 2 + layer)


@pytest.mark.parametrize(("memory_gb", "fits"), [(None, "unknown"), (64.0, "fits"), (2.4, "tight"), (0.5, "too large")])
def test_verdict(memory_gb: float | None, fits: str) -> None:
    facts = FACTS | {"compute.memory_gb": memory_gb}
    bert = MODELS["google-bert/bert-base-uncased"]
    assert forecast_encoder(STRATEGIES["full-fine-tuning"], bert, facts, CPU).fits == fits


def test_every_architecture_has_every_way_or_one_that_stands_in() -> None:
    model = MODELS["google-bert/bert-base-uncased"]
    for architecture in load_blocks():
        named = model.model_copy(update={"architecture": architecture})
        for fused in (True, False):
            for precision in ("fp32", "bf16", "16-bit"):
                assert kept(named, Way(fused, precision, True)).of_token(named, 128) > 0


@given(
    strategy=st.sampled_from(["full-fine-tuning", "lora", "partial-unfreezing", "contrastive", "linear-probe"]),
    device=st.sampled_from(["cpu", "gpu"]),
    length=st.integers(8, 400),
    rows=st.integers(2, 10**6),
)
def test_intervals_are_ordered_and_longer_texts_never_take_less(
    strategy: str, device: str, length: int, rows: int
) -> None:
    def peak(tokens: int) -> Interval:
        facts = FACTS | {
            "data.tokens_median": tokens, "data.tokens_p95": tokens, "data.labelled": rows, "compute.device": device,
        }  # fmt: skip
        changed = default_settings(strategy).model_copy(update={"batch_tokens": 10**9})
        return forecast_encoder(STRATEGIES[strategy], MODELS["BAAI/bge-small-en-v1.5"], facts, CPU, changed).room_bytes

    short, long = peak(length), peak(length + 100)
    assert short.low <= short.point <= short.high
    if strategy != "linear-probe":
        assert short.point <= long.point


def test_terms_stand_in_the_same_order_in_every_process() -> None:
    """Where the precision is open: as in the likelier one, and not as sets of words happen to be hashed."""
    place = training_place({"compute.device": "gpu"}, CPU)
    work = Workload(updates=1, trained_parameters=10**8, stored_layers=12, batch_texts=16, batch_tokens=4096)
    load, model = TextLoad(rows=1000, tokens=64, classes=2), MODELS["google-bert/bert-base-uncased"]
    terms = training_memory(work, model, load, Interval.exactly(64.0), place)
    likely = training_memory(work, model, load, Interval.exactly(64.0), place._replace(precision="bf16"))
    assert place.precision is None
    assert len(terms) > 4
    assert list(terms)[: len(likely)] == list(likely)


def test_recomputation_saves_memory_but_leaves_gaps_on_a_processor() -> None:
    load, model = TextLoad(rows=1000, tokens=128, classes=2), MODELS["google-bert/bert-base-uncased"]
    longest, place = Interval.exactly(128.0), training_place({"compute.device": "cpu"}, CPU)
    stored = Workload(updates=1, trained_parameters=10**8, stored_layers=12, batch_texts=32, batch_tokens=8192)
    kept_, again = (
        training_memory(work, model, load, longest, place) for work in (stored, stored._replace(recompute=True))
    )
    assert total(again).point < total(kept_).point
    gaps = again.pop("gaps in the heap")
    assert gaps.low == 0 < gaps.point < gaps.high
    assert "gaps in the heap" not in kept_
    assert gaps.high == pytest.approx(load_constants()["cpu_gaps_of_recomputation"].high * total(again).high)


def test_batches_of_many_lengths_leave_gaps_on_a_processor_alone() -> None:
    model, longest = MODELS["google-bert/bert-base-uncased"], Interval.exactly(128.0)
    work = Workload(updates=1, trained_parameters=10**8, stored_layers=12, batch_texts=32, batch_tokens=8192)
    equal = TextLoad(rows=1000, tokens=128, classes=2, longest=128)
    differing = equal._replace(differing=True)
    here, constants = training_place({"compute.device": "cpu"}, CPU), load_constants()
    more = training_memory(work, model, differing, longest, here)
    gaps = more.pop("gaps in the heap")
    assert more == training_memory(work, model, equal, longest, here)
    assert gaps.point == pytest.approx(
        1e9 * constants["cpu_gaps_of_lengths_gb"].point
        + constants["cpu_gaps_between_lengths"].point * more["activations"].point
    )
    assert 0 < gaps.low < gaps.point < gaps.high
    assert "gaps in the heap" not in training_memory(work, model, differing, longest, card("bf16"))


def test_reading_many_texts_leaves_gaps_on_a_processor() -> None:
    model, longest, work = MODELS["google-bert/bert-base-uncased"], Interval.exactly(128.0), Workload(features=1)
    here = training_place({"compute.device": "cpu"}, CPU)

    def gaps(rows: float, *, differing: bool = True, place: Place = here) -> Interval:
        load = TextLoad(rows=rows, tokens=40, classes=2, longest=128, differing=differing)
        return training_memory(work, model, load, longest, place).get("gaps in the heap", Interval.exactly(0.0))

    assert gaps(100) == gaps(10_000, differing=False) == gaps(10_000, place=card("bf16")) == Interval.exactly(0.0)
    few, many = gaps(2000), gaps(10_000)
    assert 0 < few.low < few.point < few.high
    assert few.point < many.point < 2 * few.point


def test_only_a_bert_is_read_without_the_code_of_other_models() -> None:
    load, place = TextLoad(rows=100, tokens=40, classes=2), training_place({"compute.device": "cpu"}, CPU)
    bert = MODELS["google-bert/bert-base-uncased"]
    other = bert.model_copy(update={"architecture": "roberta"})
    reading, tuned = Workload(features=1), Workload(updates=1, trained_parameters=10**8, stored_layers=12)

    def process(work: Workload, model: BaseModelFacts) -> Interval:
        return training_memory(work, model, load, Interval.exactly(40.0), place)["process"]

    assert process(reading, bert).point < process(reading, other).point == process(tuned, bert).point


@pytest.mark.parametrize(("units", "precision"), [("amx", "bf16"), ("avx512-bf16", None), ("avx2", "fp32")])
def test_whether_wide_vectors_for_bf16_are_used_is_open_until_measured(units: str, precision: str | None) -> None:
    machine = Machine(2, 8 * 10**9, units, False)
    assert training_place({"compute.device": "cpu"}, machine).precision == precision
