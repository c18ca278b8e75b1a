import pytest
import torch
from torch import nn

from advisor.backend.language_modelling import LanguageModel
from advisor.backend.remote_code import allow
from advisor.backend.untrained import draw_unset, unset_shown
from tests.architectures import write_architecture
from tests.backend.classifiers import new_model
from tests.own_code import write_own_code


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(3))


def test_new_memory_shows_that_nothing_was_written_only_within():
    with unset_shown():
        assert torch.empty(4).isnan().all()
    assert not torch.are_deterministic_algorithms_enabled()


def test_layers_left_unset_are_drawn_and_others_kept():
    with unset_shown():
        model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Linear(2, 2))
        kept = model[2].weight.detach().clone()
        model[0].bias = nn.Parameter(torch.empty(2))
        model[1].weight = nn.Parameter(torch.empty(2))
    draw_unset(model, {"0.weight", "0.bias", "1.weight", "2.weight", "2.bias"})
    assert not any(parameter.isnan().any() for parameter in model.parameters())
    assert torch.equal(model[1].weight, torch.ones(2))
    assert torch.equal(model[2].weight, kept)


def test_a_layer_that_does_not_say_how_it_is_drawn_is_refused():
    with unset_shown():
        model = nn.Sequential(Scaled())
    with pytest.raises(ValueError, match=r"leaves 0\.scale without a value"):
        draw_unset(model, {"0.scale"})


def test_a_head_whose_own_code_forgets_its_bias_holds_numbers(tmp_path, cpu):
    folder = write_own_code(tmp_path / "own")
    allow(folder)
    with unset_shown():
        model = new_model(folder, cpu)
    assert all(parameter.isfinite().all() for parameter in model.model.parameters())


def test_a_language_model_head_holds_numbers(tmp_path, cpu):
    folder = tmp_path / "bert"
    write_architecture(folder, "bert")
    with unset_shown():
        model = LanguageModel.load(folder, cpu, seed=3)
    assert all(parameter.isfinite().all() for parameter in model.model.parameters())
