import base64
import json
import pickle
from urllib.parse import quote

import pytest

from advisor.backend.prompted.address import read_address
from advisor.backend.prompted.secrecy import Key, looks_like_a_key, without_keys
from advisor.errors import InputError

SECRET = "planted/Secret+7=x"


def test_a_key_is_hidden_in_every_form_it_may_be_written_in() -> None:
    key = Key(SECRET, "SOME_KEY")
    encoded = base64.b64encode(SECRET.encode()).decode()
    for form in (SECRET, quote(SECRET, safe=""), json.dumps(SECRET), encoded, f"Bearer {SECRET}"):
        assert key.stands_in(f"before {form} after")
        hidden = key.hide(f"before {form} after")
        assert "Secret" not in hidden
        assert encoded[:12] not in hidden
        assert hidden.startswith("before ")
        assert hidden.endswith(" after")


def test_neither_representation_nor_pickle_nor_attributes_show_a_key() -> None:
    key = Key(SECRET, "SOME_KEY")
    assert SECRET not in repr(key) + str(key) + f"{key}"
    assert not hasattr(key, "__dict__")
    with pytest.raises(TypeError, match="never written"):
        pickle.dumps(key)


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-4f8a9c2e1b7d6035", "hf_abcdefghijklmnopqrstuv12", "Authorization: Bearer a1b2c3d4e5f6",
        "AIzaSyA1234567890abcdefghijklmnop", '"api_key": "0123456789abcdef"', "gsk_1234567890abcdef",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIx.SflKxwRJSMeK", "basic dXNlcjpwYXNz", "x-api-key: 9f8e7d6c5b4a3210",
    ],
)  # fmt: skip
def test_what_looks_like_a_key_is_hidden(text: str) -> None:
    hidden = without_keys(f"the server said {text} and more")
    assert "[hidden]" in hidden
    assert hidden.startswith("the server said")
    assert hidden.endswith("and more")


@pytest.mark.parametrize(
    "text",
    [
        "key-performance-indicators", "the bearer of good news", "sk-learn", "hf_hub", "my password is long", "AIM-120",
        "monkey-puzzle-tree-number-5", "a basic idea of it", "author: A. Uthor",
    ],
)  # fmt: skip
def test_ordinary_words_stay(text: str) -> None:
    assert without_keys(text) == text
    assert not looks_like_a_key(text)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", f" {SECRET}\n")
    assert Key.from_environment("SOME_KEY").reveal() == SECRET
    assert not Key.from_environment(None)


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "zwei\u00e4", "line\nbreak"])
def test_a_key_that_is_missing_or_cannot_be_sent_is_an_error(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(InputError, match="SOME_KEY") as caught:
        Key.from_environment("SOME_KEY")
    assert not (value or "").strip() or value not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-proj-4f8a9c2e1b7d6035", "hf_abcdefghijklmnopqrstuv12", "a b", "ke-y"])
def test_a_key_in_place_of_a_variable_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(InputError, match="must name an environment variable") as caught:
        Key.from_environment(key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "base", "loopback"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1", True),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1", True),
        ("https://api.example.com/v1/", "https://api.example.com/v1", False),
        ("https://api.example.com/openai/v1/chat/completions", "https://api.example.com/openai/v1", False),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1", True),
        (" http://host/v1 ", "http://host/v1", False),
    ],
)
def test_addresses(url: str, base: str, loopback: bool) -> None:
    assert read_address(url) == (base, loopback)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:s3cr3t-planted@api.example.com/v1", "https://s3cr3t-planted@api.example.com/v1",
        "https://api.example.com/v1?api_key=s3cr3t-planted", "https://api.example.com/v1#s3cr3t-planted",
        "https://api.example.com/sk-s3cr3t-planted-0123456789/v1", "ftp://s3cr3t-planted/v1", "s3cr3t-planted",
        "http://[s3cr3t-planted/v1", "http://host:s3cr3t-planted/v1", "http:///s3cr3t-planted",
        "http://ho st/s3cr3t-planted",
    ],
)  # fmt: skip
def test_an_address_with_a_secret_or_none_at_all_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match=r"model\.llm_url") as caught:
        read_address(url)
    assert "s3cr3t" not in str(caught.value)


def test_a_missing_address_is_named() -> None:
    with pytest.raises(InputError, match=r"model\.llm_url is missing"):
        read_address(None)
