from pathlib import Path
from typing import Any

import pytest

from advisor.backend.prompted.endpoint import Endpoint
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.prompted.settings import EndpointSettings
from advisor.errors import InputError, RunError
from advisor.knowledge.hyperparameters import default_values
from tests.scripted_server import Server, serving

PRICES = {"usd_per_million_in": 100.0, "usd_per_million_out": 1000.0}
PROMPTS = [Prompt("Say praise or complaint.", (), f"thank you {number}") for number in range(40)]
CHOICES = ["praise", "complaint"]


def opened(server: Server, **place: Any) -> Endpoint:
    quick = {"first_wait_seconds": 0.005, "timeout_seconds": 0.3, "template_tokens": 12}
    settings = EndpointSettings.model_validate(default_values("endpoint") | quick)
    return Endpoint(LanguageModelPlace("llm-api", server.name, url=server.url, **PRICES | place), settings)


def cost(server: Server, bodies: list[dict[str, Any]]) -> float:
    """Return what the server would charge for answers."""
    from tests.scripted_server import completion

    usages = [completion(server, body)["usage"] for body in bodies]
    return sum(usage["prompt_tokens"] * 100 + usage["completion_tokens"] * 1000 for usage in usages) / 1e6


def test_nothing_is_sent_that_could_exceed_the_cap(tmp_path: Path) -> None:
    cap = 0.2
    with serving("vllm") as server:
        model = opened(server, max_usd=cap, journal=tmp_path / "answers.jsonl")
        with pytest.raises(
            RunError, match=r"cost 0\.1\d+ of at most 0\.2000 USD.*model\.llm_max_usd.*answers paid for are kept"
        ):
            model.score(PROMPTS, CHOICES)
        assert cap * 0.8 < cost(server, server.bodies) <= cap
        assert model.usage.usd == pytest.approx(cost(server, server.bodies))


def test_with_a_higher_cap_the_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal = tmp_path / "answers.jsonl"
    with serving("vllm") as server:
        with pytest.raises(RunError):
            opened(server, max_usd=0.2, journal=journal).score(PROMPTS, CHOICES)
        with pytest.raises(RunError):  # what is spent already counts
            opened(server, max_usd=0.2, journal=journal).score(PROMPTS, CHOICES)
        scores = opened(server, max_usd=2, journal=journal).score(PROMPTS, CHOICES)
        assert scores.shape == (40, 2)
        assert len(server.asked()) == 40
        assert server.repeated() == 0


def test_answers_that_never_came_count_as_paid(tmp_path: Path) -> None:
    journal = tmp_path / "answers.jsonl"
    with serving("vllm", faults=["hang", "truncated"] * 20) as server:
        with pytest.raises(RunError, match="USD"):
            opened(server, max_usd=0.1, journal=journal).score(PROMPTS, CHOICES)
        attempts = server.attempts
        with pytest.raises(RunError, match="USD"):
            opened(server, max_usd=0.1, journal=journal).score(PROMPTS, CHOICES)
        assert server.attempts <= attempts + 1


def test_requests_wait_for_what_others_have_set_aside() -> None:
    with serving("vllm", delay=0.01) as server:
        full = opened(server)
        full.score(PROMPTS[:20], CHOICES)
        need = full.usage.usd
        assert need is not None
        # Eight at a time set far more aside than they cost.
        scores = opened(server, max_usd=need + 0.025).score(PROMPTS[:20], CHOICES)
    assert scores.shape == (20, 2)


def test_the_cap_holds_from_the_first_request_on() -> None:
    with serving("vllm") as server:
        with pytest.raises(RunError, match="at most 0"):
            opened(server, max_usd=1e-6)
        assert not server.attempts


def test_a_cap_without_prices_is_an_error() -> None:
    with serving("vllm") as server, pytest.raises(InputError, match=r"model\.llm_max_usd.*prices"):
        opened(server, max_usd=1.0, usd_per_million_in=None)


def test_a_model_that_costs_nothing_needs_no_cap() -> None:
    free = {"usd_per_million_in": 0.0, "usd_per_million_out": 0.0}
    with serving("vllm") as server:
        model = opened(server, max_usd=0.0, **free)
        assert model.score(PROMPTS[:2], CHOICES).shape == (2, 2)
        assert model.usage.usd == 0
