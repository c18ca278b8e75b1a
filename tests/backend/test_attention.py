import pytest
import torch

from advisor.backend.attention import attention, narrow_mask
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.tuned import TunedModel
from tests.architectures import SENTENCES
from tests.backend.classifiers import new_model

BF16 = Device("cpu", "bf16", "for tests")
DIFFERING = [SENTENCES[0], SENTENCES[0].split()[0]]


def learnt(model: TunedModel) -> tuple[torch.Tensor, torch.Tensor, set[torch.dtype]]:
    """Return logits of texts of two lengths, gradients, and the formats that scores of tokens are kept in."""
    units = model.units(DIFFERING)
    assert len(units[1].ids) < len(units[0].ids)
    kept, scored = set(), len(units) * model.model.config.num_attention_heads

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.shape[:-2].numel() == scored and tensor.shape[-2] == tensor.shape[-1]:
            kept.add(tensor.dtype)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = model.logits(units)
    trained = [weight for weight in model.model.parameters() if weight.requires_grad]
    found = torch.autograd.grad(logits.square().sum(), trained, allow_unused=True)
    return logits, torch.cat([gradient.flatten() for gradient in found if gradient is not None]), kept


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "xlm-roberta"])
def test_a_narrow_mask_gives_the_same_numbers_from_scores_half_as_wide(architecture, name):
    narrow = new_model(architecture(name), BF16)
    torch.nn.init.normal_(narrow.output_layer.weight, generator=torch.Generator().manual_seed(1))
    logits, gradients, kept = learnt(narrow)
    narrow.model.set_attn_implementation("eager")
    wide_logits, wide_gradients, wide_kept = learnt(narrow)
    assert kept == {torch.bfloat16}
    assert torch.float32 in wide_kept
    assert logits.std() > 0
    torch.testing.assert_close(logits, wide_logits, rtol=0, atol=0)
    assert (gradients - wide_gradients).norm() < 1e-2 * wide_gradients.norm()


def test_an_encoder_that_is_tuned_itself_has_a_narrow_mask_too(architecture):
    tuned, frozen = (Encoder.load(architecture("roberta"), BF16, frozen=frozen).model for frozen in (False, True))
    assert "narrow" in tuned.config._attn_implementation
    assert frozen.config._attn_implementation == "eager"


def test_a_type_with_attention_of_its_own_keeps_it(architecture):
    model = new_model(architecture("deberta-v2"), BF16).model
    assert model.config._attn_implementation == "eager"


def test_code_without_an_eager_function_of_transformers_name_keeps_its_attention(architecture, monkeypatch):
    monkeypatch.delattr("transformers.models.bert.modeling_bert.eager_attention_forward")
    assert new_model(architecture("bert"), BF16).model.config._attn_implementation == "eager"


def test_masks_stay_as_they_are_where_products_are_in_fp32(architecture, cpu):
    model = new_model(architecture("bert"), cpu).model
    assert model.config._attn_implementation == "eager"
    narrow_mask(model, Device("cuda", "bf16", "for tests"))
    assert model.config._attn_implementation == "eager"
    assert attention(Device("cuda", "bf16", "for tests")) is None


def test_files_do_not_tell_which_attention_a_model_was_tuned_with(architecture, tmp_path):
    new_model(architecture("bert"), BF16).save(tmp_path / "kept")
    assert "narrow" not in (tmp_path / "kept" / "config.json").read_text(encoding="utf-8")
    again = TunedModel.load(tmp_path / "kept", BF16)
    assert "narrow" in again.model.config._attn_implementation
    again.model.set_attn_implementation("eager")
    with torch.no_grad():
        wide = again.logits(again.units(DIFFERING))
        narrow = TunedModel.load(tmp_path / "kept", BF16)
        torch.testing.assert_close(narrow.logits(narrow.units(DIFFERING)), wide, rtol=0, atol=0)


def test_a_type_that_autocast_breaks_computes_in_fp32(make_encoder, tmp_path):
    folder = make_encoder("deberta", relative_attention=True, pos_att_type=["c2p", "p2c"])
    model = new_model(folder, BF16)
    assert model.device.precision == "fp32"
    units = model.units(["good film", "fine"])
    assert model.logits(units).dtype == torch.float32
    model.save(tmp_path / "kept")
    again = TunedModel.load(tmp_path / "kept", BF16)
    with torch.no_grad():
        torch.testing.assert_close(again.logits(units), model.logits(units))
    assert Encoder.load(folder, BF16).embed(["good film", "fine"]).shape == (2, 32)
