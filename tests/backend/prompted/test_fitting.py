"""Prompts fitted to jobs of every task, with a language model that answers by rules."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.backend.evaluation import headline
from advisor.backend.job import Fitted
from advisor.backend.predictor import load_model
from advisor.backend.prompted.fitting import fit_prompt
from advisor.backend.prompted.language_model import Entities, Extract, Form
from advisor.backend.prompted.prompt import Prompt
from advisor.errors import InputError
from advisor.strategies import STRATEGIES
from advisor.tasks import Answer, Input, Label, Pair
from tests.backend.prompted.conftest import MakeJob
from tests.backend.prompted.fake import FakeModel, by_cues
from tests.conftest import TEXTS

Use = Callable[[FakeModel], FakeModel]
LABELS = list(TEXTS)
CUES = {"?": "question", "broken": "complaint", "refund": "complaint", "again": "praise", "thank": "praise"}
INPUTS: list[Input] = [text for texts in TEXTS.values() for text in texts]
CLASSES: list[Label] = [label for label, texts in TEXTS.items() for _ in texts]
SENTENCES: list[Input] = [("Ada", "went", "to", "Rome"), ("nobody", "there"), ("Rome", "is", "old"), ("Bo", "left")]
TAGS: list[Label] = [("B-PER", "O", "O", "B-LOC"), ("O", "O"), ("B-LOC", "O", "O"), ("B-PER", "O")]
TAG_NAMES = ["O", "B-LOC", "B-PER"]


def names(prompt: Prompt, form: Form) -> str:
    assert isinstance(form, Entities)
    kinds = {"Ada": "PER", "Bo": "PER", "Rome": "LOC"}
    return json.dumps([{"kind": kinds[word], "text": word} for word in form.words if word in kinds])


def capitals(prompt: Prompt, form: Form) -> str:
    assert isinstance(form, Extract)
    return next((word for word in form.context.split() if word.isdigit()), "")


def messages(make_job: MakeJob, **settings: Any) -> Any:
    return make_job("text-classification", INPUTS, CLASSES, LABELS, **settings)


TASKS: dict[str, tuple[list[Input], list[Label], list[str], FakeModel]] = {
    "text-classification": (INPUTS, CLASSES, LABELS, FakeModel(by_cues(CUES))),
    "pair-classification": (
        [Pair(f"a {name}", f"the {name}") for name in ("cat", "dog", "cow")]
        + [Pair(f"a {name}", "no") for name in ("cat", "dog", "cow")],
        ["same"] * 3 + ["other"] * 3,
        ["other", "same"],
        FakeModel(lambda prompt, choice: float(("no" in prompt.question) == (choice.lower() == "other"))),
    ),
    "multi-label": (
        ["slow and dear", "it is blue", "far too dear", "so slow", "a table"],
        [("speed", "price"), (), ("price",), ("speed",), ()],
        ["price", "speed"],
        FakeModel(lambda prompt, choice: 2.0 * (_fits(prompt.question) == (choice.lower() == "yes"))),
    ),
    "regression": (
        [f"{count} stars" for count in (1, 2, 3, 4, 5, 3)],
        [1.0, 2.0, 3.0, 4.0, 5.0, 3.0],
        [],
        FakeModel(lambda prompt, choice: 9.0 * prompt.question.startswith(f"Text: {choice} ")),
    ),
    "token-classification": (SENTENCES, TAGS, TAG_NAMES, FakeModel(answer=names, likelihood=math.log(0.9))),
    "question-answering": (
        [Pair("When?", "built in 1874"), Pair("Until when?", "closed 1911, alas"), Pair("Who?", "nobody knows")],
        [(Answer("1874", 9),), (Answer("1911", 7),), ()],
        [],
        FakeModel(answer=capitals),
    ),
}


def _fits(question: str) -> bool:
    return ("slow" in question and '"speed"' in question) or ("dear" in question and '"price"' in question)


def fitted(make_job: MakeJob, use: Use, task: str, strategy: str, **settings: Any) -> tuple[Any, Fitted]:
    inputs, answers, labels, model = TASKS[task]
    use(replace(model, asked=[]))
    job = make_job(task, inputs, answers, labels, **settings)
    return job, STRATEGIES[strategy].fit(job)


@pytest.mark.parametrize("strategy", ["zero-shot", "few-shot"])
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_asked_and_answered(make_job: MakeJob, use: Use, task: str, strategy: str) -> None:
    job, found = fitted(make_job, use, task, strategy, demonstrations=3)
    model = found.model
    outputs = model.outputs(job.training.inputs)
    scores = headline(task, outputs, job.training, job.labels, model.thresholds)
    assert next(iter(scores.values())) >= 0.6
    assert (model.task, model.labels, outputs.dtype) == (task, job.labels, np.float32)
    assert model.outputs([]).shape == (0, outputs.shape[1])
    assert (model.thresholds is not None) == (task == "multi-label")
    assert model.in_fp32() is model
    json.dumps(found.chosen, allow_nan=False)
    assert found.chosen["injection"]["attempts"] == 2 * min(20, len(job.training))


def test_all_ways_are_measured_and_reported(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(by_cues(CUES)))
    found = fit_prompt(messages(make_job), demonstrated=True).chosen
    ways = [(one["demonstrations"], one["order"], one["calibration"]) for one in found["measured"]]
    assert ways == [
        ("fixed", "forward", "none"), ("fixed", "forward", "contextual"), ("fixed", "forward", "batch"),
        ("fixed", "reversed", "none"), ("fixed", "reversed", "contextual"), ("fixed", "reversed", "batch"),
        ("retrieved", "forward", "none"), ("retrieved", "forward", "batch"),
        ("retrieved", "reversed", "none"), ("retrieved", "reversed", "batch"),
        ("none", None, "none"), ("none", None, "contextual"), ("none", None, "batch"),
    ]  # fmt: skip
    assert all(0 <= one["accuracy"] <= 1 and one["log_loss"] > 0 for one in found["measured"])
    shown = [one for one in found["measured"] if one["demonstrations"] != "none"]
    top = max(one["accuracy"] for one in shown)
    near = [one for one in shown if one["accuracy"] >= top - math.sqrt(top * (1 - top) / 30)]
    chosen = min(near, key=lambda one: one["log_loss"])
    names = ("demonstrations", "order", "calibration")
    assert [found[name] for name in names] == [chosen[name] for name in names]
    assert found["measured_rows"] == 30
    assert found["usage"]["requests"] > 0 and len(found["prompt_sha256"]) == 64


@pytest.mark.parametrize("name", ["contextual", "batch"])
def test_calibration_undoes_a_taste(make_job: MakeJob, use: Use, name: str) -> None:
    use(FakeModel(by_cues(CUES, {"praise": 4.0})))
    found = fit_prompt(messages(make_job, calibrations=("none", name)), demonstrated=False).chosen
    plain, calibrated = found["measured"]
    assert plain["accuracy"] == pytest.approx(1 / 3)
    assert calibrated["accuracy"] > 0.6
    assert found["calibration"] == name


def test_similar_demonstrations_are_taken_where_they_help(make_job: MakeJob, use: Use) -> None:
    def copies(prompt: Prompt, choice: str) -> float:
        return 5.0 * bool(prompt.turns and prompt.turns[-1].answer == choice)

    use(FakeModel(copies))
    inputs: list[Input] = [" ".join([word] * n) for word in ("parcel", "phone", "refund") for n in range(3, 11)]
    answers: list[Label] = [label for label in LABELS for _ in range(8)]
    job = make_job("text-classification", inputs, answers, LABELS, demonstrations=4)
    found = fit_prompt(job, demonstrated=True).chosen
    assert (found["demonstrations"], found["order"]) == ("retrieved", "forward")
    value = {(one["demonstrations"], one["order"]): one["accuracy"] for one in found["measured"]}
    assert value["retrieved", "forward"] == 1.0 > value["fixed", "forward"]


def test_a_paid_model_is_asked_little(make_job: MakeJob, use: Use) -> None:
    local, paid = use(FakeModel(by_cues(CUES))), FakeModel(by_cues(CUES))
    fit_prompt(messages(make_job, measured_rows=20, paid_rows=4, attacked_rows=2), demonstrated=True)
    use(paid)
    settings = {
        "measured_rows": 20,
        "paid_rows": 4,
        "attacked_rows": 2,
        "selections": ("fixed",),
        "orders": ("forward",),
    }
    job = messages(make_job, engine="llm-api", calibrations=("none",), **settings)
    found = fit_prompt(job, demonstrated=True).chosen
    assert found["measured_rows"] == 4
    assert len(paid.asked) == 4 + 4 + 2 + 2 * 2 < len(local.asked)


@pytest.mark.parametrize("engine", ["llm-local", "llm-api"])
@pytest.mark.parametrize("demonstrated", [False, True])
@pytest.mark.parametrize(
    "settings", [{}, {"measured_rows": 7, "paid_rows": 0}, {"injections": ()}, {"calibrations": ("none", "batch")},
                 {"selections": ("retrieved",), "attacked_rows": 3}],
)  # fmt: skip
def test_how_many_prompts_choosing_takes_is_known(
    make_job: MakeJob, use: Use, engine: str, demonstrated: bool, settings: dict[str, Any]
) -> None:
    model = use(FakeModel(by_cues(CUES)))
    job = messages(make_job, engine=engine, **settings)
    fit_prompt(job, demonstrated=demonstrated)
    paid = engine == "llm-api"
    assert len(model.asked) == job.settings.prompts_to_choose(30, demonstrated=demonstrated, paid=paid)


def test_a_paid_model_lists_labels_in_one_answer(make_job: MakeJob, use: Use) -> None:
    inputs, answers, labels, _ = TASKS["multi-label"]
    words = {"slow": "speed", "dear": "price"}
    model = use(FakeModel(answer=lambda prompt, _: "; ".join(v for k, v in words.items() if k in prompt.question)))
    job = make_job("multi-label", inputs, answers, labels, engine="llm-api")
    found = fit_prompt(job, demonstrated=False)
    assert headline("multi-label", found.model.outputs(inputs), job.training, labels)["micro_f1"] == 1.0
    assert all(prompt.stem == "Labels:" for prompt in model.asked)


def test_nothing_is_measured_where_settings_allow_nothing(make_job: MakeJob, use: Use) -> None:
    model = use(FakeModel(by_cues(CUES)))
    found = fit_prompt(messages(make_job, measured_rows=0), demonstrated=True)
    assert not model.asked
    assert found.chosen["measured"] == [] and found.chosen["injection"] is None
    assert (found.chosen["demonstrations"], found.chosen["calibration"]) == ("fixed", "none")
    assert found.model.outputs(["fine"]).shape == (1, 3)


def test_questions_without_an_answer_are_shown_and_answered(make_job: MakeJob, use: Use, tmp_path: Path) -> None:
    inputs: list[Input] = [Pair("When?", f"built in {year} they say") for year in range(1870, 1876)]
    inputs += [Pair(f"Who {number}?", "nobody knows") for number in range(6)]
    truth: list[Label] = [(Answer(str(year), 9),) for year in range(1870, 1876)]
    truth += [()] * 6

    def knows(prompt: Prompt, form: Form) -> str:
        assert isinstance(form, Extract)
        return capitals(prompt, form) or form.nothing

    model = use(FakeModel(answer=knows, likelihood=math.log(0.8)))
    job = make_job("question-answering", inputs, truth, [], demonstrations=4, selections=("fixed",))
    found = fit_prompt(job, demonstrated=True).model
    outputs = found.outputs(inputs)
    scores = headline("question-answering", outputs, job.training, [])
    assert scores == {"f1": 1.0, "exact_match": 1.0}
    assert outputs[:, 2] == pytest.approx(np.full(12, 0.8))
    shown = [turn.answer for turn in model.asked[-1].turns]
    assert len(shown) == 4 and shown.count("no answer") == 2
    found.save(tmp_path / "model")
    again = load_model(tmp_path / "model", job.device)
    assert np.array_equal(again.outputs(inputs), outputs)


def test_no_label_is_needed_without_demonstrations(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(by_cues(CUES)))
    job = make_job("text-classification", [], [], LABELS)
    outputs = fit_prompt(job, demonstrated=False).model.outputs(INPUTS[-2:])
    assert outputs.argmax(axis=1).tolist() == [2, 2]
    with pytest.raises(InputError, match="regression by prompts needs a few labelled rows"):
        fit_prompt(make_job("regression", [], [], []), demonstrated=False)


def test_one_labelled_row_will_do(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(by_cues(CUES)))
    job = make_job("text-classification", INPUTS[:1], CLASSES[:1], LABELS)
    assert fit_prompt(job, demonstrated=True).model.outputs(INPUTS[:2]).shape == (2, 3)


def test_a_models_of_entailment_is_given_hypotheses(make_job: MakeJob, use: Use) -> None:
    model = use(FakeModel(lambda prompt, choice: float("question" in choice) * 5, reads="hypotheses", writes=False))
    found = fit_prompt(messages(make_job), demonstrated=False)
    assert {prompt.instruction + prompt.stem for prompt in model.asked} == {""}
    assert {one["calibration"] for one in found.chosen["measured"]} == {"none", "batch"}
    with pytest.raises(InputError, match="cannot be shown demonstrations"):
        fit_prompt(messages(make_job), demonstrated=True)


def test_a_model_that_cannot_write_marks_no_words(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(writes=False))
    job = make_job("token-classification", SENTENCES, TAGS, TAG_NAMES)
    with pytest.raises(InputError, match=r"fake scores answers and cannot write, as token-classification needs"):
        fit_prompt(job, demonstrated=True)


def test_what_was_cut_is_told(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(by_cues(CUES), context=90))
    events: list[dict[str, Any]] = []
    found = fit_prompt(replace(messages(make_job), event=events.append), demonstrated=True).chosen
    (told,) = events
    assert (
        told["event"] == "prompts-cut"
        and told["demonstrations_left_out"] == found["cut"]["demonstrations_left_out"] > 0
    )


def test_progress_ends_with_all_that_was_to_do(make_job: MakeJob, use: Use) -> None:
    use(FakeModel(by_cues(CUES)))
    steps: list[tuple[int, int]] = []
    job = replace(messages(make_job), progress=lambda done, total: steps.append((done, total)))
    fit_prompt(job, demonstrated=True)
    assert steps == sorted(steps) and steps[-1] == (150, 150)


def test_the_same_job_gives_the_same_model(make_job: MakeJob, use: Use) -> None:
    found = []
    for _ in range(2):
        use(FakeModel(by_cues(CUES)))
        found.append(fit_prompt(messages(make_job), demonstrated=True))
    assert found[0].chosen == found[1].chosen
    assert np.array_equal(found[0].model.outputs(INPUTS), found[1].model.outputs(INPUTS))


def test_a_template_given_is_the_one_that_asks(make_job: MakeJob, use: Use) -> None:
    model = use(FakeModel(by_cues(CUES)))
    text = "{% macro instruction() %}Sort.{% endmacro %}{% macro question(row) %}> {{ row.text }}{% endmacro %}" \
        "{% macro stem() %}={% endmacro %}{% macro answers(label) %}{{ label.word }}{% endmacro %}"  # fmt: skip
    fit_prompt(replace(messages(make_job), template=text), demonstrated=False)
    assert {(prompt.instruction, prompt.question[:1], prompt.stem) for prompt in model.asked} == {("Sort.", ">", "=")}
