import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from advisor.assets import asset
from advisor.profile import load_profile

Invoke = Callable[..., Result]
STARTUP = asset("profiles", "startup-sentiment", "profile.yaml")


def test_help_lists_every_command(invoke: Invoke) -> None:
    shown = invoke("--help")
    assert shown.exit_code == 0
    for name in ("ask", "inspect", "recommend", "explain", "plan", "run", "predict", "rules"):
        assert f"  {name} " in shown.output
        assert invoke(name, "--help").exit_code == 0


def test_recommend_shows_the_verdict_first(invoke: Invoke) -> None:
    shown = invoke("recommend", STARTUP)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Prompt it – few-shot prompting")
    assert "contested" in shown.stdout.splitlines()[0]
    assert max(len(line) for line in shown.stdout.splitlines()) <= 100
    assert len(shown.stdout.splitlines()) <= 40


def test_recommend_json_keeps_its_contract(invoke: Invoke) -> None:
    found = json.loads(invoke("recommend", STARTUP, "--json").stdout)
    assert found["schema"] == 1
    assert {"strategy", "family", "model", "strength", "certainty", "contested"} <= found["verdict"].keys()
    assert {"rule", "because", "evidence"} <= found["reasons"][0].keys()
    for alternative in found["alternatives"]:
        assert {"strategy", "family", "model", "expected", "why_not"} <= alternative.keys()
        assert {"quality", "train_seconds", "train_memory_bytes", "latency_ms", "usd"} <= alternative["expected"].keys()
        assert alternative["expected"]["train_seconds"].keys() == {"low", "point", "high"}
        assert alternative["why_not"]
    assert {"excluded", "flips", "stability", "questions"} <= found.keys()


def test_every_shipped_profile_is_advised_on(invoke: Invoke) -> None:
    for path in asset("profiles").rglob("*.yaml"):
        assert invoke("recommend", path).exit_code == 0, path


def test_data_alone_suffice(invoke: Invoke, messages: Path) -> None:
    found = json.loads(invoke("recommend", "--data", messages, "--json").stdout)
    assert found["project"] == "messages"
    assert found["verdict"]["strategy"]


def test_settings_take_precedence(invoke: Invoke) -> None:
    found = json.loads(
        invoke("recommend", STARTUP, "--set", "data.labelled=0", "--set", "data.smallest_class=0", "--json").stdout
    )
    assert found["verdict"]["strategy"] == "zero-shot"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["recommend"], 2, "name a profile"),
        (["recommend", "no-such.yaml"], 2, "no-such.yaml: no such file"),
        (["recommend", "--set", "data.labeled=3"], 2, "did you mean 'data.labelled'?"),
        (["recommend", "--set", "task.type=text-classification"], 4, "data.labelled"),
        (["recommend", STARTUP, "--set", "serving.latency_ms_p95=0.01"], 3, "no strategy is feasible"),
        (["recommend", "--test", "x.csv"], 2, "name the data too"),
        (["explain", STARTUP, "--why-not", "linear-prob"], 2, "did you mean 'linear-probe'?"),
        (["rules", "show", "plenty-of-label"], 2, "did you mean 'plenty-of-labels'?"),
        (["rules", "check", "--rules", "nowhere"], 2, "no such file"),
        (["inspect", "nowhere.csv"], 2, "nowhere.csv"),
        (["nonsense"], 2, "No such command"),
        (["ask", "-o", STARTUP], 2, "is there already"),
    ],
)
def test_faults_are_one_sentence_with_their_code(
    invoke: Invoke, arguments: list[object], code: int, message: str
) -> None:
    shown = invoke(*arguments)
    assert shown.exit_code == code, shown.output
    assert message in shown.output
    assert "Traceback" not in shown.output


def test_explain_says_why_and_why_not(invoke: Invoke) -> None:
    shown = invoke("explain", STARTUP)
    assert "holds    task.kind: common" in shown.stdout
    assert "assumed" not in shown.stdout.split("answers")[0]
    assert "weighs more" in invoke("explain", STARTUP, "--why-not", "linear-probe").stdout
    assert "is the advice" in invoke("explain", STARTUP, "--why-not", "few-shot").stdout


def test_rules_are_checked_listed_and_shown(invoke: Invoke) -> None:
    assert "all names, types, units and citations resolve" in invoke("rules", "check").stdout
    assert "plenty-of-labels" in invoke("rules", "list").stdout
    shown = invoke("rules", "show", "plenty-of-labels").stdout
    assert "plenty_labels = 2000 labelled examples, 1000 to 5000" in shown
    assert "arXiv" in invoke("rules", "show", "E5").stdout


def test_inspect_reports_what_is_odd(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("text,label\ngood one,a\ngood one,b\ngood one,a\nbad two,b\n,a\n!!!,b\n", encoding="utf-8")
    shown = invoke("inspect", path)
    assert shown.exit_code == 0
    assert "repeat an earlier text" in shown.stdout
    assert "with different labels" in shown.stdout
    assert "have no text" in shown.stdout
    found = json.loads(invoke("inspect", path, "--json").stdout)
    assert found["schema"] == 1
    assert found["smallest_class"]["count"] >= 2


def test_ask_asks_only_what_matters_and_saves(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    path = tmp_path / "asked.yaml"
    shown = invoke("ask", "-o", path, input=f"{messages}\n?\ndaily\n" + "\n" * 20)
    assert shown.exit_code == 0, shown.output
    assert "Weights cannot follow facts" in shown.output
    profile = load_profile(path)
    assert profile.lifecycle.facts_change == "daily"
    assert profile.source("lifecycle.facts_change") == "asked"
    assert profile.source("data.labelled") == "detected"
    assert shown.output.count("\n> ") < 20


def test_ask_goes_back_and_refuses_nonsense(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    path = tmp_path / "asked.yaml"
    shown = invoke("ask", "-o", path, input=f"{messages}\nsometimes\nweekly\n<\nnever\n" + "\n" * 30)
    assert "'sometimes' is not one of never, yearly" in shown.output
    assert load_profile(path).lifecycle.facts_change == "never"


def test_an_interrupted_questionnaire_resumes(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    path = tmp_path / "asked.yaml"
    invoke("ask", "-o", path, input=f"{messages}\nmonthly\n")
    assert load_profile(path).lifecycle.facts_change == "monthly"
    again = invoke("ask", "-o", path, "--resume", input="\n" * 30)
    assert again.exit_code == 0
    assert "How often do the facts change" not in again.output


def test_ask_without_input_lists_what_is_missing(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "asked.yaml"
    shown = invoke("ask", "-o", path, "--no-input")
    assert shown.exit_code == 4
    assert "task.type " in shown.stdout
    assert "data.labelled " in shown.stdout
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["schema"] == 1


def test_answers_come_from_a_file(invoke: Invoke, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("task.type: text-classification\ndata.labelled: 90\ndata.classes: 3\n", encoding="utf-8")
    path = tmp_path / "asked.yaml"
    shown = invoke("ask", "-o", path, "--no-input", "--answers", answers)
    assert shown.exit_code == 0, shown.output
    assert load_profile(path).data.labelled == 90
    answers.write_text("data.labeled: 90\n", encoding="utf-8")
    wrong = invoke("ask", "-o", tmp_path / "other.yaml", "--no-input", "--answers", answers)
    assert wrong.exit_code == 2
    assert "answers.yaml:1:1: there is no input 'data.labeled'" in wrong.output


def test_ask_counts_down_and_stops_early(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    shown = invoke("ask", "-o", tmp_path / "asked.yaml", input=f"{messages}\n" + "\n" * 60)
    assert shown.exit_code == 0, shown.output
    counts = [int(count) for count in re.findall(r"\(at most (\d+) left\)", shown.output)]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == len(counts)
    everything = invoke("ask", "--all", "-o", tmp_path / "all.yaml", input=f"{messages}\n" + "\n" * 60)
    assert everything.output.count("\n> ") > shown.output.count("\n> ")
    assert "Which metric counts?" in everything.output
    assert "Which metric counts?" not in shown.output


def test_ask_takes_a_path_before_what_the_data_tell(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    shown = invoke("ask", "-o", tmp_path / "asked.yaml", input=f"{messages}\n" + "\n" * 60)
    questions = re.findall(r"^\((?:at most|the last).*?\) (.*)$", shown.output, flags=re.MULTILINE)
    assert questions[0].startswith("Where are the labelled data")
    assert not any(question.startswith("How many labelled examples") for question in questions)


def test_ask_without_input_lists_only_what_matters(invoke: Invoke, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text(
        "task.type: text-classification\ndata.labelled: 420\nmodel.llm: none\nlifecycle.facts_change: daily\n",
        encoding="utf-8",
    )
    shown = invoke("ask", "-o", tmp_path / "asked.yaml", "--no-input", "--answers", answers)
    assert shown.exit_code == 0
    assert "model.base " in shown.stdout
    assert "task.metric" not in shown.stdout
    assert "model.llm_strength" not in shown.stdout
