"""Facts read off a model's folder, for architectures whose configurations name the same things differently."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.errors import InputError
from advisor.knowledge.catalogue import describe_model
from advisor.knowledge.pretrained import length_limit, name_parts, usable_positions, weight_shapes
from tests.architectures import ARCHITECTURES

Architecture = Callable[..., Path]


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("head", [False, True])
def test_sizes_are_those_of_the_model_itself(architecture: Architecture, name: str, head: bool) -> None:
    from transformers import AutoModel, AutoModelForCausalLM

    folder = architecture(name, head=head)
    facts = describe_model(str(folder))
    assert facts is not None
    kind = AutoModelForCausalLM if facts.generates and head else AutoModel
    sizes = {key: parameter.numel() for key, parameter in kind.from_pretrained(folder).named_parameters()}
    stored = any("pooler." in key for key in weight_shapes(folder))
    sizes = {key: size for key, size in sizes.items() if stored or "pooler." not in key}
    embeddings = [
        size for key, size in sizes.items() if any(part in key for part in ("embed", "wpe", "wte", "lm_head"))
    ]
    assert (facts.parameters, facts.embedding_parameters) == (sum(sizes.values()), sum(embeddings))
    assert (facts.layers, facts.hidden, facts.heads) == (2, 32, 4)
    assert facts.context == ARCHITECTURES[name].usable


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_pre_training_head_is_named(architecture: Architecture, name: str) -> None:
    made = ARCHITECTURES[name]
    whole, bare = (describe_model(str(architecture(name, head=head))) for head in (True, False))
    assert whole is not None
    assert bare is not None
    assert made.head in whole.pretraining_head
    assert made.pretraining_class in whole.pretraining_head
    assert bare.pretraining_head.startswith("none in the files")
    causal = made.pretraining_class in {"GPT2LMHeadModel", "Qwen2ForCausalLM"}
    assert whole.objective == ("replaced-token" if name == "electra" else "causal" if causal else "masked")
    assert bare.objective == "unknown"


def test_layers_that_share_weights_work_as_often_as_they_are_used(architecture: Architecture) -> None:
    facts = describe_model(str(architecture("albert")))
    assert facts is not None
    assert facts.layer_groups == 1
    assert facts.body_parameters == 2 * (facts.parameters - facts.embedding_parameters)


def test_a_limit_that_files_declare_is_kept_to_what_positions_allow(architecture: Architecture, tmp_path: Path) -> None:
    config = json.loads((architecture("roberta") / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert usable_positions(config) == length_limit(tmp_path) == 48
    assert usable_positions(config | {"pad_token_id": 3}) == 46
    assert usable_positions({"model_type": "t5"}) is None
    for file, name, declared, limit in (
        ("tokenizer_config.json", "model_max_length", 10**30, 48),
        ("tokenizer_config.json", "model_max_length", 20, 20),
        ("sentence_bert_config.json", "max_seq_length", 50, 48),
        ("sentence_bert_config.json", "max_seq_length", 12, 12),
        ("sentence_bert_config.json", "max_seq_length", None, 20),
    ):
        (tmp_path / file).write_text(json.dumps({name: declared}), encoding="utf-8")
        assert length_limit(tmp_path) == limit


def test_without_readable_weights_sizes_are_computed(architecture: Architecture, tmp_path: Path) -> None:
    whole = describe_model(str(architecture("bert")))
    (tmp_path / "config.json").write_bytes((architecture("bert") / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 64)
    computed = describe_model(str(tmp_path))
    assert whole is not None
    assert computed is not None
    assert computed.parameters == pytest.approx(whole.parameters, rel=0.02)
    assert computed.embedding_parameters == pytest.approx(whole.embedding_parameters, rel=0.02)


def test_parts_are_named_once() -> None:
    names = ["cls.predictions.bias", "cls.predictions.transform.dense.weight", "lm_head.bias", "lm_head.dense.weight"]
    assert name_parts(names) == "cls.predictions, lm_head"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"hidden_size": "wide"}'])
def test_an_unusable_configuration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"no usable config\.json"):
        describe_model(str(tmp_path))


@pytest.mark.parametrize("name", ["tokenizer_config.json", "sentence_bert_config.json"])
def test_a_file_beside_it_that_is_unusable_is_named(architecture: Architecture, tmp_path: Path, name: str) -> None:
    for path in architecture("bert").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for content in ("[]", "{"):
        (tmp_path / name).write_text(content, encoding="utf-8")
        describe_model.cache_clear()
        with pytest.raises(InputError, match=rf"no usable config\.json .*\({name}: "):
            describe_model(str(tmp_path))
