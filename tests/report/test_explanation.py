import json
import random
from typing import Any

import pytest
from rich.console import Console

from advisor.decision.advice import Advice, recommend
from advisor.decision.flips import Flip
from advisor.errors import AdvisorError
from advisor.profile import Profile
from advisor.report.changes import changes
from advisor.report.console import console
from advisor.report.documents import plan_documents
from advisor.report.explanation import explanation
from advisor.report.explanation_text import explanation_text
from advisor.report.terminal import advice_screen
from tests.decision.samples import BASE, MACHINE, random_answers
from tests.report.samples import Made

CONTESTED = {
    "task.type": "text-classification", "task.kind": "common", "task.domain_shift": "strong", "data.labelled": 3000,
    "data.classes": 3, "data.unlabelled": 50_000, "compute.device": "gpu", "compute.memory_gb": 16.0,
    "compute.hours": 8.0, "model.llm": "none",
}  # fmt: skip


def advised(answers: dict[str, Any]) -> Advice:
    return recommend(Profile().with_answers(answers, "file"), base=BASE, machine=MACHINE)


@pytest.fixture(scope="module")
def contested() -> Advice:
    found = advised(CONTESTED)
    assert found.decision.contested
    assert found.modifiers
    assert found.experiment
    return found


@pytest.mark.parametrize(
    ("name", "before", "after", "gives"),
    [
        ("data.labelled", 100, 200, True),
        ("data.smallest_class", 60, 39, False),
        ("compute.memory_gb", 8.0, 16.0, True),
        ("compute.hours", 8.0, 2.0, False),
        ("serving.latency_ms_p95", 100.0, 500.0, True),
        ("data.label_noise", 0.2, 0.1, True),
        ("compute.device", "cpu", "gpu", True),
        ("serving.device", "gpu", "cpu", False),
    ],
)
def test_a_change_gives_more_or_takes_away(name: str, before: Any, after: Any, gives: bool) -> None:
    assert changes([Flip(name, before, after, "lora")])[0].gives is gives


def test_what_gives_more_comes_first_and_keeps_its_order() -> None:
    flips = [
        Flip("data.smallest_class", 60, 39, "contrastive"),
        Flip("data.labelled", 100, 200, "full-fine-tuning"),
        Flip("compute.hours", 8.0, 2.0, "few-shot"),
        Flip("compute.hours", 8.0, 9.0, "lora"),
    ]
    assert [change.strategy for change in changes(flips)] == ["full-fine-tuning", "lora", "contrastive", "few-shot"]


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("compute.hours", 2.0, 2.01, "over 2 hours"),
        ("compute.memory_gb", 16.0, 15.9, "under 16 GB"),
        ("compute.hours", 8.0, 0.00305, "11 s"),
        ("compute.hours", 8.0, 0, "0 hours"),
        ("data.labelled", 451, 452, "452"),
        ("compute.memory_gb", 16.0, 1.32, "1.32 GB"),
    ],
)
def test_values_are_said_as_people_say_them(name: str, before: Any, after: Any, said: str) -> None:
    assert changes([Flip(name, before, after, "lora")])[0].after == said


def test_the_text_tells_everything_in_order(contested: Advice) -> None:
    record = contested.as_dict()
    lines = list(explanation_text(record))
    assert max(map(len, lines)) <= 100
    headings = [line for line in lines if line and not line.startswith(" ")][2:-1]
    assert headings == [
        "Why", "What speaks against it", "Besides", "Base model", "What would change it", "More labels",
        "Assumed, and it matters", "Answers", "Evidence",
    ]  # fmt: skip
    text = " ".join(" ".join(lines).split())
    for row in (*record["reasons"], *record["modifiers"], *record["base_model"]["consider"]):
        assert row["because"] in text
        assert all(f"{name}, certainty" in text for name in row["evidence"])
    for strategy in record["experiment"]["strategies"]:
        assert f"--strategy {strategy}" in text
    assert record["rules"]["sha256"] in text


def test_the_record_read_back_says_the_same(contested: Advice) -> None:
    record = json.loads(json.dumps(contested.as_dict()))
    assert explanation(record) == explanation(contested.as_dict())


def test_every_document_tells_the_whole_explanation(made: Made, contested: Advice) -> None:
    record = contested.as_dict()
    documents = plan_documents(made.plan, contested)
    for name in ("report.html", "report.md", "decision.md"):
        text = documents[name].replace("&#39;", "'")
        for row in (*record["reasons"], *record["modifiers"], record["base_model"], *record["base_model"]["consider"]):
            because = row["because"]
            assert because in text or because[:1].upper() + because[1:] in text, (name, because)
        for strategy in record["experiment"]["strategies"]:
            assert f"advisor run PROFILE --strategy {strategy}" in text
        assert all(question["input"] in text for question in record["questions"])
    for name in ("report.html", "report.md"):
        assert "Where the evidence disagrees" in documents[name]
        for part in ("deciding", "objections", "modifiers"):
            rows = record["audit"][part]
            for row in rows if isinstance(rows, list) else [rows]:
                assert row["row"] in documents[name]
                assert all(test["test"] in documents[name] for test in row["tests"])


def test_what_next_labels_are_worth_is_told(made: Made) -> None:
    assert made.advice.next_labels
    for name, text in plan_documents(*made).items():
        assert f"The next {made.advice.next_labels.labels} labels" in text, name


def test_only_what_one_would_expect_is_ruled_out_and_each_reason_stands_once() -> None:
    found = advised({"task.type": "text-classification", "data.labelled": 2000, "data.classes": 5,
                     "constraints.model_access": "api-only", "constraints.data_may_leave": True,
                     "model.llm": "api", "compute.hours": 8.0})  # fmt: skip
    said = explanation(found.as_dict())
    assert len(said.excluded) == 1
    assert said.excluded[0].because == ["the model's weights are not at hand"]
    assert len(said.excluded[0].titles) == 8
    assert not any("SFT" in title for title in said.excluded[0].titles)
    shown = "\n".join(explanation_text(found.as_dict()))
    assert shown.count("the model's weights are not at hand") == 1
    assert "dpo on" not in shown


def test_advice_on_random_projects_is_one_screen() -> None:
    generator, screens = random.Random(7), 0
    while screens < 12:
        try:
            found = advised(random_answers(generator))
        except AdvisorError:
            continue
        with (screen := Console(width=100)).capture() as captured:
            screen.print(advice_screen(found, "profile.yaml"), crop=False)
        lines = captured.get().splitlines()
        assert len(lines) <= 40
        assert max(map(len, lines)) <= 100
        screens += 1


def test_a_long_path_stays_in_one_piece(made: Made) -> None:
    path = "somewhere/" * 20 + "profile.yaml"
    with (screen := Console(width=100)).capture() as captured:
        screen.print(advice_screen(made.advice, path), crop=False)
    assert f"advisor plan {path} -o plan/" in captured.get().splitlines()[-2]
    assert captured.get().splitlines()[-1].endswith(f"advisor run {path}")


def test_words_between_colons_stay_words() -> None:
    with (shown := console()).capture() as captured:
        shown.print("labels :smile: and :angry:")
    assert captured.get() == "labels :smile: and :angry:\n"
