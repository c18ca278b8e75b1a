import json
from html.parser import HTMLParser
from typing import get_args

import pytest
import yaml

from advisor.plan.plan import Plan
from advisor.report.documents import plan_documents, run_documents
from advisor.report.page import plan_page
from advisor.report.record import advice_record
from advisor.strategies import STRATEGIES, Family
from tests.report.samples import HOSTILE, LABELS, Made, result_of, wrong

USAGE = "encoder = 'the five lines'"


class Parsed(HTMLParser):
    """Tags with the names of their attributes, addresses, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "srcset", "action", "data"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.text += data


def front_matter(document: str) -> dict[str, object]:
    _, between, _ = document.split("---\n", 2)
    found = yaml.safe_load(between)
    assert isinstance(found, dict)
    return found


def test_plan_page_says_what_when_and_why(made: Made) -> None:
    page = Parsed(plan_documents(*made)["report.html"])
    advice = made.advice.as_dict()
    for expected in (
        made.plan.project,
        f"certainty {advice['verdict']['certainty']}",
        "Cost of training",
        "advisor run .",
        "python recipe.py",
        "Alternatives",
        advice["rules"]["sha256"],
        made.plan.data.train.sha256,
        made.plan.model.sha256 or "",
        *(step.title for step in made.plan.steps),
        *made.plan.advice.evidence,
    ):
        assert expected in page.text
    assert set(made.plan.advice.evidence) <= set(page.ids)
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_unknown_quality_is_said_not_shown_as_none(made: Made) -> None:
    plan = made.plan.model_copy(update={"forecast": {**made.plan.forecast, "quality": None, "usd_per_1000": None}})
    documents = plan_documents(plan, made.advice)
    assert "not known yet" in documents["report.html"]
    assert not any("None" in text for text in documents.values())


def test_every_family_is_named_and_the_plans_is_marked(made: Made) -> None:
    page = plan_documents(*made)["report.html"]
    for family in get_args(Family):
        current = ' aria-current="true"' if family == made.plan.family else ""
        assert f"<li{current}>{family}</li>" in page


def test_options_without_a_forecast_quality_are_named_below_the_plot(made: Made) -> None:
    record = json.loads(json.dumps(advice_record(made.advice)))
    known = [row for row in (record["verdict"], *record["alternatives"]) if row["expected"]["quality"]]
    assert len(known) > 2
    for row in known[2:]:
        row["expected"]["quality"] = None
    plot = plan_page(made.plan, record).plot
    assert plot is not None
    assert len(plot.dots) == 2
    page = run_documents(made.plan, result_of(made.plan), record, [], USAGE)["report.html"]
    caption = page.partition("Not drawn, for want of a forecast accuracy: ")[2].partition(".</figcaption>")[0]
    unknown = [row["strategy"] for row in record["alternatives"] if not row["expected"]["quality"]]
    assert caption.split(", ") == unknown
    for row in known:
        row["expected"]["quality"] = None
    plan = made.plan.model_copy(update={"forecast": {**made.plan.forecast, "quality": None}})
    assert plan_page(plan, record).plot is None


def test_what_does_not_apply_to_the_task_is_not_said_to_be_ruled_out(made: Made) -> None:
    excluded = {row["strategy"] for row in made.advice.as_dict()["excluded"]}
    assert {"sft", "dpo", "kto"} <= excluded
    for name, text in plan_documents(*made).items():
        assert "does not apply" not in text, name
        assert not any(STRATEGIES[strategy].title in text for strategy in ("sft", "dpo", "kto")), name


def test_a_hostile_record_changes_no_structure(made: Made) -> None:
    record = json.loads(json.dumps(advice_record(made.advice)))
    row = {"adds": "retrieval", "rule": "r", "because": "a reason", "evidence": ["E5"]}
    considered = {"model": "owner/model", "because": "a reason", "evidence": ["E5"]}
    record["modifiers"], record["base_model"]["consider"] = [row], [considered]
    tame = Parsed(run_documents(made.plan, result_of(made.plan), record, [], USAGE)["report.html"])
    for part in (row, considered):
        part |= {"because": "".join(HOSTILE)}
    row |= {"adds": HOSTILE[0], "rule": HOSTILE[1]}
    considered["model"] = f"owner/{HOSTILE[1]}"
    record["assumed"] = {name: HOSTILE[0] for name in record["assumed"]}
    attacked = Parsed(run_documents(made.plan, result_of(made.plan), record, [], USAGE)["report.html"])
    assert attacked.tags == tame.tags
    assert HOSTILE[0] in attacked.text


def test_a_plan_that_departs_from_the_advice_says_so(made: Made) -> None:
    other = next(a.candidate.strategy for a in made.advice.alternatives if a.candidate.engine == "encoder")
    plan = made.plan.model_copy(update={"strategy": other.id, "family": other.family})
    for name, text in plan_documents(plan, made.advice).items():
        assert "asked for" in text, name
    assert "asked for" not in plan_documents(*made)["report.html"]


def test_pages_are_small_and_load_nothing(made: Made) -> None:
    result = result_of(made.plan)
    pages = [
        plan_documents(*made)["report.html"],
        run_documents(made.plan, result, advice_record(made.advice), [], USAGE)["report.html"],
    ]
    for page in pages:
        parsed = Parsed(page)
        assert len(page.encode()) < 200_000
        assert all(address.startswith(("#", "https://arxiv.org/abs/")) for address in parsed.addresses)
        assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in parsed.tags}
        assert "url(" not in page
        assert "@import" not in page


def test_same_input_same_bytes(made: Made) -> None:
    assert plan_documents(*made) == plan_documents(*made)


def test_hostile_names_change_no_structure(made: Made, hostile_plan: Plan) -> None:
    record = json.loads(json.dumps(advice_record(made.advice)))
    tame_plan = made.plan.model_copy(update={"notes": ["a note"]})
    tame = run_documents(tame_plan, result_of(tame_plan), record, [wrong("a text", *LABELS[:2], 0.9)], USAGE)
    result = result_of(hostile_plan, HOSTILE)
    attacked = run_documents(hostile_plan, result, record, [wrong("".join(HOSTILE), *HOSTILE[:2], 0.9)], USAGE)
    before, after = Parsed(tame["report.html"]), Parsed(attacked["report.html"])
    assert after.tags == before.tags
    assert not any(name.startswith("on") for _, names in after.tags for name in names)
    assert HOSTILE[0] in after.text
    assert HOSTILE[1] in after.text
    assert "{{7*7}}" in after.text


def test_hostile_names_are_inert_in_markdown(made: Made, hostile_plan: Plan) -> None:
    tame_plan = made.plan.model_copy(update={"notes": ["a note"]})
    tame = plan_documents(tame_plan, made.advice) | run_documents(tame_plan, result_of(tame_plan), None, [], USAGE)
    result = result_of(hostile_plan, HOSTILE)
    attacked = plan_documents(hostile_plan, made.advice) | run_documents(hostile_plan, result, None, [], USAGE)
    for name in ("report.md", "decision.md", "README.md"):
        body = body_of(attacked[name])
        assert len(body.splitlines()) == len(body_of(tame[name]).splitlines())
        for active in ("<script", "<img", "[link](", "://evil", "www.evil", "{{7*7}}"):
            assert active not in body


def body_of(document: str) -> str:
    return document.partition("\n---\n")[2] if document.startswith("---\n") else document


def test_front_matter_is_the_hubs(made: Made, hostile_plan: Plan) -> None:
    record = advice_record(made.advice)
    fields = front_matter(run_documents(made.plan, result_of(made.plan), record, [], USAGE)["README.md"])
    assert fields["license"] == "apache-2.0"
    assert fields["language"] == ["en"]
    assert fields["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert fields["pipeline_tag"] == "text-classification"
    measured = {metric["type"]: metric["value"] for metric in fields["model-index"][0]["results"][0]["metrics"]}  # type: ignore[index]
    assert measured == {"accuracy": 0.78, "f1": 0.7654}
    for project in (*HOSTILE, "a: b", "- x", "---", "!!python/object:os.system", "null", ""):
        plan = hostile_plan.model_copy(update={"project": project})
        card = run_documents(plan, result_of(plan), None, [], USAGE)["README.md"]
        name = front_matter(card)["model-index"][0]["name"]  # type: ignore[index]
        assert name == (" ".join(project.split()) or "project")
    decision = plan_documents(*made)["decision.md"]
    assert front_matter(decision) == {"status": "proposed"}


def test_a_local_base_model_is_not_named_to_the_hub(made: Made) -> None:
    model = made.plan.model.model_copy(update={"id": "../models/ours"})
    plan = made.plan.model_copy(update={"model": model})
    fields = front_matter(run_documents(plan, result_of(plan), None, [], USAGE)["README.md"])
    assert "base_model" not in fields
    assert fields["license"] == "unknown"


@pytest.mark.parametrize(
    ("strategy", "family", "loaded_by"),
    [("linear-probe", "freezing", USAGE), ("full-fine-tuning", "fine-tuning", "pipeline(")],
)
def test_card_tells_how_to_load(made: Made, strategy: str, family: str, loaded_by: str) -> None:
    plan = made.plan.model_copy(update={"strategy": strategy, "family": family})
    card = run_documents(plan, result_of(plan), None, [], USAGE)["README.md"]
    assert loaded_by in card
    assert (USAGE in card) == (family == "freezing")


def test_run_page_sets_measured_beside_forecast(made: Made) -> None:
    errors = [
        wrong("surely right but wrong", "praise", "complaint", 0.97, row=5),
        wrong("barely wrong", "praise", "question", 0.51, row=6),
        wrong("x" * 5000, "praise", "question", 0.6, row=7),
        {**wrong("right after all", "praise", "praise", 0.99), "label": "praise"},
    ]
    page = run_documents(made.plan, result_of(made.plan), advice_record(made.advice), errors, USAGE)["report.html"]
    text = Parsed(page).text
    assert "0.78 0.44–1.00" in " ".join(text.split())
    assert "0.29 above zero-shot" in text
    assert "above the forecast" in text
    assert "12.3 points" in text
    assert text.index("surely right but wrong") < text.index("barely wrong")
    assert "right after all" not in text
    assert "x" * 400 not in text


def test_without_advice_its_sections_are_left_out(made: Made) -> None:
    page = Parsed(run_documents(made.plan, result_of(made.plan), None, [], USAGE)["report.html"])
    assert "change" not in page.ids
    assert "options" not in page.ids
    assert {"measured", "why", "evidence", "audit"} <= set(page.ids)
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_many_classes_show_the_most_confused_pairs(made: Made) -> None:
    labels = tuple(f"class-{number}" for number in range(30))
    counts = [[0] * 30 for _ in labels]
    for number in range(30):
        counts[number][number] = 10
        counts[number][(number + 1) % 30] = number
    result = result_of(made.plan, labels, counts)
    page = run_documents(made.plan, result, None, [], USAGE)["report.html"]
    assert "Confusion matrix" not in page
    listed = page.split("Most confused classes")[1]
    assert listed.count('<th scope="row">class-') == 15
    assert listed.index("class-29") < listed.index("class-28")
