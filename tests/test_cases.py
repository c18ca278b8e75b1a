from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor.cases import Case, Outcome, judge, read_cases
from advisor.errors import DocumentError, InputError
from advisor.knowledge.rulebase import load_rulebase

BASE = load_rulebase()
FOLDER = Path(__file__).parent / "cases"
SHIPPED = read_cases(FOLDER, BASE)
NEWS = {"task.type": "text-classification", "data.labelled": 50_000, "data.classes": 4, "compute.device": "gpu",
        "compute.memory_gb": 16, "compute.hours": 24}  # fmt: skip


@pytest.mark.parametrize("case", SHIPPED, ids=lambda case: f"{Path(case.place).stem}-{case.name}")
def test_expert_case(case: Case) -> None:
    outcome = judge(case, BASE)
    assert outcome.holds, f"{case.place}: {'; '.join(outcome.wrong)}; came {outcome.came}"


def judged(tmp_path: Path, answers: dict[str, Any], **expected: Any) -> Outcome:
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump({"one": {"answers": answers, **expected}}), encoding="utf-8")
    return judge(read_cases(path, BASE)[0], BASE)


@pytest.mark.parametrize(
    ("expected", "points"),
    [
        ({"family": "fine-tuning"}, 1.0),
        ({"strategy": "full-fine-tuning"}, 1.0),
        ({"family": "freezing", "accept": ["fine-tuning"]}, 0.5),
        ({"strategy": "linear-probe", "accept": ["full-fine-tuning"]}, 0.5),
        ({"never": ["prompting", "linear-probe"]}, 1.0),
        ({"contested": False}, 1.0),
        ({"family": "fine-tuning", "must_cite": ["E25", "E29"]}, 1.0),
        ({"must_flip": ["compute.hours", {"input": "compute.memory_gb", "to": "freezing"}]}, 1.0),
        ({"asks": ["lifecycle.labels_change"]}, 1.0),
    ],
)
def test_what_holds_has_its_points(tmp_path: Path, expected: dict[str, Any], points: float) -> None:
    outcome = judged(tmp_path, NEWS, **expected)
    assert (outcome.wrong, outcome.points) == ((), points)


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ({"family": "prompting"}, "expected prompting"),
        ({"family": "prompting", "accept": ["linear-probe"]}, "expected prompting (or linear-probe)"),
        ({"strategy": "linear-probe", "never": ["fine-tuning"]}, "fine-tuning must never come"),
        ({"family": "fine-tuning", "contested": True}, "expected it contested"),
        ({"family": "fine-tuning", "must_cite": ["E29"]}, "cites none of E29"),
        ({"must_flip": ["task.target"]}, "offers no change of task.target"),
        (
            {"must_flip": [{"input": "compute.memory_gb", "to": "zero-shot"}]},
            "offers no change of compute.memory_gb to zero-shot",
        ),
        ({"modifiers": ["no-such-modifier"]}, "lacks the modifier no-such-modifier"),
        ({"asks": ["data.usd_per_label"]}, "lacks the question data.usd_per_label"),
        ({"infeasible": True}, "expected that nothing is feasible"),
        ({"undecided": True}, "expected no verdict yet"),
    ],
)
def test_what_does_not_hold_says_why(tmp_path: Path, expected: dict[str, Any], wrong: str) -> None:
    outcome = judged(tmp_path, NEWS, **expected)
    assert wrong in outcome.wrong
    assert outcome.points == 0.0


def test_that_nothing_is_feasible_can_be_expected(tmp_path: Path) -> None:
    slow = {**NEWS, "serving.latency_ms_p95": 0.001}
    assert judged(tmp_path, slow, infeasible=True, blames="latency").points == 1.0
    assert judged(tmp_path, slow, infeasible=True, blames="memory").wrong == ("blames latency, not memory",)
    assert judged(tmp_path, slow, family="freezing").wrong[0].startswith("expected freezing: no strategy is feasible")


def test_that_too_little_is_known_can_be_expected(tmp_path: Path) -> None:
    bare = {"task.type": "text-classification"}
    assert judged(tmp_path, bare, undecided=True, asks=["data.labelled"]).holds
    assert judged(tmp_path, bare, undecided=True, asks=["task.type"]).wrong == ("lacks the question task.type",)
    assert judged(tmp_path, bare, infeasible=True).wrong[0].startswith("expected that nothing is feasible: cannot")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n  answers: {}\n  famly: prompting\n", "case.yaml:3:3: unknown key 'famly'; did you mean 'family'?"),
        ("a:\n  answers: {}\n  family: promting\n", "case.yaml:3:11: family: 'promting' is not one of"),
        ("a:\n  answers: {}\n  strategy: lora-probe\n", "case.yaml:3:13: there is no strategy 'lora-probe'"),
        (
            "a:\n  answers: {}\n  never: [prompting, tuning]\n",
            "case.yaml:3:22: there is no family or strategy 'tuning'",
        ),
        ("a:\n  answers: {}\n  must_cite: [E0]\n", "case.yaml:3:15: there is no finding 'E0'"),
        ("a:\n  answers: {}\n  must_flip: [data.labeled]\n", "case.yaml:3:15: there is no input 'data.labeled'; did"),
        ("a:\n  answers: {}\n  must_flip: [{input: data.labelled, too: x}]\n", "3:38: unknown key 'too'"),
        ("a:\n  answers: {}\n  infeasible: yes\n  blames: memroy\n", "4:11: there is no requirement 'memroy'; did you"),
        ("a:\n  answers: {data.labeled: 3}\n  family: freezing\n", "case.yaml:2:13: there is no input 'data.labeled'"),
        ("a:\n  answers: {data.classes: 3, data.labelled: few}\n  family: freezing\n", "case.yaml:2:45: data.labelled"),
        (
            "a:\n  answers: {data.labelled: 3, data.smallest_class: 5}\n  family: freezing\n",
            "case.yaml:2:12: data.smallest_class (5) exceeds",
        ),
        ("a:\n  answers: {data.labelled: 3}\n  why: because\n", "case.yaml:1:1: nothing is expected here"),
        ("a:\n  family: freezing\n", "answers is missing"),
        ("[1]\n", "expected names of cases"),
    ],
)
def test_faults_of_a_case_are_pointed_at(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        read_cases(path, BASE)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_folder_is_read_with_its_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cases there"):
        read_cases(tmp_path, BASE)
    (tmp_path / "deep").mkdir()
    for name in ("a.yaml", "deep/b.yaml"):
        (tmp_path / name).write_text("one: {answers: {}, never: [freezing]}\n", encoding="utf-8")
    assert [case.place for case in read_cases(tmp_path, BASE)] == [f"{tmp_path}/a.yaml:1", f"{tmp_path}/deep/b.yaml:1"]
