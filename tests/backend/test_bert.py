import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from advisor.backend.bert import read_bert, write_bert

IDS = torch.tensor([[2, 5, 6, 7, 8, 3], [2, 9, 3, 0, 0, 0], [2, 3, 0, 0, 0, 0]])
MASK = (IDS > 0).long()


@torch.no_grad()
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("mask", [MASK, None])
def test_hidden_states_are_those_of_transformers(
    make_encoder: Callable[..., Path], fused: bool, mask: torch.Tensor | None
) -> None:
    folder = make_encoder()
    model = read_bert(folder, dtype=torch.float32, fused=fused)
    assert model is not None
    expected = AutoModel.from_pretrained(folder).eval()(input_ids=IDS, attention_mask=mask).last_hidden_state
    found = model(IDS, mask).last_hidden_state
    kept = MASK.bool() if mask is not None else torch.ones_like(MASK).bool()
    assert torch.allclose(found[kept], expected[kept], atol=1e-5)


def test_a_prefix_of_the_names_does_not_matter(make_encoder: Callable[..., Path]) -> None:
    folder = make_encoder()
    whole = read_bert(folder, dtype=torch.float32, fused=True)
    weights = load_file(folder / "model.safetensors")
    save_file({f"bert.{name}": tensor for name, tensor in weights.items()}, folder / "model.safetensors")
    prefixed = read_bert(folder, dtype=torch.float32, fused=True)
    assert whole is not None and prefixed is not None
    assert torch.equal(whole(IDS).last_hidden_state, prefixed(IDS).last_hidden_state)


@pytest.mark.parametrize(
    "changes",
    [{"hidden_act": "relu"}, {"is_decoder": True}, {"position_embedding_type": "relative_key"}, {"model_type": "x"}],
)
def test_anything_unusual_is_left_to_transformers(
    make_encoder: Callable[..., Path], changes: dict[str, object]
) -> None:
    folder = make_encoder()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    assert read_bert(folder, dtype=torch.float32, fused=True) is None


def test_damaged_or_missing_weights_are_left_to_transformers(make_encoder: Callable[..., Path]) -> None:
    folder = make_encoder()
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, folder / "model.safetensors")
    assert read_bert(folder, dtype=torch.float32, fused=True) is None
    (folder / "model.safetensors").write_bytes(b"x" * 100)
    assert read_bert(folder, dtype=torch.float32, fused=True) is None
    (folder / "model.safetensors").unlink()
    assert read_bert(folder, dtype=torch.float32, fused=True) is None


def test_embedding_imports_no_modelling_or_compiling_code(make_encoder: Callable[..., Path]) -> None:
    folder = make_encoder()
    code = (
        "import sys; from pathlib import Path; from advisor.backend.devices import Device; "
        "from advisor.backend.encoder import Encoder; "
        f"Encoder.load(Path({str(folder)!r}), Device('cpu', 'fp32', '')).embed(['good film']); "
        "sys.exit(any(name in sys.modules for name in ('transformers.modeling_utils', 'torch._dynamo')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_written_is_read_alike_by_transformers_and_keeps_what_is_beside_it(
    make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_encoder()
    weights = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(
        {f"bert.{name}": tensor for name, tensor in weights.items()} | {"cls.bias": IDS}, folder / "model.safetensors"
    )
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"torch_dtype": "float16", "dtype": "float16"}))
    model = read_bert(folder, dtype=torch.float32, fused=True)
    assert model is not None
    with torch.no_grad():
        model.layers[1].query.weight += 0.1
    write_bert(model, folder, tmp_path)
    again = AutoModel.from_pretrained(tmp_path)
    assert again.dtype == torch.float32
    assert torch.allclose(again.eval()(input_ids=IDS).last_hidden_state, model(IDS).last_hidden_state, atol=1e-5)
    assert torch.equal(again.pooler.dense.weight, weights["pooler.dense.weight"].float())
    assert set(load_file(tmp_path / "model.safetensors")) == set(weights)


def test_tuning_and_export_import_no_modelling_code(make_encoder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_encoder()
    code = (
        "import sys; from pathlib import Path; from advisor.backend.devices import Device; "
        "from advisor.backend.encoder import Encoder; from advisor.backend.frozen import save_encoder; "
        f"encoder = Encoder.load(Path({str(folder)!r}), Device('cpu', 'fp32', ''), frozen=False); "
        f"save_encoder(encoder, Path({str(tmp_path)!r}), tuned=True); "
        "sys.exit('transformers.modeling_utils' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
