"""The pilot in a report: who contended, what was measured and expected, what the rules had said."""

import json
import re
from pathlib import Path

import pytest

from advisor.data.reading import DataSource, load_labelled
from advisor.decision.finding import Finding, Observed, Standing, Target
from advisor.files import write_json
from advisor.knowledge.interval import Interval
from advisor.plan.build import build_plan
from advisor.report.documents import plan_documents, run_documents
from advisor.report.page import plan_page
from advisor.report.record import advice_record
from tests.report.samples import HOSTILE, Made, result_of
from tests.report.test_reports import USAGE, Parsed

STAND = [
    Standing(
        strategy=name, family="freezing", expected=Interval(*expected), best=best, within=within, loss=0.0,
        observed=[Observed(rows=rows, judged=40, value=value)] if rows else [], train_seconds=seconds,
    )
    for name, expected, best, within, rows, value, seconds in (
        ("contrastive", (0.71, 0.79, 0.83), 0.83, 0.91, 336.0, 0.77, 130.0),
        ("linear-probe", (0.63, 0.73, 0.77), 0.12, 0.2, 336.0, 0.72, 4.0),
        ("full-fine-tuning", (0.5, 0.7, 0.9), 0.05, 0.1, 0.0, 0.0, 1300.0),
    )
]  # fmt: skip
FOUND = Finding(
    strategy="contrastive", model="m", measure="accuracy", measure_title="accuracy", labelled=420, contenders=STAND,
    stopped="sure", margin=0.01, prefer="quality", seed=1, spent_seconds=8.0, everything_seconds=100.0,
    processor_seconds=112.0, rules="linear-probe", because="it was measured",
    target=Target(value=0.85, strategy="contrastive", labels=1300, low=900, high=2400),
)  # fmt: skip


def documents(made: Made, found: Finding | None) -> dict[str, str]:
    return plan_documents(made.plan, made.advice.with_finding(found))


def test_contenders_stand_in_a_table_with_what_the_rules_had_said(made: Made) -> None:
    text = " ".join(re.sub("<[^>]+>", " ", documents(made, FOUND)["report.html"]).split())
    section = text[text.index("Contender Measured accuracy") : text.index("and took 1 min 52 s, 8% of fitting")]
    parts = (
        "chosen 0.77 at 336 0.79 0.71–0.83 0.83 0.91 2.2 min",
        "what the rules had said 0.72 at 336 0.73 0.63–0.77 0.12 0.20 4 s",
        "not measured 0.70 0.50–0.90 0.05 0.10 22 min",
    )
    assert [part in section for part in parts] == [True, True, True]
    assert [section.index(part) for part in parts] == sorted(section.index(part) for part in parts)
    assert "the rules alone had said linear-probe. 0.85 accuracy needs about 1,300 labels (900–2,400)" in text


def test_classes_in_equal_shares_are_said_to_be_chosen(made: Made) -> None:
    said = "Every class has as many labels as the others"
    assert said not in documents(made, FOUND)["report.md"]
    assert said in documents(made, FOUND.model_copy(update={"equal_shares": True}))["report.md"]


def test_markdown_says_the_same(made: Made) -> None:
    lines = documents(made, FOUND)["report.md"].splitlines()
    rows = [line for line in lines if line.count(" | ") == 6 and ("at 336" in line or "not measured" in line)]
    assert [row.split(" | ")[1:6] for row in rows] == [
        ["0.77 at 336", "0.79 \\[0.71–0.83\\]", "0.83", "0.91", "2.2 min"],
        ["0.72 at 336", "0.73 \\[0.63–0.77\\]", "0.12", "0.20", "4 s"],
        ["not measured", "0.70 \\[0.50–0.90\\]", "0.05", "0.10", "22 min"],
    ]
    assert [row.rsplit("|", 2)[1].strip() for row in rows] == ["chosen", "what the rules had said", ""]


def test_the_plan_forecasts_what_the_pilot_expects(made: Made, messages: Path) -> None:
    raced = next(a.candidate.strategy.id for a in made.advice.alternatives if a.candidate.engine == "encoder")
    stand = [STAND[0].model_copy(update={"strategy": raced})]
    advice = made.advice.with_finding(FOUND.model_copy(update={"strategy": raced, "contenders": stand}))
    plan = build_plan(advice, load_labelled(DataSource(messages)), folder=messages / "plan")
    assert (plan.strategy, plan.forecast["quality"]) == (raced, {"low": 0.71, "point": 0.79, "high": 0.83})
    page = plan_page(plan, advice_record(advice))
    assert page.choices[0].quality.both == page.figures[0].number.both == "0.79 [0.71–0.83]"
    assert page.why.stability is None


def test_places_on_the_shared_scale(made: Made) -> None:
    record = advice_record(made.advice.with_finding(FOUND))
    pilot = plan_page(made.plan, record).pilot
    assert pilot is not None
    places = [(one.low, one.at, one.high) for one in pilot.contenders]
    assert places[2] == pytest.approx((0, 0.5, 1))
    assert places[0] == pytest.approx((0.525, 0.725, 0.825))


def test_one_that_agrees_with_the_rules(made: Made) -> None:
    text = documents(made, FOUND.model_copy(update={"rules": "contrastive"}))["report.md"]
    assert "| chosen, as by the rules |" in text
    assert "what the rules had said" not in text


@pytest.mark.parametrize("found", [None, FOUND.model_copy(update={"strategy": None, "contenders": []})])
def test_nothing_measured_leaves_the_section_out(found: Finding | None, made: Made) -> None:
    made_of = documents(made, found)
    assert 'id="pilot"' not in made_of["report.html"]
    assert "## Pilot" not in made_of["report.md"]


def test_a_runs_report_has_it_from_the_record(made: Made, tmp_path: Path) -> None:
    write_json(tmp_path / "advice.json", advice_record(made.advice.with_finding(FOUND)))
    record = json.loads((tmp_path / "advice.json").read_text())
    parsed = Parsed(run_documents(made.plan, result_of(made.plan), record, [], USAGE)["report.html"])
    assert "pilot" in parsed.ids
    assert "#pilot" in parsed.addresses
    for other in ({"strategy": "contrastive"}, "text", {**record["pilot"], "schema": 2}):
        page = run_documents(made.plan, result_of(made.plan), record | {"pilot": other}, [], USAGE)["report.html"]
        assert 'id="pilot"' not in page


def test_hostile_names_change_no_structure(made: Made) -> None:
    pages = []
    for names in (("a", "b", "c"), HOSTILE):
        stand = [one.model_copy(update={"strategy": name}) for one, name in zip(STAND, names, strict=True)]
        changed = {"contenders": stand, "strategy": names[0], "rules": names[1], "measure_title": names[2]}
        record = advice_record(made.advice) | {"pilot": FOUND.model_copy(update=changed).as_dict()}
        pages.append(Parsed(run_documents(made.plan, result_of(made.plan), record, [], USAGE)["report.html"]))
    assert pages[0].tags == pages[1].tags
    assert HOSTILE[0] in pages[1].text
