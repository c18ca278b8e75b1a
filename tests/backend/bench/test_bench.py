"""The bench on a tiny encoder; times depend on the machine, so what is tested is that all are there and add up."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from advisor.backend.bench import bench as bench_module
from advisor.backend.bench.bench import run_bench
from advisor.backend.bench.passes import text_of
from advisor.backend.bench.products import copy_gb_per_s, product_gflops, reading_gb_per_s
from advisor.backend.bench.settings import BenchSettings
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.tuning_settings import TuningSettings
from advisor.knowledge.hyperparameters import default_values
from tests.tiny import write_tiny_encoder

FEW = BenchSettings(
    repeats=2,
    product_ms=0.001,
    copy_mb=1,
    tokens=64,
    lengths=(4, 12),
    batches=((2, 6), (3, 14), (4, 26)),
    wide_hidden=64,
    wide_layers=3,
    wide_tokens=32,
    wide_lengths=(6,),
    wide_batches=((2, 6), (2, 14)),
)
TUNING = TuningSettings.model_validate(default_values("full-fine-tuning"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_rate_is_measured(tiny: Path, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "start_seconds", lambda folder, device, *, tuned: 2.0 if tuned else 1.0)
    said: list[str] = []
    found = run_bench(Device("cpu", precision, "for a test"), tiny, TUNING, FEW, said.append)
    rates = asdict(found.rates)
    assert [name for name, value in rates.items() if value is None] == ["busy"]
    assert (found.rates.precision, found.rates.threads) == (precision, torch.get_num_threads())
    assert (found.rates.start_seconds, found.rates.tuning_start_seconds) == (1.0, 2.0)
    assert set(found.products) == {"fp32", "bf16"}
    kinds = [point.kind for point in found.points]
    assert [kinds.count(kind) for kind in ("embed", "single", "single-tuned", "update")] == [3, 3, 3, 5]
    assert [(p.rows, p.length) for p in found.points if p.kind == "update"] == [*FEW.batches, *FEW.wide_batches]
    assert len({point.weights for point in found.points}) == 2
    assert all(point.seconds > 0 for point in found.points)
    assert len(said) == 4


def test_texts_have_the_tokens_that_were_wished(tiny: Path) -> None:
    encoder = Encoder.load(tiny, Device("cpu", "fp32", "for a test"))
    text, found = text_of(9, lambda text: len(encoder.tokenize([text])[0]))
    assert found == len(encoder.tokenize([text])[0])
    assert 9 <= found <= 9 + len("word")


def test_a_rate_is_work_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.backend.bench.products.median_seconds", lambda work, device, repeats: 0.5)
    place = torch.device("cpu")
    assert product_gflops("fp32", place, FEW) == 2 * 256**3 / 0.5e9
    assert copy_gb_per_s(place, FEW) == 2e6 / 0.5e9
    assert reading_gb_per_s("bf16", place, FEW) == 2 * 707**2 / 0.5e9
    assert reading_gb_per_s("fp32", place, FEW) == 4 * 500**2 / 0.5e9


def test_a_product_is_made_larger_until_it_takes_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([0.001, 0.004, 0.016, 0.064])
    monkeypatch.setattr("advisor.backend.bench.products.median_seconds", lambda work, device, repeats: next(sizes))
    wished = FEW._replace(product_ms=10)
    assert product_gflops("fp32", torch.device("cpu"), wished) == 2 * 1024**3 / 0.016e9


@pytest.mark.slow
def test_a_start_is_a_new_process(tiny: Path) -> None:
    from advisor.backend.bench.start import start_seconds

    assert start_seconds(tiny, "cpu", tuned=True) > start_seconds(tiny, "cpu", tuned=False) * 0.5 > 0.1
