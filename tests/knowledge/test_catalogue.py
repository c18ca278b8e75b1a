"""The catalogue of base models against what their own configurations say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.documents import read_document
from advisor.errors import InputError
from advisor.knowledge.architectures import load_architectures
from advisor.knowledge.catalogue import BaseModelFacts, describe_model, load_catalogue
from advisor.knowledge.pretrained import describe_folder

MODELS = load_catalogue().models
PUBLISHED: dict[str, Any] = read_document(Path(__file__).parent / "published.yaml").data
# What a configuration does not tell: a sentence encoder was trained on shorter texts, how a model was trained.
_SAID_ELSEWHERE = {"objective", "pretraining_head", "context", "window", "global_every"}


def test_every_model_has_its_configuration() -> None:
    assert len(MODELS) >= 50
    assert set(PUBLISHED) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_is_what_its_configuration_says(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED[name]["config"]), encoding="utf-8")
    told, facts = describe_folder(tmp_path), MODELS[name]
    assert {key: getattr(facts, key) for key in told if key not in _SAID_ELSEWHERE} == {
        key: value for key, value in told.items() if key not in _SAID_ELSEWHERE
    }
    assert facts.context <= told["context"]
    assert facts.window == (told["window"] if (told["window"] or 0) < facts.context else None)
    assert facts.parameters == PUBLISHED[name].get("counted", facts.parameters)


def test_most_counts_are_checked_by_another_source() -> None:
    assert sum("counted" in said for said in PUBLISHED.values()) >= 0.85 * len(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_is_in_range(name: str) -> None:
    facts = MODELS[name]
    assert 1e7 < facts.parameters < 1e12
    assert 0.02 * facts.parameters < facts.embedding_parameters < 0.9 * facts.parameters
    assert facts.vocabulary is not None and 20_000 <= facts.vocabulary <= 300_000
    assert facts.embedding_parameters >= facts.vocabulary * (
        128 if facts.architecture in ("albert", "electra") else facts.hidden
    )
    assert 4 <= facts.layers <= 100
    assert 256 <= facts.hidden <= 8192
    assert facts.kv_heads is not None and facts.heads % facts.kv_heads == 0
    assert facts.head_dim in (32, 64, 80, 96, 128, 256)
    assert facts.hidden <= facts.intermediate <= 8 * facts.hidden
    assert 128 <= facts.context <= 1_048_576
    assert facts.global_every is None or facts.window is not None
    assert facts.revision is None or re.fullmatch("[0-9a-f]{40}", facts.revision)
    assert all(re.fullmatch("[a-z]{2}|multilingual", language) for language in facts.languages)
    assert facts.objective != "unknown"
    assert facts.generates == (facts.objective in ("causal", "denoising"))
    assert facts.source


def test_a_configuration_alone_describes_a_model(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(PUBLISHED["Qwen/Qwen3-0.6B"]["config"]), encoding="utf-8")
    by_file, by_folder = describe_model(str(file)), describe_model(str(tmp_path))
    assert isinstance(by_file, BaseModelFacts)
    assert by_file == by_folder
    assert (by_file.parameters, by_file.revision) == (MODELS["Qwen/Qwen3-0.6B"].parameters, None)


_KEYS = sorted(
    {key for said in PUBLISHED.values() for key in said["config"]} | {"layer_types", "auto_map", "text_config"}
)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.floats(),
    st.text(max_size=4),
    st.lists(st.integers(), max_size=2),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(PUBLISHED)),
    kind=st.sampled_from([*load_architectures(), "unheard-of"]),
    changed=st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=4),
    dropped=st.sets(st.sampled_from(_KEYS), max_size=3),
)
def test_any_configuration_is_described_or_refused_in_a_sentence(
    tmp_path: Path, name: str, kind: str, changed: dict[str, Any], dropped: set[str]
) -> None:
    config = {**PUBLISHED[name]["config"], "model_type": kind, **changed}
    config = {key: value for key, value in config.items() if key not in dropped}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    describe_model.cache_clear()
    try:
        facts = describe_model(str(tmp_path))
    except InputError as refused:
        assert str(tmp_path) in str(refused)
    else:
        assert facts is not None
        assert facts.parameters > 0
