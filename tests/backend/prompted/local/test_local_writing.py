"""Written answers: greedy as transformers writes them, and within their form whatever the model would rather say."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.backend.devices import Device
from advisor.backend.loading import load_tokenizer
from advisor.backend.prompted.language_model import Entities, Extract, Free, LanguageModel, Written
from advisor.backend.prompted.local import load_language_model
from advisor.backend.prompted.local.grammar import JSON, PLAIN, Excerpt, Listed, as_answer
from advisor.backend.prompted.local.spelling import Spelling, may_end, places_at
from tests.backend.prompted.local import plain
from tests.backend.prompted.local.conftest import CHOICES, PROMPTS
from tests.language_models import MODELS

Folder = Callable[[str], Path]
CONTEXT = "The screen went black (after 5.3 weeks); nobody\nanswers – naïve 🙂, I gave up. 東京都"
WORDS = ("The", "phone", 'from "Nörd"', "in", "東京", "\\o/", "Ann", "Lee")
SHORT = st.text(alphabet=st.sampled_from(list('ab"\\{}[]:,; é🙂')), min_size=1, max_size=4)


@pytest.mark.parametrize(
    "name", ["llama", "llama-chat", "gpt2", "mistral-window", "gemma3-windows", "bloom", "lfm2", "mamba"]
)
def test_free_answers_are_those_of_generate(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    tokenizer = load_tokenizer(language_model(name))
    answers = model.write(PROMPTS, [Free(8)] * len(PROMPTS))
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        tokens = plain.greedy(language_model(name), "AutoModelForCausalLM", prompt, 8)
        assert answer.text == tokenizer.decode(tokens, skip_special_tokens=True).split("\n\n")[0].strip()
    assert model.usage.tokens_out <= 8 * len(PROMPTS)


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_free_answers_of_two_halves_are(language_model: Folder, cpu: Device, name: str) -> None:
    answers = load_language_model(language_model(name), cpu, name=name).write(PROMPTS, [Free(6)] * len(PROMPTS))
    tokenizer = load_tokenizer(language_model(name))
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        start = 2 if name == "bart" else 0
        tokens = plain.greedy(language_model(name), "AutoModelForSeq2SeqLM", prompt, 6)
        if start == 0:
            assert answer.text == tokenizer.decode(tokens, skip_special_tokens=True).strip()
        assert answer.log_likelihood < 0


def test_the_likelihood_of_an_answer_is_the_models_own(language_model: Folder, cpu: Device) -> None:
    model = load_language_model(language_model("llama-chat"), cpu, name="llama-chat")
    answers = model.write(PROMPTS, [Extract("the screen")] * len(PROMPTS))
    tokens = load_tokenizer(language_model("llama-chat"))
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        if tokens(answer.text)["input_ids"] == tokens.encode(answer.text):
            score = plain.causal_scores(language_model("llama-chat"), [prompt], [answer.text])[0, 0]
            assert answer.log_likelihood <= 0
            assert np.isfinite(score)


@pytest.mark.parametrize("name", ["llama", "llama-chat", "mistral-window", "bloom", "t5", "bart"])
def test_excerpts_stand_in_their_context(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    forms = [Extract(CONTEXT), Extract("black"), Extract(CONTEXT[20:]), Extract("a b"), Extract("naïve 🙂!")]
    for form, answer in zip(forms, model.write(PROMPTS, forms), strict=True):
        assert answer.text in form.context
        assert answer.text == answer.text.strip()
        spelled = name != "t5" or "naïve" not in form.context
        assert bool(answer.text) >= spelled
        assert answer.whole >= spelled


@pytest.mark.parametrize("name", ["llama-chat", "gpt2", "t5"])
def test_excerpts_may_say_that_there_is_none(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    forms = [Extract("black", "no answer"), Extract("", "no answer"), Extract(" \n", "no"), Extract("no phone", "no")]
    answers = [answer.text for answer in model.write(PROMPTS[:4], forms)]
    assert answers[0] in ("black", "no answer")
    assert answers[1:3] == ["no answer", "no"]
    assert answers[3] in ("no", "no phone", "phone")


def test_what_says_nothing_is_a_way_of_its_own() -> None:
    grammar = Excerpt(Extract("no parcel", "no answer"), lambda _: True)
    steps = {step.text: step.node for step in grammar.steps(grammar.start)}
    assert steps.keys() == {"no answer", "no", "parcel"}
    assert grammar.ends(steps["no answer"]) and grammar.steps(steps["no answer"]) == []
    assert [step.text for step in Excerpt(Extract("no", "ß"), str.isascii).steps("start")] == ["no"]


@pytest.mark.parametrize("name", ["llama", "llama-chat", "mistral-window", "bloom", "t5", "bart"])
def test_entities_are_json_of_words_that_follow_one_another(language_model: Folder, cpu: Device, name: str) -> None:
    model = load_language_model(language_model(name), cpu, name=name)
    forms = [Entities(WORDS, ("person", "place")), Entities(("it",), ('a "b"',)), *[Entities((), ("person",))] * 3]
    answers = model.write(PROMPTS, forms)
    for form, answer in zip(forms, answers, strict=True):
        check_entities(form, answer)
    assert answers[-1].text == "[]"
    assert all(answer.whole for answer in answers)


def check_entities(form: Entities, answer: Written) -> None:
    sentence, place = " ".join(form.words), 0
    for entity in json.loads(answer.text):
        assert set(entity) == {"kind", "text"}
        assert entity["kind"] in form.kinds
        place = sentence.index(entity["text"], place)
        place += len(entity["text"])


@pytest.mark.parametrize("notation", [JSON, PLAIN])
@settings(max_examples=60)
@given(words=st.lists(SHORT, max_size=5), kinds=st.lists(SHORT, min_size=1, max_size=3), seed=st.integers(0, 1000))
def test_any_way_through_the_grammar_is_a_list_of_entities(notation, words, kinds, seed) -> None:  # type: ignore[no-untyped-def]
    if notation is PLAIN:
        kinds = ["person", "place"]
        words = [word for word in words if not set(word) & set(" ;:")]
    form = Entities(tuple(words), tuple(kinds))
    grammar, chance = Listed(form, notation, lambda _: True), np.random.default_rng(seed)
    node, text = grammar.start, ""
    while not grammar.ends(node):
        steps = grammar.steps(node)
        step = steps[chance.integers(len(steps))]
        text, node = text + step.text, step.node
        if notation is JSON:
            json.loads(as_answer(text, grammar, whole=False))
    check_entities(form, Written(as_answer(text, grammar, whole=True), 0.0, True))


@pytest.mark.parametrize("name", ["gpt2", "t5"])
def test_the_tokens_of_any_allowed_answer_are_allowed(language_model: Folder, name: str) -> None:
    tokenizer = load_tokenizer(language_model(name))
    spelling = Spelling(tokenizer)
    context = "the screen went black, nobody answers the phone"
    grammar = Excerpt(Extract(context), spelling.spellable)
    for answer in ("the screen", "black, nobody", "the phone", context):
        places = places_at(grammar, grammar.start, " ")
        for token in tokenizer(" " + answer if name == "gpt2" else answer, add_special_tokens=False)["input_ids"]:
            places = spelling.allowed(grammar, places)[token]
        assert may_end(grammar, places)
    start = spelling.allowed(grammar, places_at(grammar, grammar.start, " "))
    assert all(f" {context}".find(spelling.writes(token).decode()) >= 0 for token in start)


def test_excerpts_begin_and_end_at_words() -> None:
    grammar = Excerpt(Extract("pay $5 (now), U.S. 東京"), lambda _: True)
    begins = {step.text for step in grammar.steps(grammar.start)}
    assert begins == {"pay", "$5", "5", "(now", "now", "U", ".S", "S", "東", "京"}
    written, node = [""], grammar.steps(grammar.start)[0].node
    while steps := grammar.steps(node):
        written.append(written[-1] + steps[0].text)
        node = steps[0].node
    assert written[-1] == " $5 (now), U.S. 東京"
    assert not any(text.endswith(" ") for text in written)


def test_an_answer_over_a_lines_end_is_given_as_it_stands_there() -> None:
    grammar = Excerpt(Extract("the screen\n  went black "), lambda _: True)
    assert grammar.verbatim("screen went black") == "screen\n  went black"
    assert [step.text for step in grammar.steps(10)] == [" went"]
    assert grammar.steps(len("the screen\n  went black")) == []
    assert Excerpt(Extract(" \n"), lambda _: True).steps("start") == []
    assert Excerpt(Extract(""), lambda _: True).steps("start") == []


def test_an_answer_that_runs_out_of_room_says_so(language_model: Folder, cpu: Device) -> None:
    model = load_language_model(language_model("llama"), cpu, name="llama")
    long = PROMPTS[0]._replace(question="the screen went black " * 60)
    model.context = model.tokens(long) + 3
    free, listed = model.write([long] * 2, [Free(50), Entities(WORDS, ("person",))])
    assert not free.whole
    assert not listed.whole or listed.text == "[]"
    assert json.loads(listed.text) == []


def test_answers_do_not_depend_on_their_neighbours(language_model: Folder, cpu: Device) -> None:
    forms = [Free(5), Extract(CONTEXT), Entities(WORDS, ("person", "place")), Free(2), Extract("black")]
    for name in ("llama", "gemma3-windows", "bloom", "qwen3-next", "t5"):
        model: LanguageModel = load_language_model(language_model(name), cpu, name=name)
        together = model.write(PROMPTS, forms)
        model.score(PROMPTS, CHOICES)
        alone = [model.write([prompt], [form])[0] for prompt, form in zip(PROMPTS, forms, strict=True)]
        assert [one.text for one in together] == [one.text for one in alone]
        np.testing.assert_allclose(
            [one.log_likelihood for one in together], [one.log_likelihood for one in alone], atol=1e-4
        )


def test_every_kind_of_model_is_tried() -> None:
    assert {model.auto for model in MODELS.values()} == {
        "AutoModelForCausalLM", "AutoModelForSeq2SeqLM", "AutoModelForMaskedLM", "AutoModelForSequenceClassification",
    }  # fmt: skip
