"""How a processor is computed on."""

import os
from dataclasses import replace

import pytest
import torch

from advisor.backend import devices
from advisor.errors import InputError
from advisor.machine import Machine
from advisor.settings import load_settings


def test_a_device_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no device 'cuda' can be used from here; leave it out, or name cpu"):
        devices.choose_device.__wrapped__("cuda")


@pytest.mark.parametrize(("threads", "cores", "used"), [(3, 2, 2), (2, 4, 2)])
def test_no_more_threads_than_a_quota_allows(
    threads: int, cores: int, used: int, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(devices, "this_machine", lambda: replace(machine, cores=cores))
    try:
        torch.set_num_threads(threads)
        assert devices.choose_device.__wrapped__("cpu").kind == "cpu"
        assert torch.get_num_threads() == used
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("own", [None, "7"])
def test_few_kernels_are_kept_unless_the_user_says_how_many(own: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": own} if own else {})
    devices.choose_device.__wrapped__("cpu")
    kept = own or str(load_settings("computing.yaml")["kept_kernels"])
    assert os.environ == {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": kept}
