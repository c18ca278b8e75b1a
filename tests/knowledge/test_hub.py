"""Configurations of hub models: from the hub's cache, or fetched alone; without a network one sentence."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from advisor.errors import InputError
from advisor.knowledge import hub
from advisor.knowledge.catalogue import describe_model
from advisor.knowledge.hub import cached_folder, fetch_configuration, looks_like_hub_id
from advisor.machine import Machine
from advisor.project import open_project

CONFIG = {
    "model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_size": 32, "num_hidden_layers": 2,
    "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 99, "max_position_embeddings": 40,
}  # fmt: skip
MACHINE = Machine(2, 8_000_000_000, "avx2", False)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put(cache: Path, commit: str, **changed: int) -> Path:
    folder = cache / "models--acme--reader" / "snapshots" / commit
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changed}), encoding="utf-8")
    return folder


def test_a_cached_configuration_describes_a_model_with_its_commit(cache: Path) -> None:
    os.utime(put(cache, "a" * 40), (1, 1))
    newer = put(cache, "b" * 40, hidden_size=64)
    assert cached_folder("acme/reader") == newer
    describe_model.cache_clear()
    facts = describe_model("acme/reader")
    assert facts is not None
    assert (facts.hidden, facts.revision, facts.objective) == (64, "b" * 40, "masked")
    assert facts.source == "config.json of acme/reader"
    assert describe_model("acme/other") is None
    describe_model.cache_clear()


def test_offline_is_said_in_a_sentence(cache: Path) -> None:
    with pytest.raises(InputError, match=r"acme/reader: its configuration cannot be had offline; .*name a folder"):
        fetch_configuration("acme/reader")


def test_a_hub_that_does_not_answer_is_asked_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Session:
        def head(self, url: str, timeout: float) -> None:
            asked.append(url)
            raise ConnectionError

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.get_session", Session)
    with pytest.raises(InputError, match=r"cannot be had from the hub \(ConnectionError\)"):
        fetch_configuration("acme/reader")
    assert asked == [constants.ENDPOINT]


@pytest.mark.parametrize(
    ("name", "looks"),
    [("acme/reader", True), ("reader", False), ("./acme/reader", False), ("/acme", False), ("a/b/c", False)],
)
def test_what_looks_like_a_hub_id(name: str, looks: bool) -> None:
    assert looks_like_hub_id(name) is looks


def opened(**settings: Any) -> tuple[str, ...]:
    return open_project(
        settings={key.replace("__", "."): value for key, value in settings.items()}, machine=MACHINE
    ).notes


def test_an_unknown_model_is_fetched_once_and_then_known(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[tuple[str, str | None]] = []

    def fetch(name: str, revision: str | None = None) -> Path:
        fetched.append((name, revision))
        return put(cache, "c" * 40)

    monkeypatch.setattr("advisor.project.fetch_configuration", fetch)
    describe_model.cache_clear()
    for _ in range(2):
        assert opened(model__base="acme/reader", model__revision="c" * 40) == ()
    assert fetched == [("acme/reader", "c" * 40)]
    assert describe_model("acme/reader") is not None
    describe_model.cache_clear()


def test_what_is_no_model_is_noted_with_the_one_that_may_be_meant(cache: Path) -> None:
    (note,) = opened(model__base="all-minilm-l6-v2")
    assert "a hub id such as owner/name (embedded/all-MiniLM-L6-v2 is known); forecasts leave it open" in note
    assert opened(model__llm="local", model__llm_name="llama3.2") == ()
    assert opened(model__base="auto") == ()


def test_what_could_not_be_fetched_is_noted(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (note,) = opened(model__base="acme/reader")
    assert note.endswith("forecasts leave it open")
    monkeypatch.setattr(hub, "fetch_configuration", None)
    (note,) = opened(model__base="acme/reader", constraints__air_gapped=True)
    assert "no network may be used" in note
    assert opened(model__base="google-bert/bert-base-uncased") == ()
    assert opened(model__llm="api", model__llm_name="acme/reader") == ()
