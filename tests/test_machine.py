"""The machine at hand, its cards, and the rates that are kept of it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from advisor import machine as machine_module
from advisor.cards import Card, card_names, cards, read_card
from advisor.machine import Machine, MachineRates, this_machine
from advisor.rates import rates_file, read_rates, write_rates

RATES = MachineRates(forward_gflops=50.0, precision="fp32", threads=2, measured_at="2026-11-26T23:00:00+00:00")


def test_rates_come_back_as_they_were_written() -> None:
    on_card = MachineRates(device="gpu", forward_gflops=9000)
    assert write_rates("abc", [RATES, on_card], {"points": [1]}) == rates_file("abc")
    assert read_rates("abc") == (RATES, on_card)
    assert json.loads(rates_file("abc").read_text(encoding="utf-8"))["points"] == [1]
    assert read_rates("another") == ()


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": 0},
        {"fingerprint": "another"},
        {"rates": [{"forward_gflops": -1.0}]},
        {"rates": [{"forward_gflops": "fast"}]},
        {"rates": [{"forward_gflops": True}]},
        {"rates": [{"threads": 1.5}]},
        {"rates": [{"of_another_version": 1.0}]},
        {"rates": 3},
    ],
)
def test_rates_that_cannot_be_trusted_are_none(damage: dict[str, object]) -> None:
    path = write_rates("abc", [RATES], {})
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | damage), encoding="utf-8")
    assert read_rates("abc") == ()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 1, "fingerprint": "abc", "rates": [{"forward_gflops": NaN}]}']
)
def test_a_torn_file_is_none(text: str) -> None:
    path = write_rates("abc", [RATES], {})
    path.write_text(text, encoding="utf-8")
    assert read_rates("abc") == ()


def test_this_machine_knows_its_rates() -> None:
    looked = this_machine.__wrapped__
    bare = looked()
    assert bare.rates == () and bare.rates_on("cpu") is None
    write_rates(bare.fingerprint, [RATES], {})
    assert looked() == replace(bare, rates=(RATES,))
    assert looked().rates_on("cpu") == RATES and looked().rates_on("gpu") is None
    assert bare.cores >= 1 and bare.memory_bytes


def test_a_quota_of_processor_time_is_rounded_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "processor_limit", lambda: 0.3)
    assert this_machine.__wrapped__().cores == 1


def test_another_machine_has_another_fingerprint(machine: Machine) -> None:
    others = [
        replace(machine, cores=8),
        replace(machine, processor="another"),
        replace(machine, units="amx"),
        replace(machine, cards=("NVIDIA T4",)),
    ]
    assert len({machine.fingerprint, *(other.fingerprint for other in others)}) == 5
    assert replace(machine, memory_bytes=1, rates=(RATES,)).fingerprint == machine.fingerprint


def test_a_pass_is_products_and_the_rest() -> None:
    rates = MachineRates(matmul_gflops=100, forward_ns_per_unit=30, forward_ns_per_score=10)
    seconds = rates.pass_seconds(5e9, units=1e6, scores=2e6, training=False)
    assert seconds is not None and math.isclose(seconds, 0.05 + 0.03 + 0.02)
    assert rates.pass_seconds(5e9, units=1e6, scores=2e6, training=True) is None


def test_names_of_cards_are_read_from_the_driver(tmp_path: Path) -> None:
    for place, name in (("0000:01:00.0", "NVIDIA A100-SXM4-40GB"), ("0000:02:00.0", "Tesla T4")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "information").write_text(f"Model: \t\t {name}\nIRQ:   \t 24\n", encoding="utf-8")
    assert card_names(tmp_path) == ("NVIDIA A100-SXM4-40GB", "Tesla T4")
    assert card_names(tmp_path / "none") == ()


def test_cards_are_read_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cards() == ()
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559, 550.54'\n", encoding="utf-8")
    tool.chmod(0o755)
    assert cards() == (Card("NVIDIA H100 80GB HBM3", 81559 << 20, "550.54"),)
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n", encoding="utf-8")
    assert cards() == ()


def test_a_card_may_keep_its_memory_to_itself() -> None:
    assert read_card("NVIDIA GB10, [N/A], 580.1") == Card("NVIDIA GB10", None, "580.1")
    assert read_card("No devices were found") is None
