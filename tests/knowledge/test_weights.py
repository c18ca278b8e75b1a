"""Where a base model's files are found, and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.errors import InputError
from advisor.files import sha256_of
from advisor.knowledge.weights import locate_model
from tests.language_models import write_language_model


def test_a_folder_is_found_and_pinned(architecture: Callable[..., Path]) -> None:
    folder = architecture("distilbert", head=True)
    found = locate_model(folder.name, relative_to=folder.parent)
    assert found.folder == folder
    assert found.sha256 == sha256_of(folder / "model.safetensors")
    assert found.facts.pretraining_head == "vocab_layer_norm, vocab_projector, vocab_transform (DistilBertForMaskedLM)"


def test_weights_in_several_files_are_pinned_by_all_of_them(architecture: Callable[..., Path], tmp_path: Path) -> None:
    shutil.copytree(architecture("distilbert"), tmp_path / "model")
    for number in (1, 2):
        (tmp_path / "model" / f"model-{number}.safetensors").write_bytes(b"\0" * 8)
    (tmp_path / "model" / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}
    (tmp_path / "model" / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    before = locate_model("model", relative_to=tmp_path).sha256
    (tmp_path / "model" / "model-2.safetensors").write_bytes(b"\1" * 8)
    assert locate_model("model", relative_to=tmp_path).sha256 != before
    (tmp_path / "model" / "model-2.safetensors").unlink()
    with pytest.raises(InputError, match=r"names model-2\.safetensors, which is not there"):
        locate_model("model", relative_to=tmp_path)


def test_files_that_decide_besides_the_weights_are_named(tmp_path: Path) -> None:
    folder = write_language_model(tmp_path / "model", "llama-chat")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{}", encoding="utf-8")
    (folder / "README.md").write_text("a card", encoding="utf-8")
    found = locate_model(str(folder)).files
    wanted = {"config.json", "generation_config.json", "tokenizer.json", "chat_template.jinja", "1_Pooling/config.json"}
    assert wanted <= found.keys() and not {"README.md", "model.safetensors"} & found.keys()
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    changed = locate_model(str(folder)).files
    assert {name for name in found if changed[name] != found[name]} == {"chat_template.jinja"}


def test_a_model_of_two_halves_is_refused(tmp_path: Path) -> None:
    config = {"d_model": 8, "num_layers": 1, "num_heads": 1, "d_ff": 8, "vocab_size": 9, "is_encoder_decoder": True}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="reads with one half and writes with the other"):
        locate_model(str(tmp_path))


@pytest.mark.parametrize("name", ["t5", "bart", "gpt2"])
def test_language_models_may_have_two_halves_and_are_pinned_alike(tmp_path: Path, name: str) -> None:
    folder = write_language_model(tmp_path / name, name)
    found = locate_model(str(folder), language_model=True)
    assert found.sha256 == sha256_of(folder / "model.safetensors")
    assert found.facts.objective == ("causal" if name == "gpt2" else "denoising")
    layers = 2 if name == "gpt2" else 4
    assert (found.facts.layers, found.facts.heads, found.facts.hidden) == (layers, 4, 32)
    if name != "gpt2":
        with pytest.raises(InputError, match="reads with one half and writes with the other"):
            locate_model(str(folder))


def test_pickled_or_no_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights there"):
        locate_model(str(tmp_path))
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(InputError, match="pickled weights can run code"):
        locate_model(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("meta-llama/Llama-3.2-1B", "accept its terms there and log in, check the name"),
        ("acme/reader", "; check the name"),
    ],
)
def test_without_the_hub_a_sentence_says_what_to_do(
    name: str, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=hint):
        locate_model(name, language_model=True)
