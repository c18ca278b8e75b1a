"""The cards, and what a named card tells of a project."""

import pytest

from advisor.errors import InputError
from advisor.knowledge.hardware import _plain, card_name, fill_from_card, find_card, load_cards
from advisor.profile import Profile

CARDS = load_cards()


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_in_range(name: str) -> None:
    card = CARDS[name]
    peaks = card.dense_tflops
    assert card.memory_gb is not None and 8 <= card.memory_gb <= 300
    assert card.bandwidth_gb_per_s is not None and 250 <= card.bandwidth_gb_per_s <= 10_000
    assert peaks.fp16 is not None and 10 <= peaks.fp16 <= 3000
    assert peaks.fp32 is None or 5 <= peaks.fp32 <= 200
    assert peaks.fp32 is None or 1.5 <= peaks.fp16 / peaks.fp32 <= 20
    assert (peaks.bf16 is not None) == card.bf16
    assert peaks.bf16 in (None, peaks.fp16)
    assert card.watts is None or 50 <= card.watts <= 1500
    assert len(card.source) > 10


def test_no_two_cards_share_a_name() -> None:
    names = [(_plain(other), name) for name, card in CARDS.items() for other in {name, *card.names}]
    owners: dict[str, set[str]] = {}
    for plain, name in names:
        owners.setdefault(plain, set()).add(name)
    assert all(len(found) == 1 for found in owners.values()), owners


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 80GB SXM"),
        ("NVIDIA A100 80GB PCIe", "NVIDIA A100 80GB PCIe"),
        ("a100 80gb", "NVIDIA A100 80GB SXM"),
        ("Tesla T4", "NVIDIA T4"),
        ("NVIDIA GeForce RTX 4090", "NVIDIA RTX 4090"),
        ("rtx 4090", "NVIDIA RTX 4090"),
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100 SXM"),
        ("AMD Instinct MI300X", "AMD MI300X"),
        ("Voodoo 2", None),
    ],
)
def test_drivers_clouds_and_people_name_cards_differently(called: str, name: str | None) -> None:
    assert card_name(called) == name
    assert find_card(called) == (CARDS[name] if name else None)


def _profile(**answers: object) -> Profile:
    return Profile().with_answers({key.replace("__", "."): value for key, value in answers.items()}, "file")


def test_a_card_tells_device_and_memory() -> None:
    told = fill_from_card(_profile(compute__card="T4", serving__card="L4"))
    assert (told.compute.device, told.compute.memory_gb, told.serving.device) == ("gpu", 16, "gpu")
    assert told.source("compute.memory_gb") == "detected"


def test_what_is_said_stays() -> None:
    told = fill_from_card(_profile(compute__card="T4", compute__memory_gb=12.0))
    assert (told.compute.memory_gb, told.serving.device) == (12, None)
    assert fill_from_card(Profile()) == Profile()


def test_an_unknown_card_is_named_with_its_neighbour() -> None:
    with pytest.raises(InputError, match=r"compute\.card: no card 'NVIDIA RTX 4091'.*did you mean 'NVIDIA RTX 4090'"):
        fill_from_card(_profile(compute__card="NVIDIA RTX 4091"))


def test_a_card_and_a_processor_contradict_each_other() -> None:
    with pytest.raises(InputError, match=r"serving\.card is T4, but serving\.device is cpu"):
        _profile(serving__card="T4", serving__device="cpu")
