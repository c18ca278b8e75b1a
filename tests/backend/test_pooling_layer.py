import pytest
import torch

from advisor.backend.batching import collate
from advisor.backend.pooling_layer import expressible, pooling_layer, text_vector
from tests.backend.classifiers import new_model

TYPES = ["bert", "roberta", "xlm-roberta", "camembert", "electra"]


@pytest.fixture(params=TYPES)
def classifier(request, make_encoder, cpu):
    made = new_model(make_encoder(request.param), cpu)
    with torch.no_grad():
        for parameter in made.model.classifier.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    return made


def test_one_layer_more_computes_what_the_head_was_trained_on(classifier):
    units = classifier.units(["good", "the very awful film of a trip", "not quite fine"])
    with torch.no_grad():
        wanted = classifier.logits(units)
        ids, mask = collate([unit.ids for unit in units], classifier.tokenizer.pad_token_id, torch.device("cpu"))
        with pooling_layer(classifier.model):
            stock = classifier.model(input_ids=ids, attention_mask=mask).logits
    assert wanted.std() > 0.01
    torch.testing.assert_close(stock, wanted, atol=1e-4, rtol=0)


def test_the_layer_is_gone_after_the_block_even_when_it_fails(classifier):
    layers = classifier.model.config.num_hidden_layers
    with pytest.raises(OSError), pooling_layer(classifier.model):
        assert classifier.model.config.num_hidden_layers == layers + 1
        raise OSError
    assert classifier.model.config.num_hidden_layers == layers == len(classifier.model.base_model.encoder.layer)


def test_a_text_vector_is_the_normalised_mean_of_its_own_tokens():
    hidden = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    means = torch.stack([hidden[0].mean(0), hidden[1, :2].mean(0)])
    wanted = torch.nn.functional.layer_norm(means, (32,))
    torch.testing.assert_close(text_vector(hidden, mask, 1e-12), wanted, atol=0.01, rtol=0)


@pytest.mark.parametrize("model_type", ["albert", "mpnet", "distilbert"])
def test_types_whose_layers_cannot_hold_a_mean_are_left_alone(model_type, make_encoder, cpu):
    encoder = make_encoder(model_type)
    made = new_model(encoder, cpu)
    assert not made.mean_pooled
    assert not expressible(made.model.config)
    assert "the first token" in made.head_note
