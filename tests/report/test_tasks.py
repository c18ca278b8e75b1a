"""Reports of every task: its measures, its table, its mistakes, its front matter, and nothing of other tasks."""

import io
import json
import re
from typing import Any, NamedTuple

import pytest
import yaml
from rich.console import Console

from advisor.backend.evaluation import evaluate, headline, trivial_outputs
from advisor.plan.plan import Plan
from advisor.report.documents import plan_documents, run_documents
from advisor.report.page import plan_page
from advisor.report.record import advice_record
from advisor.report.result import result_screen
from advisor.run.result import Result
from advisor.tasks import TASKS
from tests.backend.evaluation.samples import predictions, sample
from tests.report.samples import Made, result_of
from tests.report.test_reports import Parsed

ALL = pytest.mark.parametrize("task", TASKS)
TABLES = {
    "text-classification": "Class by class",
    "pair-classification": "Class by class",
    "multi-label": "Label by label",
    "token-classification": "Type by type",
}
HUB = {
    "text-classification": ("text-classification", ["accuracy", "f1"]),
    "pair-classification": ("text-classification", ["accuracy", "f1"]),
    "multi-label": ("text-classification", ["f1", "exact_match"]),
    "regression": ("text-classification", ["pearsonr", "spearmanr"]),
    "token-classification": ("token-classification", ["f1", "precision", "recall", "accuracy"]),
    "question-answering": ("question-answering", ["f1", "exact_match"]),
    "generation": ("text-generation", ["rouge", "chrf", "perplexity"]),
    "preference": ("text-generation", ["accuracy"]),
}


class Ran(NamedTuple):
    plan: Plan
    result: Result
    rows: list[dict[str, Any]]


def ran(made: Made, task: str) -> Ran:
    """A plan of the task with what a run of it would find."""
    outputs, rows, labels = sample(task, 40, 1)
    found = evaluate(task, outputs, rows, labels, draws=50, seed=0).as_dict()
    metric = TASKS[task].measures[0].key
    pair = "the other" if TASKS[task].reads in ("pair", "question") else None
    classification = TASKS[task].predicts == "class"
    plan = made.plan.model_copy(
        update={
            "task": task,
            "metric": metric,
            "labels": dict.fromkeys(labels),
            "data": made.plan.data.model_copy(update={"pair_column": pair}),
            "forecast": made.plan.forecast if classification else {**made.plan.forecast, "quality": None},
        }
    )
    name, trivial = trivial_outputs(task, rows, rows, labels)
    result = result_of(plan).model_copy(
        update={
            "metrics": found["metrics"],
            "classes": found["classes"],
            "confusion": {"labels": labels, "rows": found["confusion"]} if found["confusion"] else None,
            "baseline": {name: headline(task, trivial, rows, labels)},
            "measured": {**result_of(plan).measured, "quality": found["metrics"][metric]["value"]},
        }
    )
    return Ran(plan, result, predictions(task, rows, labels, outputs))


def advice_of(made: Made, task: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(advice_record(made.advice)))
    if TASKS[task].predicts != "class":
        for row in (record["verdict"], *record["alternatives"]):
            row["expected"]["quality"] = None
    return record


@ALL
def test_the_page_speaks_of_its_own_measures(made: Made, task: str) -> None:
    plan, result, rows = ran(made, task)
    page = Parsed(run_documents(plan, result, advice_of(made, task), rows, "…")["report.html"])
    text = " ".join(page.text.split())
    for measure in TASKS[task].measures:
        assert measure.title in text
    others = {measure.title for other in TASKS.values() for measure in other.measures}
    others -= {measure.title for measure in TASKS[task].measures} | {"accuracy", "precision", "recall"}
    assert not [title for title in others if title in text]
    if TASKS[task].predicts != "class":
        told = re.sub("accuracy of tokens|(preference|ranking) accuracy", "", text.partition("Why")[0].lower())
        assert "accuracy" not in told
    assert f"{plan.measure.title} {result.metrics[plan.metric]['value']:.2f} on 9" in text
    heading = TABLES.get(task)
    assert (heading in text) if heading else not any(other in text for other in TABLES.values())
    assert ("Confusion matrix" in text) == (TASKS[task].predicts == "class")
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    assert "None" not in text


@ALL
def test_the_worst_mistakes_are_shown(made: Made, task: str) -> None:
    plan, result, rows = ran(made, task)
    page = run_documents(plan, result, None, rows, "…")["report.html"]
    listed = Parsed(page.partition('<section id="errors">')[2].partition("</section>")[0]).text
    said = {
        "class": "predicted", "classes": "given wrongly", "number": "too low by", "tags": "missed", "span": "answered",
        "text": "written", "preference": "rejected",
    }[TASKS[task].predicts]  # fmt: skip
    assert said in listed
    assert 5 <= listed.count("· row ") <= 10


@ALL
def test_right_answers_are_no_mistakes(made: Made, task: str) -> None:
    plan, result, rows = ran(made, task)
    for row in rows:
        row["predicted"] = row["label"][0] if TASKS[task].predicts == "span" else row["label"]
        row |= {"entities": [], "rouge_l": 1.0}
    if TASKS[task].predicts == "tags":
        rows = [row | {"label": ["O"] * len(row["words"]), "predicted": ["O"] * len(row["words"])} for row in rows]
    page = run_documents(plan, result, None, rows, "…")["report.html"]
    assert f"None among the {TASKS[task].unit} measured" in page


@ALL
def test_the_card_is_the_hubs(made: Made, task: str) -> None:
    plan, result, rows = ran(made, task)
    card = run_documents(plan, result, None, rows, "…")["README.md"]
    fields = yaml.safe_load(card.split("---\n", 2)[1])
    pipeline, metrics = HUB[task]
    assert fields["pipeline_tag"] == pipeline
    assert fields["metrics"] == metrics
    (index,) = fields["model-index"][0]["results"]
    assert index["task"]["type"] == pipeline
    assert [entry["name"] for entry in index["metrics"]] == [measure.title for measure in TASKS[task].measures]
    named = {"class": "Labels", "classes": "Labels", "tags": "Types of entity"}.get(TASKS[task].predicts)
    assert f"## {named}" in card if named else "## Labels" not in card
    assert (" | Precision | Recall | F1 |" in card) == (task in TABLES)
    assert "None" not in card


@ALL
def test_the_screen_leads_with_the_leading_measure(made: Made, task: str) -> None:
    plan, result, _ = ran(made, task)
    for measure in TASKS[task].measures:
        screen = Console(file=io.StringIO(), width=100)
        screen.print(result_screen(result.model_copy(update={"metric": measure.key}), "my run"))
        lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert lines[1].startswith(measure.title)
        assert all(any(line.startswith(other.title) for line in lines) for other in TASKS[task].measures)
        assert "unknown" not in lines[1]
    assert any(line.startswith("Use it:   advisor predict 'my run' ") for line in lines)
    assert plan.metric == TASKS[task].measures[0].key


def test_the_spread_over_seeds_is_told(made: Made) -> None:
    plan, result, rows = ran(made, "regression")
    assert "other seeds" not in run_documents(plan, result, None, rows, "…")["report.html"]
    value = result.metrics["pearson"]["value"]
    seeds = {"14": {"pearson": value + 0.03}, "15": {"pearson": value - 0.03}}
    result = result.model_copy(update={"seeds": seeds})
    sentence = (
        f"2 more fits with other seeds reached Pearson correlation {value + 0.03:.2f}, {value - 0.03:.2f}; "
        f"the mean of all 3 is {value:.2f}, their standard deviation 0.03."
    )
    for text in run_documents(plan, result, None, rows, "…").values():
        assert sentence in text


@ALL
def test_a_plan_says_what_is_predicted(made: Made, task: str) -> None:
    plan = ran(made, task).plan
    for name, text in plan_documents(plan, made.advice).items():
        assert plan.measure.title in text, name
        if TASKS[task].predicts != "class":
            assert "Expected accuracy" not in text, name
    counted = {"class": "4 classes", "classes": "4 labels", "tags": "2 types of entity"}.get(TASKS[task].predicts)
    facts = plan_page(plan, None).facts
    assert any("rarest class" in fact for fact in plan_page(plan, advice_of(made, task)).facts) == (
        TASKS[task].predicts in ("class", "classes")
    )
    assert facts[0] == (counted or f"24 labelled {TASKS[task].unit}")
