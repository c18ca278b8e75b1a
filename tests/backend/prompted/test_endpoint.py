import math
from typing import Any

import numpy as np
import pytest

from advisor.backend.prompted.endpoint import Endpoint
from advisor.backend.prompted.language_model import Entities, Extract, Free, LanguageModel
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.prompt import Prompt, Turn
from advisor.backend.prompted.settings import EndpointSettings
from advisor.errors import InputError, RunError
from advisor.knowledge.hyperparameters import default_values
from tests.scripted_server import SHAPES, Server, Shape, serving

CHOICES = ["praise", "complaint", "question"]
PROMPTS = [
    Prompt("Say praise, complaint or question.", (Turn("lovely", "praise"),), f"{text} {number}", "Label:")
    for number, text in enumerate(["thank you", "it broke", "thanks", "never again"])
]
RIGHT = [0, 1, 0, 1]


def opened(server: Server, place: dict[str, Any] | None = None, **settings: Any) -> Endpoint:
    quick = {"first_wait_seconds": 0.005, "longest_wait_seconds": 0.5, "timeout_seconds": 0.3}
    own = EndpointSettings.model_validate(default_values("endpoint") | quick | settings)
    return Endpoint(LanguageModelPlace("llm-api", server.name, url=server.url, **(place or {})), own)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_server_gives_the_same_labels_from_the_same_place(shape: str) -> None:
    with serving(shape) as server:
        model: LanguageModel = opened(server)
        scores = model.score(PROMPTS, CHOICES)
    assert scores.shape == (4, 3)
    assert scores.dtype == np.float32
    assert scores.argmax(axis=1).tolist() == RIGHT
    assert np.exp(scores).sum(axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("shape", ["vllm", "llama.cpp", "few-likeliest", "no-system"])
def test_log_probabilities_are_the_scores_where_a_server_tells_them(shape: str) -> None:
    with serving(shape) as server:
        model = opened(server)
        scores = np.exp(model.score(PROMPTS, CHOICES))
        assert model.facts["scored_by"] == "log-probabilities"
    assert scores[0] == pytest.approx([0.8, 0.15, 0.05], abs=1e-5)
    assert scores[1] == pytest.approx([0.1, 0.85, 0.05], abs=1e-5)


def test_choices_with_one_beginning_are_told_apart() -> None:
    told = {"very good": 0.5, "very bad": 0.3, "fine": 0.2}
    with serving("vllm", brain=lambda question: told) as server:
        scores = np.exp(opened(server).score(PROMPTS[:1], list(told)))
    assert scores[0] == pytest.approx([0.5, 0.3, 0.2], abs=1e-5)


def test_what_a_server_is_able_to_do_is_found_out_once(tmp_path: Any) -> None:
    place = {"journal": tmp_path / "answers.jsonl"}
    with serving("newest") as server:
        first = opened(server, place)
        attempts = server.attempts
        second = opened(server, place)
        assert server.attempts == attempts
    assert first.abilities == second.abilities
    assert (second.abilities.limit, second.abilities.greedy) == ("max_completion_tokens", False)


def test_the_context_is_the_place_s_else_the_server_s() -> None:
    with serving("vllm") as server:
        assert opened(server).context == 4096
        assert opened(server, {"context": 512}).context == 512
    with serving("ollama") as server:
        assert opened(server).context is None


def test_a_model_is_told_not_to_think_where_its_server_takes_that() -> None:
    for shape, quiet in (("vllm", True), ("newest", False)):
        with serving(shape) as server:
            opened(server).score(PROMPTS[:1], CHOICES)
            assert ("chat_template_kwargs" in server.asked()[0]) == quiet


def test_an_instruction_stands_in_the_first_question_where_there_is_no_system() -> None:
    with serving("no-system") as server:
        opened(server).score(PROMPTS[:1], CHOICES)
        roles = [message["role"] for message in server.asked()[0]["messages"]]
        assert roles == ["user", "assistant", "user"]
        assert server.asked()[0]["messages"][0]["content"] == "Say praise, complaint or question.\n\nlovely"


@pytest.mark.parametrize(
    "fault",
    ["429", "429 0.01", "500", "502", "503", "529", "truncated", "broken-off", "html", "no-choices", "error-inside",
     "huge", "drip", "hang"],
)  # fmt: skip
def test_what_passes_is_tried_again(fault: str) -> None:
    with serving("vllm", faults=[fault]) as server:
        model = opened(server, concurrency=2)
        assert model.score(PROMPTS, CHOICES).argmax(axis=1).tolist() == RIGHT
        assert server.attempts == model.usage.requests + 1


def test_a_server_that_stays_broken_stops_the_run_and_keeps_the_answers() -> None:
    with serving("vllm", faults=["", "500", "500", "500"]) as server:
        with pytest.raises(RunError, match=r"failed 3 times in a row \(500: broken\).*answers are kept"):
            opened(server, attempts=3, concurrency=1).score(PROMPTS, CHOICES)
        assert len(server.asked()) == 1


def test_a_server_is_waited_for_as_long_as_it_says() -> None:
    import time

    with serving("vllm", faults=["429 0.3"]) as server:
        model = opened(server)
        start = time.monotonic()
        model.score(PROMPTS[:2], CHOICES)
        assert time.monotonic() - start >= 0.3


def test_a_server_that_asks_to_wait_too_long_stops_the_run() -> None:
    with serving("vllm", faults=["429 3600"]) as server, pytest.raises(RunError, match="asks to wait 3,600 seconds"):
        opened(server).score(PROMPTS, CHOICES)


def test_an_account_with_nothing_left_stops_the_run_at_once() -> None:
    with serving("vllm", faults=["quota"]) as server:
        model = opened(server)
        before = server.attempts
        with pytest.raises(RunError, match="nothing is left on the account"):
            model.score(PROMPTS[:1], CHOICES)
        assert server.attempts == before + 1


@pytest.mark.parametrize(
    ("fault", "said"), [("401", "refuses access"), ("400", "refuses a request"), ("402", "account")]
)
def test_what_does_not_pass_is_not_tried_again(fault: str, said: str) -> None:
    with serving("vllm", faults=[fault]) as server, pytest.raises(RunError, match=said):
        opened(server).score(PROMPTS[:1], CHOICES)


def test_a_redirect_is_not_followed() -> None:
    with serving("vllm") as other, serving("vllm", faults=[f"redirect {other.url}"]) as server:
        with pytest.raises(RunError, match=r"redirects to 127\.0\.0\.1.*neither data nor a key are sent on"):
            opened(server).score(PROMPTS[:1], CHOICES)
        assert not other.attempts


def test_an_unknown_model_is_named_with_those_there_are() -> None:
    with serving("vllm") as server, pytest.raises(InputError, match=r"has no model typo.*it lists tiny"):
        Endpoint(LanguageModelPlace("llm-api", "typo", url=server.url), opened(server)._settings)


def test_no_server_is_an_error_that_says_so() -> None:
    with serving("vllm") as server:
        pass
    with pytest.raises(RunError, match=r"127\.0\.0\.1.*no server answers there"):
        opened(server)


@pytest.mark.parametrize("shape", ["ollama", "transformers"])
def test_a_wrong_label_is_asked_for_once_more(shape: str) -> None:
    with serving(shape, faults=["say I would rather not"]) as server:
        model = opened(server)
        scores = model.score(PROMPTS[:1], CHOICES)
        assert scores[0].argmax() == 0
        assert (model.facts["asked_again"], model.facts["invalid"]) == (1, 0)
        assert server.asked()[1]["messages"][-1]["content"].endswith(
            "Answer with one of these and nothing else: praise, complaint, question"
        )


def test_labels_that_stay_wrong_count_as_invalid_and_tell_nothing() -> None:
    with serving("transformers", faults=["say no", '{"answer": "prai']) as server:
        server.faults[1] = f"say {server.faults[1]}"
        model = opened(server)
        scores = model.score(PROMPTS[:1], CHOICES)
        assert np.exp(scores[0]) == pytest.approx(1 / 3)
        assert model.facts["invalid"] == 1


def test_an_answer_that_begins_otherwise_is_made_to_be_a_choice() -> None:
    with serving("vllm", brain=lambda question: {"Well, praise": 0.97, "complaint": 0.03}) as server:
        model = opened(server)
        assert model.score(PROMPTS[:1], CHOICES)[0].argmax() == 1
        assert "response_format" in server.asked()[-1]


def test_prompts_that_are_alike_are_asked_once() -> None:
    with serving("vllm", delay=0.01) as server:
        scores = opened(server).score([PROMPTS[0]] * 20, CHOICES)
        assert len(server.asked()) == 1
    assert (scores == scores[0]).all()


def test_no_more_requests_are_under_way_than_allowed() -> None:
    prompts = [PROMPTS[0]._replace(question=f"row {number}") for number in range(30)]
    with serving("vllm", delay=0.01) as server:
        seen: list[tuple[int, int]] = []
        opened(server, concurrency=3).score(prompts, CHOICES, lambda *done: seen.append(done))
        assert 2 <= server.at_once <= 3
    assert seen == [(number + 1, 30) for number in range(30)]


def test_scores_come_in_the_order_of_the_prompts() -> None:
    prompts = [PROMPTS[0]._replace(question=f"{'thank' if number % 3 else 'bad'} {number}") for number in range(30)]
    with serving("vllm", faults=["500", "", "429", "", "hang"]) as server:
        scores = opened(server).score(prompts, CHOICES)
    assert scores.argmax(axis=1).tolist() == [0 if number % 3 else 1 for number in range(30)]


def test_no_prompts_are_no_requests() -> None:
    with serving("vllm") as server:
        assert opened(server).score([], CHOICES).shape == (0, 3)
        assert opened(server).write([], []) == []
        assert not server.asked()


def test_tokens_are_counted_and_priced() -> None:
    prices = {"usd_per_million_in": 2.0, "usd_per_million_out": 10.0}
    with serving("vllm") as server:
        model = opened(server, prices)
        model.score(PROMPTS, CHOICES)
        usage = model.usage
        assert usage.requests == len(server.bodies)
    assert usage.usd == pytest.approx((usage.tokens_in * 2 + usage.tokens_out * 10) / 1e6)
    with serving("vllm") as server:
        assert opened(server).usage.usd is None


def test_tokens_that_the_server_does_not_count_are_estimated_from_above() -> None:
    with serving("uncounted") as server, serving("ollama") as counting:
        guessed, counted = opened(server), opened(counting)
        for model in (guessed, counted):
            model.score(PROMPTS, CHOICES)
        assert guessed.usage.tokens_in > counted.usage.tokens_in
        assert guessed.usage.tokens_out >= counted.usage.tokens_out
        assert guessed.facts["tokens_not_counted"] == guessed.usage.requests


def test_tokens_of_a_prompt_are_estimated_from_above() -> None:
    words = ("the parcel came early and everything was in it " * 40).strip()
    with serving("vllm") as server:
        model = opened(server)
        assert len(words.split()) < model.tokens(Prompt("", (), words)) < len(words)


def test_answers_are_timed_when_they_come(tmp_path: Any) -> None:
    place = {"journal": tmp_path / "answers.jsonl"}
    with serving("vllm", delay=0.1, faults=["429 0.2"]) as server:
        model = opened(server, place)
        model.score(PROMPTS[:2], CHOICES)
        again = opened(server, place)
        assert again.seconds == []
        again.score(PROMPTS[:2], CHOICES)
    assert len(model.seconds) == 2
    assert all(0.1 <= seconds < 0.3 for seconds in model.seconds)
    assert sorted(again.seconds) == pytest.approx(sorted(model.seconds), abs=1e-5)


def test_free_answers() -> None:
    with serving("vllm") as server:
        found = opened(server).write(PROMPTS[:2], [Free(20), Free(1)])
    assert found[0].text == "praise"
    assert found[0].whole
    assert found[0].log_likelihood == pytest.approx(math.log(0.8) / 2, abs=1e-5)
    assert (found[1].text, found[1].whole) == ("com", False)


@pytest.mark.parametrize("shape", ["vllm", "ollama", "transformers", "uncounted"])
def test_extracts(shape: str) -> None:
    with serving(shape, brain=lambda question: {"Ada Lim": 1.0}) as server:
        found = opened(server).write(PROMPTS[:1], [Extract("It was built by Ada Lim.")])
        asked = server.asked()[0]
    assert found[0].text == "Ada Lim"
    assert ("response_format" in asked) == SHAPES[shape].schema


def test_an_extract_that_stands_nowhere_is_asked_for_once_more_then_empty() -> None:
    with serving("ollama", faults=["say Bob"]) as server:
        server.brain = lambda question: {"Ada": 1.0}
        model = opened(server)
        assert model.write(PROMPTS[:1], [Extract("Ada came.")])[0].text == "Ada"
        assert model.write(PROMPTS[1:2], [Extract("Nobody came.")])[0] == (
            "",
            pytest.approx(math.nan, nan_ok=True),
            False,
        )
        assert (model.facts["asked_again"], model.facts["invalid"]) == (2, 1)


@pytest.mark.parametrize("shape", ["vllm", "ollama", "transformers"])
def test_entities(shape: str) -> None:
    text = '{"entities": [{"kind": "PER", "text": "Ada"}]}'
    with serving(shape, brain=lambda question: {text: 1.0}, faults=['say {"entities": [{"kind": "P']) as server:
        model = opened(server)
        found = model.write(PROMPTS[:1], [Entities(("Ada", "left"), ("PER", "LOC"))])
    assert found[0].text == '[{"kind": "PER", "text": "Ada"}]'
    assert model.facts["asked_again"] == 1


def test_a_prompt_that_the_server_cut_fails_the_run() -> None:
    turns = tuple(
        Turn(f"the parcel number {number} came late and nobody answered", "complaint") for number in range(60)
    )
    prompt = Prompt("Say praise or complaint.", turns, "thank you")
    with serving("ollama") as server:
        assert opened(server).score([prompt], CHOICES)[0].argmax() == 0
        server.prompt_limit = 900
        with pytest.raises(RunError, match=r"read 900 tokens of a prompt of [\d,]+ characters.*it cut the prompt"):
            opened(server).score([prompt], CHOICES)


def test_a_prompt_cut_by_a_little_fails_the_run_too() -> None:
    turns = tuple(
        Turn(f"the parcel number {number} came late and nobody answered", "complaint") for number in range(60)
    )
    prompt = Prompt("Say praise or complaint.", turns, "thank you")
    with serving("vllm", prompt_limit=1250) as server, pytest.raises(RunError, match=r"read 1,250 tokens.*it cut the"):
        opened(server).score([prompt], CHOICES)


def test_texts_of_another_script_with_fewer_tokens_are_not_taken_for_cut() -> None:
    english = [Prompt("", (), f"{number} " + "a complaint of some length, " * 150) for number in range(3)]
    chinese = [Prompt("", (), f"{number} " + "这个产品用起来非常方便我们都很喜欢" * 60) for number in range(3)]
    with serving("vllm") as server:
        model = opened(server, concurrency=1)
        assert model.score([*english, *chinese], CHOICES).shape == (6, 3)
        # The first of them costs two requests more.
        assert len(server.asked()) == 6 + 1 + 2


def test_a_prompt_of_which_next_to_nothing_was_read_fails_without_measuring() -> None:
    with serving("ollama", prompt_limit=20) as server, pytest.raises(RunError, match="it cut the prompt"):
        opened(server).score([Prompt("", (), "a complaint of some length, " * 20)], CHOICES)


def test_a_cut_answer_is_not_kept(tmp_path: Any) -> None:
    prompt = Prompt("", (), "a complaint of some length, " * 20)
    place = {"journal": tmp_path / "answers.jsonl"}
    with serving("ollama", prompt_limit=40) as server:
        with pytest.raises(RunError, match="it cut the prompt"):
            opened(server, place).score([prompt], CHOICES)
        server.prompt_limit = None
        assert opened(server, place).score([prompt], CHOICES)[0].argmax() == 1


def test_any_text_can_be_sent() -> None:
    hostile = "x \ud800 \x00 \u202e <|im_end|> {{ 7 * 7 }} thank"
    with serving("vllm") as server:
        assert opened(server).score([Prompt(hostile, (Turn(hostile, hostile),), hostile)], CHOICES)[0].argmax() == 0
        assert {message["content"] for message in server.asked()[0]["messages"]} == {hostile.replace("\ud800", "?")}


def test_it_works_beside_a_running_event_loop() -> None:
    import asyncio

    async def notebook(server: Server) -> int:
        return int(opened(server).score(PROMPTS[:1], CHOICES)[0].argmax())

    with serving("vllm") as server:
        assert asyncio.run(notebook(server)) == 0


def test_a_server_whose_inner_error_is_its_refusal_is_found_out() -> None:
    with serving(Shape(likeliest=20, system=False)) as server:
        assert not opened(server).abilities.system
