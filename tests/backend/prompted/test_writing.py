"""Prompts answered in the model's own words."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.backend.devices import Device
from advisor.backend.evaluation import evaluate
from advisor.backend.predictor import load_model, writes
from advisor.backend.prompted.asking import Brief, asking_for
from advisor.backend.prompted.fitting import fit_prompt
from advisor.backend.prompted.language_model import Form, Free
from advisor.backend.prompted.packing import Packer
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.prompted.templates import prompt_template
from advisor.errors import InputError
from advisor.run.ask_again import read
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS, Chat, Demonstration, Input, Label, Message
from tests.backend.prompted.conftest import MakeJob
from tests.backend.prompted.fake import FakeModel
from tests.backend.prompted.test_fitting import Use

CHAT = Chat((Message("system", "Be brief."), Message("user", "Name a river of France")))
INPUTS: list[Input] = ["Name a colour of the sky", "Name a fruit that is red", CHAT, "Name a town\nby the sea"]
ANSWERS: list[Label] = [
    Demonstration(("Blue, or grey on most days.", "blue")),
    Demonstration(("A cherry.",)),
    Demonstration(("The Loire.",)),
    Demonstration(("Genoa",)),
]
KNOWN = {"sky": "Blue", "fruit": "A cherry.", "river": "The Loire.", "sea": "Genoa"}


def answer(prompt: Prompt, form: Form) -> str:
    assert isinstance(form, Free)
    return " " + next(text for word, text in KNOWN.items() if word in prompt.question)


@pytest.mark.parametrize("strategy", ["zero-shot", "few-shot"])
def test_prompts_are_answered_and_judged(
    make_job: MakeJob, use: Use, tmp_path: Path, cpu: Device, strategy: str
) -> None:
    use(FakeModel(answer=answer, likelihood=math.log(0.5)))
    job = make_job("generation", INPUTS, ANSWERS, [], demonstrations=2)
    found = STRATEGIES[strategy].fit(job)
    model = found.model
    assert writes(model)
    assert model.write(INPUTS) == list(KNOWN.values())
    observed = model.observe(job.training)
    assert observed.texts == list(KNOWN.values())
    scores = evaluate("generation", observed.numbers, job.training, [], draws=20, seed=0)
    assert scores.metrics["rouge_l"].value == pytest.approx(1.0)
    # Each demonstration that is shown makes the right answers likelier, of 2 nats a word without one.
    shown = 2 if strategy == "few-shot" else 0
    assert scores.metrics["perplexity"].value == pytest.approx(math.exp(2 / (1 + shown)))
    json.dumps(scores.as_dict(), allow_nan=False)
    assert found.chosen["injection"] is None
    assert all(0.9 <= one["rouge_l"] <= 1 for one in found.chosen["measured"])
    outputs = model.outputs(INPUTS)
    assert outputs == pytest.approx(np.array([[math.log(0.5), len(text) + 1] for text in KNOWN.values()]))
    assert model.outputs([]).shape == (0, 2)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model", cpu)
    assert writes(again) and again.write(INPUTS) == model.write(INPUTS)
    assert np.array_equal(again.outputs(INPUTS), outputs)


def test_chats_are_read_and_shown(make_job: MakeJob, use: Use) -> None:
    model = use(FakeModel(answer=answer))
    job = make_job("generation", INPUTS, ANSWERS, [], selections=("fixed",), instruction="Answer well.")
    found = fit_prompt(job, demonstrated=True).model
    model.asked.clear()
    assert writes(found)
    found.write([CHAT])
    (prompt,) = model.asked
    assert (prompt.instruction, prompt.question) == ("Answer well.", "Be brief.\n\nName a river of France")
    assert {turn.answer for turn in prompt.turns} == {text.answers[0] for text in ANSWERS if text}
    longer = Chat((Message("user", "hi"), Message("assistant", "hello"), Message("user", "the sea?")))
    found.write([longer, "the sea\nagain"])
    assert [one.question for one in model.asked[1:]] == [
        "User: hi\n\nAssistant: hello\n\nUser: the sea?",
        "the sea\nagain",
    ]


def test_a_long_chat_is_cut_in_its_last_message() -> None:
    asking = asking_for(Brief(task="generation", written_tokens=5), prompt_template("generation"))
    chat = Chat((Message("system", "Be brief."), Message("user", "word " * 50)))
    prompt, cut = Packer(FakeModel(), asking, 10).pack(chat, 0, [], backwards=True)
    assert isinstance(cut, Chat)
    assert FakeModel().tokens(prompt) == 10 and prompt.question.startswith("Be brief.\n\nword")


def test_what_json_makes_of_prompts_is_read() -> None:
    for one in INPUTS:
        assert read("generation", json.loads(json.dumps(one))) == one


PERPLEXITY = next(one for one in TASKS["generation"].measures if one.key == "perplexity")


def test_prompts_are_chosen_by_perplexity_without_writing(make_job: MakeJob, use: Use) -> None:
    model = use(FakeModel(answer=answer, likelihood=0.0))
    job = replace(make_job("generation", INPUTS, ANSWERS, [], demonstrations=2), measure=PERPLEXITY)
    found = fit_prompt(job, demonstrated=True).chosen
    by_way = {one["demonstrations"]: one["perplexity"] for one in found["measured"]}
    assert by_way["none"] == pytest.approx(math.exp(2)) and by_way["fixed"] == pytest.approx(math.exp(2 / 3))
    assert found["demonstrations"] != "none" and not model.asked


def test_behind_a_server_perplexity_is_not_measured(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(answer=answer))
    job = make_job("generation", INPUTS, ANSWERS, [], engine="llm-api")
    observed = fit_prompt(job, demonstrated=False).model.observe(job.training)  # type: ignore[attr-defined]
    assert "perplexity" not in evaluate("generation", observed.numbers, job.training, [], draws=9, seed=0).metrics
    with pytest.raises(InputError, match="a server does not tell how likely given answers are"):
        fit_prompt(replace(job, measure=PERPLEXITY), demonstrated=False)


def test_preferences_are_refused(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(answer=answer))
    job = make_job("generation", INPUTS, ANSWERS, [])
    with pytest.raises(InputError, match="no prompt template for preference"):
        fit_prompt(replace(job, task="preference"), demonstrated=False)
