"""Thirty planted keys: in the environment, addresses, data, answers and errors; none in any file, log or message."""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from advisor.backend.prompted.endpoint import Endpoint
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.prompt import Prompt, Turn
from advisor.backend.prompted.settings import EndpointSettings
from advisor.errors import AdvisorError
from advisor.knowledge.hyperparameters import default_values
from tests.scripted_server import Server, serving

CHOICES = ["praise", "complaint"]
_FORMS = [
    "sk-PLANTED-{n:02}-a1b2c3d4e5", "hf_PLANTED{n:02}abcdefghijkl", "gsk_PLANTED{n:02}0123456789",
    "PLANTED/{n:02}+plain=secret", "PLANTED\"{n:02}'quoted", "xai-PLANTED{n:02}-0123456789",
]  # fmt: skip
KEYS = [_FORMS[number % len(_FORMS)].format(n=number) for number in range(30)]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def opened(server: Server, journal: Path, url: str | None = None) -> Endpoint:
    quick = {"first_wait_seconds": 0.001, "timeout_seconds": 0.3, "attempts": 2}
    settings = EndpointSettings.model_validate(default_values("endpoint") | quick)
    place = LanguageModelPlace("llm-api", "tiny", url=url or server.url, key_variable="PLANTED_KEY", journal=journal)
    return Endpoint(place, settings)


def shown(work: Any) -> str:
    """Return all that a failure would show."""
    try:
        work()
    except Exception as error:
        assert isinstance(error, AdvisorError)
        return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    return ""


def nowhere(key: str, *texts: str, folder: Path) -> None:
    from advisor.backend.prompted.secrecy import Key

    everywhere = [*texts, *(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())]
    for text in everywhere:
        assert not Key(key).stands_in(text)
        assert "PLANTED" not in text.replace("PLANTED_KEY", "")


@pytest.mark.parametrize("number", range(12))
def test_a_key_of_the_environment_is_sent_and_shown_nowhere(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    key, fault = KEYS[number], ["echo 401", "echo 500", "echo 400", "echo 429"][number % 4]
    monkeypatch.setenv("PLANTED_KEY", key)
    with serving(["vllm", "transformers"][number % 2], faults=[fault] * 2) as server:
        server.brain = lambda question: {f"praise {key}": 0.6, "complaint": 0.4}
        model = opened(server, tmp_path / "answers.jsonl")
        said = shown(lambda: model.score([Prompt("", (), "thank you")], CHOICES))
        assert said
        server.faults.clear()
        model.score([Prompt("", (), "thank you")], CHOICES)
        assert {head["Authorization"] for head in server.heads} == {f"Bearer {key}"}
    nowhere(key, said, logged.text, repr(model), repr(vars(model)), str(model.facts), folder=tmp_path)


@pytest.mark.parametrize("number", range(12, 18))
def test_a_key_in_an_address_is_refused_and_shown_nowhere(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    key = KEYS[number]
    monkeypatch.setenv("PLANTED_KEY", key)
    places = [f"http://{key}@127.0.0.1/v1", f"http://me:{key}@127.0.0.1/v1", f"http://127.0.0.1/v1?key={key}",
              f"http://127.0.0.1/{key}/v1", f"http://127.0.0.1/v1#{key}", f"http://{key}.127.0.0.1/v1"]  # fmt: skip
    with serving("vllm") as server:
        said = [shown(lambda url=url: opened(server, tmp_path / "a.jsonl", url)) for url in places]
        assert all(said)
        assert not server.attempts
    nowhere(key, *said, logged.text, folder=tmp_path)


@pytest.mark.parametrize("number", range(18, 24))
def test_a_key_in_the_data_is_kept_nowhere(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    key = KEYS[number]
    monkeypatch.setenv("PLANTED_KEY", key)
    prompt = Prompt("Say praise or complaint.", (Turn(f"my key is {key}", "complaint"),), f"thank you for {key}")
    with serving("vllm", faults=[f"say I see {key} here", "", "500", "500"]) as server:
        model = opened(server, tmp_path / "answers.jsonl")
        model.score([prompt], CHOICES)
        said = shown(lambda: model.score([prompt._replace(question=f"bad {key}")], CHOICES))
    nowhere(key, said, logged.text, folder=tmp_path)


@pytest.mark.parametrize("number", range(24, 30))
def test_another_key_that_an_error_repeats_is_shown_nowhere(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    key = KEYS[number]
    monkeypatch.setenv("PLANTED_KEY", "another-secret")
    with serving(
        "vllm", faults=[f'complain {{"X-Api-Key": "{key}", "Authorization": "Bearer {key}"}} is wrong']
    ) as server:
        model = opened(server, tmp_path / "answers.jsonl")
        said = shown(lambda: model.score([Prompt("", (), "thank you")], CHOICES))
        assert "refuses a request" in said
    nowhere(key, said, logged.text, folder=tmp_path)


def test_a_key_goes_to_no_other_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_KEY", KEYS[0])
    with serving("vllm") as other, serving("vllm", faults=[f"redirect {other.url}"] * 9) as server:
        assert shown(lambda: opened(server, tmp_path / "a.jsonl").score([Prompt("", (), "thank you")], CHOICES))
        assert not other.heads


def test_without_a_variable_no_key_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, KEYS[0])
    with serving("vllm") as server:
        settings = EndpointSettings.model_validate(default_values("endpoint"))
        Endpoint(LanguageModelPlace("llm-api", "tiny", url=server.url), settings).score([Prompt("", (), "hi")], CHOICES)
        assert not [head for head in server.heads if "authorization" in {name.lower() for name in head}]


def test_a_proxy_sees_nothing_of_a_server_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("vllm") as server, serving("vllm") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        settings = EndpointSettings.model_validate(default_values("endpoint"))
        Endpoint(LanguageModelPlace("llm-api", "tiny", url=server.url), settings)
        assert server.attempts
        assert not proxy.attempts
