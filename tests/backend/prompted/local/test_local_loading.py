"""Which folders hold a language model, and what is said of those that hold none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.backend.devices import Device
from advisor.backend.prompted.language_model import Free
from advisor.backend.prompted.local import load_language_model
from advisor.backend.prompted.local.loading import kind_of, steady_positions
from advisor.errors import InputError
from tests.backend.prompted.local.conftest import PROMPTS

Folder = Callable[[str], Path]
BART = {"model_type": "bart", "is_encoder_decoder": True}


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, "causal"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "masked"),
        ({"model_type": "bert", "architectures": ["BertLMHeadModel"]}, "causal"),
        ({"model_type": "roberta"}, "masked"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "seq2seq"),
        (BART | {"architectures": ["BartForConditionalGeneration"]}, "seq2seq"),
        (BART | {"architectures": ["BartForSequenceClassification"]}, "classifier"),
        ({"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]}, "causal"),
        ({"model_type": "own", "architectures": ["OwnForCausalLM"], "auto_map": {}}, "causal"),
    ],
)  # fmt: skip
def test_the_kind_of_a_model_is_told_by_its_configuration(config: dict[str, object], kind: str) -> None:
    assert kind_of(config) == kind


def test_other_models_are_refused() -> None:
    with pytest.raises(InputError, match="models of type 'vit' cannot be prompted here"):
        kind_of({"model_type": "vit", "architectures": ["ViTModel"]})


def test_a_classifier_without_entailment_is_refused(language_model: Folder, cpu: Device) -> None:
    with pytest.raises(InputError, match="judge: a classifier without a label of entailment"):
        load_language_model(language_model("judge"), cpu, name="judge")


def test_an_encoder_without_its_head_is_refused(architecture: Callable[..., Path], cpu: Device) -> None:
    with pytest.raises(InputError, match=r"its files lack weights of the language model \(cls\.predictions"):
        load_language_model(architecture("bert"), cpu, name="bert")
    assert load_language_model(architecture("bert", head=True), cpu, name="bert").writes is False


def test_pickled_weights_are_refused(language_model: Folder, cpu: Device, tmp_path: Path) -> None:
    folder = shutil.copytree(language_model("gpt2"), tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="no safetensors there; pickled weights can run code"):
        load_language_model(folder, cpu, name="pickled")


def test_an_empty_folder_is_refused(cpu: Device, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no language model can be loaded from there"):
        load_language_model(tmp_path, cpu, name="nothing")


def test_what_the_tokenizer_declares_limits_the_context(language_model: Folder, cpu: Device, tmp_path: Path) -> None:
    folder = shutil.copytree(language_model("gpt2"), tmp_path / "short")
    details = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps(details | {"model_max_length": 100}), encoding="utf-8")
    assert load_language_model(folder, cpu, name="short").context == 100
    assert load_language_model(language_model("mamba"), cpu, name="mamba").context is None


@pytest.mark.parametrize(
    ("config", "positions"),
    [
        ({"max_position_embeddings": 131072}, None),
        ({"max_position_embeddings": 131072, "rope_parameters": {"rope_type": "llama3"}}, None),
        ({"max_position_embeddings": 4096, "rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}, 4096),
        ({"original_max_position_embeddings": 4096, "rope_scaling": {"type": "longrope"}}, 4096),
        ({"rope_parameters": {"rope_type": "longrope", "original_max_position_embeddings": 8192}}, 8192),
        ({"rope_parameters": {"full_attention": {"rope_type": "default"}}}, None),
    ],
)
def test_positions_that_stretch_limit_the_context(config: dict[str, object], positions: int | None) -> None:
    assert steady_positions(config) == positions


@pytest.mark.parametrize("name", ["bert", "nli"])
def test_models_that_cannot_write_say_so(language_model: Folder, cpu: Device, name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: fills gaps or judges, and cannot write"):
        load_language_model(language_model(name), cpu, name=name).write(PROMPTS[:1], [Free(3)])
