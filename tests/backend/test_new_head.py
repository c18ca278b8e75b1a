import numpy as np
import torch

from tests.backend.classifiers import new_model


def test_the_head_note_tells_what_the_head_reads(make_encoder, cpu):
    def note(pooling):
        return new_model(make_encoder("bert", pooling), cpu, seed=0).head_note

    assert "the mean of the tokens" in note("mean")
    assert "the first token" in note("cls")
    assert "the first token" in note(None)


def test_a_discarded_pre_training_head_is_named(make_encoder, cpu):
    from transformers import AutoConfig, AutoModelForMaskedLM

    folder = make_encoder("bert", "mean")
    AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    note = new_model(folder, cpu, seed=0).head_note
    assert "pre-training head discarded: cls.predictions" in note


def test_a_new_head_knows_nothing_yet_and_costs_no_global_randomness(make_encoder, cpu):
    before = torch.random.get_rng_state()
    made = new_model(make_encoder("bert", "mean"), cpu, seed=3, max_length=9)
    assert torch.equal(before, torch.random.get_rng_state())
    assert made.max_length == 9
    assert max(len(unit.ids) for unit in made.units(["film " * 30])) == 9
    np.testing.assert_allclose(made.outputs(["good", "bad"]), 1 / 3, atol=1e-6)
