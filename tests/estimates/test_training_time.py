"""Training time: what a model that writes takes beside the passes through its layers."""

import pytest

from advisor.estimates.constants import load_constants
from advisor.estimates.place import training_place
from advisor.estimates.training_time import training_seconds
from advisor.knowledge.catalogue import load_catalogue
from advisor.machine import Machine
from advisor.strategies import Passes, Workload

SMOL = load_catalogue().models["HuggingFaceTB/SmolLM2-135M"]
PLACES = {
    device: training_place({"compute.device": device}, Machine(2, 8 * 10**9, "avx2", device == "gpu"))
    for device in ("cpu", "gpu")
}
TOKENS = 512.0


def work(*, adapters: int = 0, writes: bool = True) -> Workload:
    learning = Passes(TOKENS, 128.0, 1.0 if adapters else 2.0, 1.0)
    return Workload(
        passes=(learning,), updates=1, trained_parameters=10**6, stored_layers=SMOL.layers, batch_texts=4,
        batch_tokens=TOKENS, adapters=adapters, recompute=True, writes=writes,
    )  # fmt: skip


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize("adapters", [0, 16])
def test_the_product_with_the_vocabulary_is_not_computed_again(device: str, adapters: int) -> None:
    place, name = PLACES[device], "passes with gradients"
    larger = SMOL.model_copy(update={"vocabulary": 2 * (SMOL.vocabulary or 0)})
    added = (
        training_seconds(work(adapters=adapters), larger, place)[name].point
        - training_seconds(work(adapters=adapters), SMOL, place)[name].point
    )
    kinds = 2 if adapters else 3
    flops = kinds * TOKENS * 2 * (SMOL.vocabulary or 0) * SMOL.hidden
    assert added == pytest.approx(place.training_gflops.spend(flops / 1e9).point)


def test_scores_of_the_vocabulary_and_adapters_take_time_of_their_own_on_a_processor() -> None:
    name, constants = "adapters and scores", load_constants()
    all_weights = training_seconds(work(), SMOL, PLACES["cpu"])[name].point
    assert all_weights == pytest.approx(
        TOKENS * (SMOL.vocabulary or 0) * constants["cpu_ns_of_token_score"].point / 1e9
    )
    adapted = training_seconds(work(adapters=16), SMOL, PLACES["cpu"])[name].point
    units = 3 * TOKENS * SMOL.layers * SMOL.hidden
    assert adapted - all_weights == pytest.approx(units * constants["cpu_adapter_ns_of_generator"].point / 1e9)
    assert name not in training_seconds(work(adapters=16), SMOL, PLACES["gpu"])
    assert name not in training_seconds(work(writes=False), SMOL, PLACES["cpu"])
