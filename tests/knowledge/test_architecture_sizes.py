"""Parameters by arithmetic, against models that transformers builds, without memory, from small configurations."""

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.knowledge.architectures import completed, count_parameters, load_architectures
from advisor.knowledge.pretrained import describe_folder

_SIZES = {
    "vocab_size": 101, "hidden_size": 32, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 52,
    "max_position_embeddings": 40, "pad_token_id": 0,
}  # fmt: skip
_GROUPED = {**_SIZES, "num_key_value_heads": 2}
_WIDE = {**_GROUPED, "head_dim": 16}
_RELATIVE = {**_SIZES, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
_GPT2 = {"vocab_size": 101, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 40}
_T5 = {"vocab_size": 101, "d_model": 32, "num_layers": 3, "num_heads": 4, "d_kv": 10, "d_ff": 50}
_SMALL: list[tuple[str, dict[str, Any]]] = [
    ("bert", _SIZES),
    ("roberta", _SIZES),
    ("xlm-roberta", _SIZES),
    ("camembert", _SIZES),
    ("mpnet", _SIZES),
    ("distilbert", {"vocab_size": 101, "dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 52}),
    ("electra", {**_SIZES, "embedding_size": 16}),
    ("electra", {**_SIZES, "embedding_size": 32}),
    ("albert", {**_SIZES, "embedding_size": 16}),
    ("albert", {**_SIZES, "embedding_size": 32, "num_hidden_groups": 2}),
    ("deberta", {**_SIZES, "type_vocab_size": 2}),
    ("deberta", _RELATIVE),
    ("deberta-v2", {**_SIZES, "embedding_size": 16}),
    ("deberta-v2", {**_RELATIVE, "position_buckets": 8}),
    ("deberta-v2", {**_RELATIVE, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True}),
    ("modernbert", _SIZES),
    ("modernbert", {**_SIZES, "norm_bias": True, "attention_bias": True, "mlp_bias": True}),
    ("eurobert", _GROUPED),
    ("llama", _GROUPED),
    ("llama", {**_WIDE, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    ("granite", _GROUPED),
    ("smollm3", _GROUPED),
    ("olmo2", _GROUPED),
    ("mistral", _WIDE),
    ("qwen2", _GROUPED),
    ("qwen3", _WIDE),
    ("qwen3", {**_WIDE, "attention_bias": True}),
    ("phi3", _GROUPED),
    ("gemma", _WIDE),
    ("gemma2", _WIDE),
    ("gemma3_text", _WIDE),
    ("gpt2", _GPT2),
    ("gpt2", {**_GPT2, "n_inner": 50}),
    ("gpt_neox", _SIZES),
    ("gpt_neox", {**_SIZES, "attention_bias": False}),
    ("t5", _T5),
    ("t5", {**_T5, "num_decoder_layers": 2, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    ("mt5", _T5),
]


def test_every_architecture_is_tried() -> None:
    assert {name for name, _ in _SMALL} == set(load_architectures())


@pytest.mark.parametrize(("name", "sizes"), _SMALL, ids=[f"{place}-{name}" for place, (name, _) in enumerate(_SMALL)])
def test_parameters_are_those_of_the_model_itself(name: str, sizes: dict[str, Any]) -> None:
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(name, **sizes)
    with torch.device("meta"):
        built = {key: parameter.numel() for key, parameter in AutoModel.from_config(config).named_parameters()}
    embeddings = sum(
        size for key, size in built.items() if any(part in key for part in ("embed", "wpe", "shared", "wte"))
    )
    count = count_parameters(completed(config.to_dict()))
    assert count is not None
    assert (count.embeddings, count.layers) == (embeddings, sum(built.values()) - embeddings)


@pytest.mark.parametrize("name", ["llama", "gpt_neox", "qwen3", "gemma2"])
def test_a_layer_that_writes_counts_where_it_has_weights_of_its_own(name: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(name, **(_SIZES if name == "gpt_neox" else _WIDE))
    with torch.device("meta"):
        built = sum(parameter.numel() for parameter in AutoModelForCausalLM.from_config(config).parameters())
    count = count_parameters(completed(config.to_dict()))
    assert count is not None
    assert sum(count) == built


@pytest.mark.parametrize("name", load_architectures())
def test_what_a_configuration_may_leave_out_is_what_transformers_fills_in(name: str) -> None:
    from transformers import AutoConfig

    filled, said = AutoConfig.for_model(name).to_dict(), dict(load_architectures()[name].defaults)
    if name == "gpt_neox":
        said.pop("mlp_bias")  # its configuration has no word for it
    every = said.pop("sliding_window_pattern", None) or said.pop("global_attn_every_n_layers", None)
    assert {key: filled[key] for key in said} == said
    if every:
        first, second = [place for place, kind in enumerate(filled["layer_types"]) if kind == "full_attention"][:2]
        assert second - first == every


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("bert", {}, {"kv_heads": 4, "head_dim": 8, "vocabulary": 101, "gated_mlp": False, "window": None}),
        ("llama", _WIDE, {"kv_heads": 2, "head_dim": 16, "gated_mlp": True, "tied_embeddings": False}),
        ("modernbert", {"local_attention": 8}, {"window": 8, "global_every": 3, "gated_mlp": True}),
        ("gemma2", {**_WIDE, "sliding_window": 8}, {"window": 8, "global_every": 2, "tied_embeddings": True}),
        ("gemma3_text", {**_WIDE, "sliding_window": 8}, {"window": 8, "global_every": 6}),
        ("mistral", {**_WIDE, "sliding_window": 8}, {"window": 8, "global_every": None}),
        ("mistral", {**_WIDE, "sliding_window": 64}, {"window": None, "global_every": None}),
        ("qwen2", {**_GROUPED, "sliding_window": 8}, {"window": None, "global_every": None}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bare", [False, True])
def test_fields_are_read_off_a_configuration(
    name: str, changed: dict[str, Any], expected: dict[str, Any], bare: bool, tmp_path: Path
) -> None:
    from transformers import AutoConfig

    sizes = {**_SIZES, **changed}
    config = {"model_type": name, **sizes} if bare else AutoConfig.for_model(name, **sizes).to_dict()
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    facts = describe_folder(tmp_path)
    assert {key: facts[key] for key in expected} == expected
    assert (facts["architecture"], facts["layers"], facts["context"]) == (name, 6, 40)
    assert facts["custom_code"] is False


def test_a_model_of_several_parts_is_described_by_its_text_part(tmp_path: Path) -> None:
    text = {"model_type": "gemma3_text", **_WIDE}
    config = {
        "model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"], "text_config": text,
        "vision_config": {"hidden_size": 9}, "auto_map": {"AutoModel": "code.Model"},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    facts = describe_folder(tmp_path)
    assert (facts["hidden"], facts["objective"], facts["custom_code"]) == (32, "causal", True)


def test_an_unknown_architecture_is_counted_nearly(tmp_path: Path) -> None:
    config = {"model_type": "unheard-of", "num_key_value_heads": 4, **_SIZES, "intermediate_size": 128}
    known = count_parameters(completed({**config, "model_type": "bert"}))
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    facts = describe_folder(tmp_path)
    assert known is not None
    assert facts["parameters"] == pytest.approx(known.embeddings + known.layers, rel=0.05)
    assert facts["gated_mlp"] is None
