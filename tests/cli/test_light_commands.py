import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from advisor.assets import asset
from advisor.cli import main
from advisor.profile import INPUTS, Input, load_profile

Invoke = Callable[..., Result]
STARTUP = asset("profiles", "startup-sentiment", "profile.yaml")


def test_help_lists_every_command(invoke: Invoke) -> None:
    shown = invoke("--help")
    assert shown.exit_code == 0
    for name in ("ask", "inspect", "recommend", "explain", "plan", "run", "predict", "ledger", "rules"):
        assert f"  {name} " in shown.output
        assert invoke(name, "--help").exit_code == 0


def test_recommend_shows_the_verdict_first(invoke: Invoke) -> None:
    shown = invoke("recommend", STARTUP)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Prompt it – few-shot prompting")
    assert "contested" in shown.stdout.splitlines()[0]
    steps = [line for line in shown.stdout.splitlines() if line.startswith(("Plan it:", "Run it:"))]
    assert steps[0].endswith(f"advisor plan {STARTUP} -o plan/")
    assert steps[1].endswith(f"advisor run {STARTUP}")


def test_a_card_tells_its_memory_and_a_price_its_day(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADVISOR_PRICES", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "nowhere")
    answers = ("task.type=text-classification", "data.labelled=500", "compute.card=T4", "compute.rented=true")
    settings = [part for answer in answers for part in ("--set", answer)]
    shown = invoke("recommend", *settings)
    assert "T4 16 GB" in shown.stdout
    assert "advisor: an hour of T4 is taken to cost $" in shown.stderr
    told = json.loads(invoke("recommend", *settings, "--json").stdout)
    assert {row["input"]: row["value"] for row in told["inputs"]}["compute.memory_gb"] == 16
    assert told["verdict"]["expected"]["usd"]["point"] > 0


@pytest.mark.parametrize("profile", sorted(asset("profiles").rglob("*.yaml")), ids=lambda path: path.name)
def test_advice_on_every_shipped_profile_is_one_screen(
    invoke: Invoke, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(asset("profiles").parent)
    lines = invoke("recommend", profile.relative_to(asset("profiles").parent)).stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    shown = [line for line in lines if " → " in line]
    assert len(shown) <= 6
    found = json.loads(invoke("recommend", profile, "--json").stdout)
    excluded = {row["strategy"] for row in found["excluded"] if "does not apply" in row["because"][0]}
    ruled_out = "\n".join(lines).partition("\nRuled out\n")[2]
    assert not any(f"{strategy} ·" in ruled_out for strategy in excluded)


def test_what_is_passed_over_is_one_row_of_what_fits_the_task(invoke: Invoke) -> None:
    answers = ("task.type=text-classification", "data.labelled=300", "data.classes=3", "compute.memory_gb=0.3")
    shown = invoke("recommend", *(part for answer in answers for part in ("--set", answer)))
    assert shown.stdout.count("passed over") == 1
    assert "would come first but are ruled out" in " ".join(shown.stdout.split())
    assert "sft" not in shown.stdout


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
        done = invoke("recommend", path)
        assert (done.exit_code, done.stderr) == (0, ""), path


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
        (["rules", "check", "--rules", "nowhere"], 2, "no such folder"),
        (["inspect", "nowhere.csv"], 2, "nowhere.csv"),
        (["run", "reviews.csv"], 2, "reviews.csv is a data file by its name"),
        (
            ["plan", STARTUP, "-o", "never", "--strategy", "full-fine-tuning", "--hyper", "epochs=many"],
            2,
            "'many' is not",
        ),
        (["plan", STARTUP, "-o", "never", "--with", "magic"], 2, "no modifier 'magic'; known: distillation, domain"),
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
    assert "assumed" not in shown.stdout.split("Answers")[0].split("What would change it")[0]
    assert "weighs more" in invoke("explain", STARTUP, "--why-not", "linear-probe").stdout
    assert "is the advice" in invoke("explain", STARTUP, "--why-not", "few-shot").stdout


def test_rules_are_checked_listed_and_shown(invoke: Invoke) -> None:
    assert "all names, types, units and citations resolve" in invoke("rules", "check").stdout
    assert "plenty-of-labels" in invoke("rules", "list").stdout
    facts = invoke("rules", "list", "--facts").stdout
    assert "labels_per_class               labels per class" in facts
    assert "weights / api-only" in facts
    shown = invoke("rules", "show", "plenty-of-labels").stdout
    assert "plenty_labels = 2000 examples, 1000 to 5000" in shown
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


def first_question(invoke: Invoke, messages: Path, folder: Path) -> tuple[Input, str]:
    """Return what is asked once the data are named, and an answer to it."""
    shown = invoke("ask", "-o", folder / "trial.yaml", input=f"{messages}\n").output
    asked = next(found for found in INPUTS.values() if found.question and found.question in shown.splitlines()[2])
    return asked, asked.choices[0] if asked.choices else "yes" if asked.kind is bool else "3"


def test_ask_asks_only_what_matters_and_saves(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    asked, answer = first_question(invoke, messages, tmp_path)
    path = tmp_path / "asked.yaml"
    shown = invoke("ask", "-o", path, input=f"{messages}\n?\n{answer}\n" + "\n" * 20)
    assert shown.exit_code == 0, shown.output
    assert asked.why in shown.output
    profile = load_profile(path)
    assert profile.get(asked.name) is not None
    assert profile.source(asked.name) == "asked"
    assert profile.source("data.labelled") == "detected"
    assert shown.output.count("\n> ") < 20


def test_ask_goes_back_and_refuses_nonsense(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    asked, answer = first_question(invoke, messages, tmp_path)
    path = tmp_path / "asked.yaml"
    shown = invoke("ask", "-o", path, input=f"{messages}\nnonsense\n{answer}\n<\nunknown\n" + "\n" * 30)
    assert "nonsense" in shown.output
    assert shown.output.count(asked.question) == 3
    assert load_profile(path).get(asked.name) is None


def test_an_interrupted_questionnaire_resumes(invoke: Invoke, messages: Path, tmp_path: Path) -> None:
    asked, answer = first_question(invoke, messages, tmp_path)
    path = tmp_path / "asked.yaml"
    invoke("ask", "-o", path, input=f"{messages}\n{answer}\n")
    assert load_profile(path).get(asked.name) is not None
    again = invoke("ask", "-o", path, "--resume", input="\n" * 30)
    assert again.exit_code == 0
    assert asked.question not in again.output


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


def test_own_rules_are_laid_over_the_shipped_ones(invoke: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    row = (
        "rules:\n  - {id: ours, priority: 100, recommend: linear-probe, strength: strong, certainty: low,\n"
        "     because: we say so, evidence: [E5], when: {task.kind: common, task.type: text-classification,\n"
        "     labels_per_class: at least fewest_per_class, constraints.model_access: weights}}\n"
    )
    (folder / "decision.yaml").write_text(row, encoding="utf-8")
    found = json.loads(invoke("recommend", STARTUP, "--rules", folder, "--json").stdout)
    assert found["verdict"]["strategy"] == "linear-probe"
    assert found["rules"]["version"].endswith(f" + {folder}")
    assert "by row ours" in invoke("explain", STARTUP, "--rules", folder).stdout
    assert "ours" in invoke("rules", "list", "--rules", folder).stdout
    assert "we say so" in invoke("rules", "show", "ours", "--rules", folder).stdout
    assert invoke("rules", "check", "--rules", folder).exit_code == 0
    plan = tmp_path / "plan"
    assert invoke("plan", STARTUP, "--rules", folder, "-o", plan).exit_code == 0
    assert yaml.safe_load((plan / "plan.yaml").read_text(encoding="utf-8"))["strategy"] == "linear-probe"
    assert "is a plan and fixes data, rules" in invoke("run", plan, "--rules", folder).output
    (folder / "decision.yaml").write_text(row.replace("[E5]", "[E0]"), encoding="utf-8")
    for command in (["recommend", STARTUP], ["ask", "-o", tmp_path / "asked.yaml", "--no-input"], ["rules", "check"]):
        shown = invoke(*command, "--rules", folder)
        assert shown.exit_code == 5
        assert "decision.yaml:3:37: no evidence 'E0'" in shown.output
    assert not (tmp_path / "asked.yaml").exists()


def test_expert_cases_are_scored(invoke: Invoke, tmp_path: Path) -> None:
    cases = tmp_path / "cases.yaml"
    answers = "answers: {task.type: text-classification, data.labelled: 0}"
    cases.write_text(f"right:\n  {answers}\n  family: prompting\n", encoding="utf-8")
    shown = invoke("rules", "test", cases)
    assert (shown.exit_code, shown.stdout) == (0, "1 of 1 cases hold, 100 % of points\n")
    with cases.open("a", encoding="utf-8") as file:
        file.write(f"half:\n  {answers}\n  family: freezing\n  accept: [prompting]\n")
        file.write(f"wrong:\n  {answers}\n  family: freezing\n  why: nobody knows\n")
    shown = invoke("rules", "test", tmp_path)
    assert shown.exit_code == 1
    first, last = shown.stdout.splitlines()
    assert first.startswith(f"{cases}:8: wrong: expected freezing; came zero-shot by row ")
    assert first.endswith(" – nobody knows")
    assert last == "2 of 3 cases hold, 50 % of points"
    found = json.loads(invoke("rules", "test", tmp_path, "--json").stdout)
    assert (found["cases"], found["holding"], found["points"]) == (3, 2, 1.5)
    assert [outcome["points"] for outcome in found["outcomes"]] == [1.0, 0.5, 0.0]
    assert invoke("rules", "test", tmp_path / "none.yaml").exit_code == 2


def test_an_advice_on_record_is_replayed(invoke: Invoke, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    assert invoke("recommend", STARTUP, "--record", record).exit_code == 0
    found = json.loads(invoke("recommend", STARTUP, "--json").stdout)
    assert json.loads(record.read_text(encoding="utf-8")) == found
    shown = invoke("explain", "--record", record)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[1].endswith(": the same verdict")
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "decision.yaml").write_text(
        "rules:\n  - {id: ours, priority: 100, when: {}, recommend: zero-shot, strength: strong, certainty: low,\n"
        "     because: we say so, evidence: [E5]}\n",
        encoding="utf-8",
    )
    shown = invoke("explain", "--record", record, "--rules", folder)
    assert shown.exit_code == 1
    assert "changed: row ours is new" in shown.stdout
    assert "today's rules say otherwise" in shown.stderr
    replayed = json.loads(invoke("explain", "--record", record, "--rules", folder, "--json").stdout)
    assert replayed["same"] is False
    assert invoke("explain", STARTUP, "--record", record).exit_code == 2
    assert invoke("explain", "--record", tmp_path / "none.json").exit_code == 2


def test_a_plan_keeps_the_audit_and_the_findings_of_own_rules(invoke: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "evidence.yaml").write_text(
        "OWN1: {claim: our probes did well, conditions: five sets, design: case study, certainty: low,\n"
        "  source: our records,\n"
        "  read: measured here, review_by: 2030-01-01}\n",
        encoding="utf-8",
    )
    (folder / "decision.yaml").write_text(
        "rules:\n  - {id: ours, priority: 100, when: {}, recommend: linear-probe, strength: strong, certainty: low,\n"
        "     because: we say so, evidence: [OWN1]}\n",
        encoding="utf-8",
    )
    assert invoke("plan", STARTUP, "--rules", folder, "-o", tmp_path / "plan").exit_code == 0
    assert "our probes did well" in (tmp_path / "plan" / "report.html").read_text(encoding="utf-8")
    assert invoke("explain", "--record", tmp_path / "plan" / "advice.json", "--rules", folder).exit_code == 0


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("task.type: text-classification\ndata.labelled: lots\n", "answers.yaml:2:16: data.labelled: 'lots' is not a"),
        ("data.smallest_class: 9\ndata.labelled: 3\n", "answers.yaml:1:22: data.smallest_class (9) exceeds"),
        ("data:\n  labelled: 3\n", "answers.yaml:1:1: write data.NAME: VALUE, or begin with 'schema: 1'"),
    ],
)
def test_wrong_answers_are_pointed_at(answers: str, message: str, invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(answers, encoding="utf-8")
    shown = invoke("ask", "-o", tmp_path / "asked.yaml", "--no-input", "--answers", path)
    assert (shown.exit_code, message in shown.output) == (2, True), shown.output
    assert not (tmp_path / "asked.yaml").exists()


def test_an_answer_that_is_not_utf8_keeps_those_before_it(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "asked.yaml"
    shown = invoke("ask", "-o", path, input=b"\ntext-classification\ncaf\xe9\n")
    assert (shown.exit_code, "an answer is not UTF-8 text" in shown.output) == (2, True)
    assert invoke("ask", "-o", path, "--resume", input="").exit_code == 4


@pytest.mark.parametrize(("terminal", "dash"), [(True, b"?"), (False, "–".encode())])
def test_an_old_encoding_ends_no_command(terminal: bool, dash: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stdout", stream)
    with pytest.raises(SystemExit) as ended:
        main(["recommend", str(STARTUP)])
    assert ended.value.code == 0
    stream.flush()
    assert b"Prompt it " + dash in stream.buffer.getvalue()


def test_labels_cannot_steer_the_terminal(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"t {i},{('a', chr(27) + '[2Jb')[i % 2]}\n" for i in range(8)), "utf-8")
    shown = invoke("inspect", path)
    assert shown.exit_code == 0
    assert "�[2Jb" in shown.output
    assert "\x1b" not in shown.output


def test_a_plan_says_what_of_the_profile_and_the_data_it_cannot_follow(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"t {i},{'ab'[i % 2]}\n" for i in range(8)), "utf-8")
    data = ("--data", tmp_path / "a.csv", "--test", tmp_path / "a.csv")
    shown = invoke("plan", *data, "--set", "task.metric=rouge", "-o", tmp_path / "plan")
    assert "task.metric is rouge, which does not judge text classification; accuracy leads" in shown.output
    assert "8 of 8 test texts stand in the training data too" in shown.output


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
